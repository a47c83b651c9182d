// The plot of errors against the number of examples. Measuring them is check/learning-curve.ts; curves against epochs are learning-curves.ts.
import { checkOptions, finiteNumber, isArray, isObject, oneOf, plainText, wrongValue } from "../options.js";
import type { CurveOptions } from "./curves.js";
import { linesPlot } from "./lines.js";
import type { Plot } from "./plot.js";
import { category } from "./theme.js";

/** What `learningCurve` resolves with, or the like. */
export interface ErrorsBySize {
  readonly points: readonly { readonly examples: number; readonly trainError: number; readonly devError: number }[];
  /** What the error is, such as `1 - accuracy`. */
  readonly error?: string;
  /** Its baseline, unless 0, is drawn, too. */
  readonly biasVariance?: { readonly baseline: number };
}

/**
 * Training and dev error against the number of examples: a gap that narrows is variance, which more data helps against; curves that meet too high are
 * bias.
 *
 * @throws OptionError for what is no such curve
 *
 * @example
 * ```ts
 * const points = [{ examples: 100, trainError: 0.02, devError: 0.2 }, { examples: 200, trainError: 0.03, devError: 0.15 }];
 * await plot.learningCurve({ points, error: "1 - accuracy" }).save("errors.svg");
 * ```
 */
export function learningCurve(curve: ErrorsBySize, options: Omit<CurveOptions, "per"> = {}): Plot {
  const where = "learningCurve";
  checkOptions(where, options, ["title", "scale"]);
  const { title = "Errors by number of examples", scale } = options;
  if (scale !== undefined) oneOf(where, "scale", scale, ["linear", "log"]);
  plainText(where, "title", title);
  const { points, error = "error", biasVariance } = (isObject(curve) ? curve : {}) as Partial<ErrorsBySize>;
  if (!isArray(points) || points.length === 0 || !points.every(isPoint))
    throw wrongValue(where, "curve", "points with examples, trainError and devError", curve);
  plainText(where, "error", error);
  const baseline = finiteNumber(where, "baseline", isObject(biasVariance) ? biasVariance.baseline : 0);
  const series = [
    { name: "training", values: points.map(({ trainError }) => trainError), look: category(0) },
    { name: "dev", values: points.map(({ devError }) => devError), look: category(1) },
    ...(baseline === 0 ? [] : [{ name: "baseline", values: points.map(() => baseline), look: category(2) }]),
  ];
  const at = points.map(({ examples }) => examples);
  return linesPlot([{ yLabel: error.replace("-", "−"), series }], { title, xLabel: "examples", at, scale });
}

function isPoint(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { examples, trainError, devError } = value as Readonly<Record<string, unknown>>;
  return Number.isFinite(examples) && typeof trainError === "number" && typeof devError === "number";
}
