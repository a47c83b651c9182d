// The plot of a confusion matrix. Counting is metrics/confusion.ts.
import type { ConfusionMatrix } from "../metrics/confusion.js";
import { checkOptions, isArray, plainText, wrongValue } from "../options.js";
import { pictureTitle, thinned } from "./frame.js";
import { Plot } from "./plot.js";
import { element, group, text, title as tooltip, widthOf, type Markup } from "./svg.js";

export interface ConfusionMatrixOptions {
  /** Names of the classes. Default: their numbers. */
  readonly labels?: readonly string[];
  /** Heading of the picture. Default: the share of examples on the diagonal. */
  readonly title?: string;
}

/**
 * A confusion matrix: a row per true class, a column per predicted class. Cells hold numbers of examples, and are the darker (on a dark screen
 * lighter) the larger their share of the row.
 *
 * @param matrix - `matrix[true class][predicted class]`, as `model.confusionMatrix(data)` gives it
 * @throws OptionError for a matrix that is not square, or with other labels than rows
 *
 * @example
 * ```ts
 * const matrix = await model.confusionMatrix(test);
 * await plot.confusionMatrix(matrix).save("confusion.svg");
 * plot.confusionMatrix([[8, 2], [1, 9]], { labels: ["cat", "dog"] }).description; // "17 of 20 examples are predicted right (85.0 %)"
 * ```
 */
export function confusionMatrix(matrix: ConfusionMatrix, options: ConfusionMatrixOptions = {}): Plot {
  check(matrix, options);
  const classes = matrix.length;
  const labels = options.labels ?? matrix.map((_, k) => String(k));
  const right = sum(matrix.map((row, k) => row[k]!));
  const total = sum(matrix.flat());
  const share = total === 0 ? "" : ` (${percent(right / total)})`;
  const description = `${right.toLocaleString("en")} of ${total.toLocaleString("en")} examples are predicted right${share}`;

  const cell = Math.min(56, Math.max(8, Math.floor(600 / classes)));
  const side = cell * classes;
  const labelRoom = Math.min(150, Math.max(...labels.map(widthOf)));
  const left = 16 + 20 + labelRoom + 8;
  const heading = options.title ?? description;
  const width = Math.max(left + side + recallRoom + 16, 420, Math.min(1.3 * widthOf(heading) + 33, 640)); // few classes, long headings
  const head = pictureTitle(heading, width, "Shade: share of the true class");
  const top = head.height + 12;
  const [columnLabels, columnRoom] = columns(labels, cell, left, top + side);
  const height = top + side + columnRoom + 30;

  const rows = matrix.flatMap((counts, row) => rowOf(counts, row, labels, { cell, left, y: top + row * cell }));
  const rowTicks = thinned(labels.map((label, k) => ({ label, at: top + (k + 0.5) * cell })), side, 16); // prettier-ignore
  const rowLabels = rowTicks.map(({ label, at }) =>
    text(label, { x: left - 8, y: at + 4, "text-anchor": "end" }, labelRoom + 1),
  );
  const recalls = rowTicks.map(({ at }) => {
    const row = Math.floor((at - top) / cell);
    const all = sum(matrix[row]!);
    const recall = all === 0 ? "none" : percent(matrix[row]![row]! / all);
    return text(recall, { class: "quiet", x: left + side + recallRoom, y: at + 4, "text-anchor": "end" });
  });
  const middle = top + side / 2;
  const names = [
    text("true class", { x: 26, y: middle, "text-anchor": "middle", transform: `rotate(-90 26 ${middle})` }, side + 20),
    text("predicted class", { x: left + side / 2, y: height - 14, "text-anchor": "middle" }),
    text("recall", { class: "quiet", x: left + side + recallRoom, y: top - 6, "text-anchor": "end" }),
  ];
  return new Plot(description, width, height, [
    head.markup,
    ...rows,
    ...rowLabels,
    ...recalls,
    ...columnLabels,
    ...names,
  ]);
}

const recallRoom = 62;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Never 100 % for what is not all. */
function percent(share: number): string {
  const written = (100 * share).toFixed(1);
  return `${share < 1 && written === "100.0" ? "99.9" : written} %`;
}

function rowOf(
  counts: readonly number[],
  row: number,
  labels: readonly string[],
  { cell, left, y }: { readonly cell: number; readonly left: number; readonly y: number },
): Markup[] {
  const total = sum(counts);
  return counts.map((count, column) => {
    const x = left + column * cell;
    const share = total === 0 ? 0 : count / total;
    const shade = 0.03 + 0.97 * Math.sqrt(share); // the root, so that rare mistakes are seen
    const written = count === 0 ? "" : count.toLocaleString("en", { useGrouping: false });
    const fits = widthOf(written) <= cell - 2 && cell >= 16;
    const place = { x: x + cell / 2, y: y + cell / 2 + 4, "text-anchor": "middle" };
    return group({}, [
      tooltip(`${count} of ${labels[row]} predicted as ${labels[column]} (${percent(share)})`),
      element("rect", { class: "heat", fill: "currentColor", "fill-opacity": shade, x: x + 0.5, y: y + 0.5, width: cell - 1, height: cell - 1 }),
      ...(fits && written !== "" ? [text(written, place)] : []),
    ]); // prettier-ignore
  });
}

/** Labels below the columns: level where all fit, else upright. */
function columns(labels: readonly string[], cell: number, left: number, y: number): readonly [Markup[], number] {
  const widest = Math.max(...labels.map(widthOf));
  if (widest <= cell - 4)
    return [
      labels.map((label, k) => text(label, { x: left + (k + 0.5) * cell, y: y + 18, "text-anchor": "middle" })),
      24,
    ];
  const ticks = thinned(labels.map((label, k) => ({ label, at: left + (k + 0.5) * cell })), cell * labels.length, 16); // prettier-ignore
  const room = Math.min(120, widest);
  return [
    ticks.map(({ label, at }) =>
      text(label, { x: at + 4, y: y + 8, "text-anchor": "end", transform: `rotate(-90 ${at + 4} ${y + 8})` }, room + 1),
    ),
    room + 14,
  ];
}

function check(matrix: ConfusionMatrix, options: ConfusionMatrixOptions): void {
  const where = "confusionMatrix";
  checkOptions(where, options, ["labels", "title"]);
  if (options.title !== undefined) plainText(where, "title", options.title);
  const classes = isArray(matrix) ? matrix.length : 0;
  const square = classes > 0 && matrix.every((row) => isArray(row) && row.length === classes);
  if (!square || !matrix.flat().every((count) => Number.isFinite(count) && count >= 0))
    throw wrongValue(where, "matrix", "as many rows as columns, of numbers >= 0,", matrix);
  const { labels } = options;
  if (
    labels !== undefined &&
    (!isArray(labels) || labels.length !== classes || !labels.every((label) => typeof label === "string"))
  )
    throw wrongValue(where, "labels", `${classes} texts, one for each class,`, labels);
}
