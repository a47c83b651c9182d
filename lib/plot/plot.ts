// A finished picture. What is in it was drawn elsewhere.
import { filePath } from "../options.js";
import { replaceFile } from "../files.js";
import { characters, element, type Markup } from "./svg.js";
import { stylesheet } from "./theme.js";

/**
 * A picture as SVG, readable on light and dark screens: it follows the reader's colour scheme.
 *
 * @example
 * ```ts
 * const picture = plot.confusionMatrix([[8, 2], [1, 9]]);
 * await picture.save("confusion.svg");
 * `<figure>${picture}</figure>`; // inline in a page
 * ```
 */
export class Plot {
  /** @internal */
  constructor(
    /** What the picture shows, for those who cannot see it. */
    readonly description: string,
    /** Pixels. */
    readonly width: number,
    /** Pixels. */
    readonly height: number,
    private readonly content: readonly Markup[],
  ) {}

  /** The SVG. */
  toString(): string {
    const { description, width, height, content } = this;
    const attributes = {
      xmlns: "http://www.w3.org/2000/svg",
      class: "simdnn-plot",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": description,
    };
    const paper = element("rect", { class: "paper", width, height });
    return element("svg", attributes, [element("style", {}, [characters(stylesheet)]), paper, ...content]).svg;
  }

  /**
   * Writes the SVG to a file, making missing folders; an old file is replaced in one step.
   * @throws FileError when it cannot be written
   */
  async save(path: string): Promise<void> {
    await replaceFile(filePath("save", "path", path), [Buffer.from(this.toString())]);
  }
}
