// Draws a grey image in characters. Knows no model and no file.
import type { IdxArray } from "../data/idx.js";

const shades = " .:-=+*#%@";

/** The lines of image `index` of `[n, height, width]`: two rows of pixels per line, since characters are about twice as high as wide. */
export function drawImage({ shape, data }: IdxArray, index: number): string[] {
  const [, height = 1, width = 1] = shape;
  const ink = (row: number, column: number): number =>
    row < height ? data[(index * height + row) * width + column]! : 0;
  return Array.from({ length: Math.ceil(height / 2) }, (_, line) =>
    Array.from({ length: width }, (_, column) => {
      const grey = (ink(2 * line, column) + ink(2 * line + 1, column)) / 2;
      return shades[Math.min(Math.floor((grey / 256) * shades.length), shades.length - 1)]!;
    })
      .join("")
      .trimEnd(),
  );
}
