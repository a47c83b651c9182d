// The confusion matrix as text: which class is taken for which. Counting is the metrics' business.
import { count, percent } from "./format.js";

/** `matrix[true][predicted]` is the number of examples. */
export type Confusion = readonly (readonly number[])[];

/** Predicted class of each row of `scores [n, classes]`; the first one of ties. */
export function argmaxRows(scores: ArrayLike<number>, classes: number): Int32Array {
  return Int32Array.from({ length: scores.length / classes }, (_, row) => {
    let best = 0;
    for (let i = 1; i < classes; i++) if (scores[row * classes + i]! > scores[row * classes + best]!) best = i;
    return best;
  });
}

/** The matrix with recalls per class, or, where it would be wider than `columns`, for each class what it is mostly taken for. */
export function drawConfusion(confusion: Confusion, columns: number): string {
  const cell =
    Math.max(...confusion.flat().map((value) => String(value).length), String(confusion.length - 1).length, 2) + 2;
  const wide = leftWidth + cell * confusion.length + recallWidth > columns;
  return (wide ? drawMistakes(confusion) : drawMatrix(confusion, cell)).join("\n");
}

const leftWidth = "true  ".length;
const recallWidth = 10;

function drawMatrix(confusion: Confusion, cell: number): string[] {
  const row = (left: string, cells: readonly (string | number)[], right: string): string =>
    left.padStart(leftWidth - 2).padEnd(leftWidth) +
    cells.map((text) => String(text).padStart(cell)).join("") +
    right.padStart(recallWidth);
  const caption = "predicted".padStart(leftWidth + Math.floor((cell * confusion.length + "predicted".length) / 2));
  return [
    caption,
    row("true", [...confusion.keys()], "recall"),
    ...confusion.map((counts, label) =>
      row(
        String(label),
        counts.map((value) => (value === 0 ? "·" : value)),
        recallOf(counts, label),
      ),
    ),
  ];
}

function drawMistakes(confusion: Confusion): string[] {
  const lines = confusion.map((counts, label) => {
    const most = Math.max(...counts.filter((_, predicted) => predicted !== label));
    const mistake =
      most === 0
        ? ""
        : `${counts.findIndex((value, predicted) => value === most && predicted !== label)} (${count(most)})`;
    return `${String(label).padStart(5)}  ${recallOf(counts, label).padStart(9)}  ${mistake}`.trimEnd();
  });
  return [" true     recall  mostly taken for", ...lines];
}

function recallOf(counts: readonly number[], label: number): string {
  const total = counts.reduce((sum, value) => sum + value, 0);
  return total === 0 ? "none" : percent(counts[label]! / total, 1);
}
