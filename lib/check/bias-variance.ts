// Bias or variance: what training and dev error say about what to do next. Only numbers; measuring them is diagnose.ts.
import { checkOptions, nonNegativeNumber, wrongValue } from "../options.js";

export type BiasVarianceVerdict = "high bias" | "high variance" | "both" | "fine";

export interface BiasVarianceOptions {
  /** Error on the training set, such as the share of wrong answers. */
  readonly trainError: number;
  /** Error on data that the network was not trained on, of the distribution that counts. */
  readonly devError: number;
  /** The best error that can be hoped for: human-level or Bayes. Default: 0. */
  readonly baseline?: number;
  /** The largest gap that is still fine, in the same unit. Default: 0.02, which suits shares of wrong answers; larger errors need one of their own. */
  readonly tolerance?: number;
}

const recipes: Readonly<Record<BiasVarianceVerdict, readonly string[]>> = {
  "high bias": [
    "a bigger network: more units, more layers",
    "train longer, or with another optimizer or learning rate",
    "another architecture; check that the inputs tell what is asked",
  ],
  "high variance": [
    "more data, or augmentation of what there is",
    "regularization: l2, dropout, early stopping",
    "another architecture",
  ],
  both: [
    "first the bias: a bigger network, train longer, another optimizer or architecture",
    "then the variance: more data or augmentation, l2, dropout, early stopping",
  ],
  fine: [
    "nothing on this account: test once on data that decided nothing",
    "for less error still, lower the baseline or the tolerance",
  ],
};

/** The outcome of {@link biasVariance}: plain data, and as a string the errors, the verdict and what to do. */
export class BiasVariance {
  /** `trainError - baseline`: what a better fit to the training set could gain. */
  readonly avoidableBias: number;
  /** `devError - trainError`: what is lost on the way to data that it has not seen. */
  readonly variance: number;
  readonly verdict: BiasVarianceVerdict;
  /** What to try, the first thing first. */
  readonly recipe: readonly string[];

  /** @internal */
  constructor(
    readonly trainError: number,
    readonly devError: number,
    readonly baseline: number,
    readonly tolerance: number,
  ) {
    this.avoidableBias = trainError - baseline;
    this.variance = devError - trainError;
    const [bias, variance] = [this.avoidableBias > tolerance, this.variance > tolerance];
    this.verdict = bias && variance ? "both" : bias ? "high bias" : variance ? "high variance" : "fine";
    this.recipe = recipes[this.verdict];
  }

  toString(): string {
    const { trainError, devError, baseline, avoidableBias, variance, tolerance, verdict, recipe } = this;
    const said = verdict === "both" ? "high bias and high variance" : verdict;
    return [
      `bias and variance: ${said}`,
      `train error ${short(trainError)} - baseline ${short(baseline)} = avoidable bias ${short(avoidableBias)}`,
      `dev error ${short(devError)} - train error ${short(trainError)} = variance ${short(variance)}`,
      `(up to ${short(tolerance)} is fine)`,
      ...recipe.map((step) => `- ${step}`),
    ].join("\n");
  }
}

/** Four digits are more than errors over a dev set are good for. */
export function short(error: number): string {
  return String(Number(error.toPrecision(4)));
}

/**
 * High bias, high variance, both, or fine: from the errors on the training set and the dev set, and the best that can be hoped for. Bias is high where
 * `trainError - baseline` exceeds the tolerance, variance where `devError - trainError` does. `String(...)` adds what to do about it.
 *
 * @throws OptionError for an error that is no number >= 0, and for errors above 1, which are no shares, without a tolerance
 *
 * @example
 * ```ts
 * biasVariance({ trainError: 0.01, devError: 0.11 }).verdict; // "high variance"
 * biasVariance({ trainError: 0.15, devError: 0.16 }).verdict; // "high bias"
 * biasVariance({ trainError: 0.15, devError: 0.16, baseline: 0.14 }).verdict; // "fine"
 * ```
 */
export function biasVariance(options: BiasVarianceOptions): BiasVariance {
  const where = "biasVariance";
  if (options === undefined) throw wrongValue(where, "options", "an object with trainError and devError", options);
  checkOptions(where, options, ["trainError", "devError", "baseline", "tolerance"]);
  const { trainError, devError, baseline = 0, tolerance } = options;
  nonNegativeNumber(where, "trainError", trainError);
  nonNegativeNumber(where, "devError", devError);
  nonNegativeNumber(where, "baseline", baseline);
  if (tolerance === undefined && Math.max(trainError, devError, baseline) > 1)
    throw wrongValue(where, "tolerance", "the largest gap that is fine, in the unit of errors above 1,", tolerance);
  return new BiasVariance(trainError, devError, baseline, nonNegativeNumber(where, "tolerance", tolerance ?? 0.02));
}
