// Learning curves: training and dev error against the number of examples to learn from. Curves against epochs are fit()'s history.
import { Dataset } from "../data/dataset.js";
import { Made } from "../made.js";
import { Model } from "../model.js";
import { checkOptions, isArray, isFunction, only, positiveInteger, wrongValue } from "../options.js";
import { randomStream, resolveSeed } from "../random.js";
import { textTable } from "../text-table.js";
import type { FitOptions } from "../train/fit-options.js";
import { short, type BiasVariance, type BiasVarianceOptions } from "./bias-variance.js";
import { errorMeasure, type ErrorMeasure } from "./model-error.js";

export interface LearningCurveOptions extends Pick<BiasVarianceOptions, "baseline" | "tolerance"> {
  /** How many examples to learn from, in rising order. Default: 10, 20, 40, 70 and 100 percent of them. */
  readonly sizes?: readonly number[];
  /** What error is made of: a metric of the model, or "loss". Default: its first metric of which much is good, such as accuracy, else the loss. */
  readonly metric?: string;
  /** Decides which examples come first. Default: 0. */
  readonly seed?: number;
  /** How each model is trained: epochs, batch size and so on. */
  readonly fit?: FitOptions;
}

export interface LearningCurvePoint {
  /** Examples that the model learnt from. */
  readonly examples: number;
  /** Error on just these. */
  readonly trainError: number;
  /** Error on the whole dev set. */
  readonly devError: number;
}

/** The outcome of {@link learningCurve}: plain data, and as a string a table with what it means. */
export class LearningCurve extends Made {
  /** Whether more data should help: the dev error is far above the training error, and falls with their number. */
  readonly moreDataHelps: boolean;

  /** @internal */
  constructor(
    /** What the error is, such as `1 - accuracy`. */
    readonly error: string,
    readonly points: readonly LearningCurvePoint[],
    /** The verdict with all examples. */
    readonly biasVariance: BiasVariance,
  ) {
    super();
    const { verdict } = biasVariance;
    this.moreDataHelps = (verdict === "high variance" || verdict === "both") && this.gainPerDoubling > 0;
  }

  /** By how much the dev error fell for each doubling of the examples, between the last two sizes; 0 where there is one size only. */
  get gainPerDoubling(): number {
    const [before, last] = this.points.slice(-2) as [LearningCurvePoint, LearningCurvePoint?];
    return last ? (before.devError - last.devError) / Math.log2(last.examples / before.examples) : 0;
  }

  override toString(): string {
    const rows = this.points.map(({ examples, trainError, devError }) => [`${examples}`, short(trainError), short(devError)]); // prettier-ignore
    const gain = `the last doubling of the data took ${short(this.gainPerDoubling)} off the dev error`;
    return [
      `learning curve: ${this.moreDataHelps ? "more data should help" : "more data alone should not help"}; ${gain}`,
      "",
      ...textTable([["examples", "train", "dev"], ...rows], []),
      `(error: ${this.error})`,
      "",
      String(this.biasVariance),
    ].join("\n");
  }
}

const where = "learningCurve";
const defaultShares = [0.1, 0.2, 0.4, 0.7, 1];

/**
 * Trains a new model on more and more of the training set, each part containing the one before, and measures both errors after each.
 *
 * High variance shows as a gap that more examples narrow; high bias as two curves that meet at an error that is too large, which more examples do not
 * lower.
 *
 * @param build - makes a compiled model; it is given the examples that the model will learn from, for `normalization(examples.statistics())`
 * @throws OptionError for sizes that do not rise or are more than there are, or a model that is not compiled; what fit() throws
 *
 * @example
 * ```ts
 * const build = (): Model => {
 *   const net = sequential([dense(16, { activation: "relu" }), dense(10)], { inputShape: [784], seed: 1 });
 *   return net.compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy"] });
 * };
 * const curve = await learningCurve(build, train, dev, { sizes: [60, 120, 240], fit: { epochs: 2 } });
 * curve.points.map(({ examples }) => examples); // [60, 120, 240]
 * ```
 */
export async function learningCurve(
  build: (examples: Dataset) => Model,
  train: Dataset,
  dev: Dataset,
  options: LearningCurveOptions = {},
): Promise<LearningCurve> {
  checkOptions(where, options, ["sizes", "metric", "seed", "fit", "baseline", "tolerance"]);
  if (!isFunction(build)) throw wrongValue(where, "build", "a function that makes a model", build);
  for (const [name, data] of Object.entries({ train, dev }))
    if (!(data instanceof Dataset)) throw wrongValue(where, name, "a Dataset", data);
  const { metric, fit = {} } = options;
  const sizes = sizesOf(options.sizes, train.size);
  const order = train.rows.slice();
  randomStream(resolveSeed(where, options.seed ?? 0)).shuffle(order);

  const points: LearningCurvePoint[] = [];
  let measure: ErrorMeasure | undefined;
  for (const examples of sizes) {
    const part = new Dataset(train.inputs, train.targets, order.slice(0, examples), train.sampleWeights);
    const model: unknown = build(part);
    if (!(model instanceof Model)) throw wrongValue(where, "build", "a function that returns a model", model);
    measure = errorMeasure(where, model, metric);
    await model.fit(part, fit);
    const { threads, signal } = fit;
    const work = only({ threads, signal });
    points.push({ examples, trainError: await measure.of(part, work), devError: await measure.of(dev, work) });
  }
  return new LearningCurve(measure!.name, points, measure!.judge(points.at(-1)!, options));
}

function sizesOf(given: readonly number[] | undefined, most: number): readonly number[] {
  if (given === undefined) return [...new Set(defaultShares.map((share) => Math.ceil(share * most)))];
  if (!isArray(given) || given.length === 0) throw wrongValue(where, "sizes", "an array of numbers of examples", given);
  given.forEach((size, i) => {
    positiveInteger(where, "sizes", size);
    if (size > most) throw wrongValue(where, "sizes", `at most ${most}, the number of examples,`, size);
    if (i > 0 && size <= given[i - 1]!) throw wrongValue(where, "sizes", "rising numbers", given);
  });
  return given;
}
