// Mean and standard deviation of rows, in one pass over memory each. Which rows, and what they are for, is dataset.ts.
import type { TypedArray } from "../tensor.js";

export interface Statistics {
  readonly mean: number | readonly number[];
  readonly deviation: number | readonly number[];
}

/** Of each column of `rows` of `values`, which are `width` wide, or of all columns together. Deviations of zero become 1. */
export function statisticsOf(
  values: TypedArray,
  rows: Int32Array,
  width: number,
  per: "feature" | "all",
): { mean: number[]; deviation: number[] } {
  const together = per === "all";
  const means = (sums: Float64Array): Float64Array =>
    together
      ? new Float64Array(width).fill(sums.reduce((sum, value) => sum + value, 0) / (rows.length * width))
      : sums.map((sum) => sum / rows.length);
  const mean = means(sumsOf(values, rows, width));
  const variance = means(squaresOf(values, rows, width, mean));
  const kept = together ? 1 : width;
  return {
    mean: [...mean.subarray(0, kept)],
    deviation: Array.from(variance.subarray(0, kept), (square) => Math.sqrt(square) || 1),
  };
}

// Four rows at a time, so that the sums are read and written a quarter as often.
function sumsOf(values: TypedArray, rows: Int32Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  const whole = rows.length - (rows.length % 4);
  for (let r = 0; r < whole; r += 4) {
    const [a, b, c, d] = [rows[r]! * width, rows[r + 1]! * width, rows[r + 2]! * width, rows[r + 3]! * width];
    for (let i = 0; i < width; i++) sums[i]! += values[a + i]! + values[b + i]! + (values[c + i]! + values[d + i]!);
  }
  for (let r = whole; r < rows.length; r++) for (let i = 0; i < width; i++) sums[i]! += values[rows[r]! * width + i]!;
  return sums;
}

/** Sums of squared distances from `mean`. */
function squaresOf(values: TypedArray, rows: Int32Array, width: number, mean: Float64Array): Float64Array {
  const sums = new Float64Array(width);
  const whole = rows.length - (rows.length % 4);
  for (let r = 0; r < whole; r += 4) {
    const [a, b, c, d] = [rows[r]! * width, rows[r + 1]! * width, rows[r + 2]! * width, rows[r + 3]! * width];
    for (let i = 0; i < width; i++) {
      const center = mean[i]!;
      const w = values[a + i]! - center;
      const x = values[b + i]! - center;
      const y = values[c + i]! - center;
      const z = values[d + i]! - center;
      sums[i]! += w * w + x * x + (y * y + z * z);
    }
  }
  for (let r = whole; r < rows.length; r++)
    for (let i = 0; i < width; i++) sums[i]! += (values[rows[r]! * width + i]! - mean[i]!) ** 2;
  return sums;
}
