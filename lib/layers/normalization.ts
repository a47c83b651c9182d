// Scaling of inputs by fixed numbers, kept and saved with the model. Computing them from data is not its business.
import { shapeError } from "../errors.js";
import type { Initializer } from "../initializers.js";
import { div, mul, sub } from "../ops/binary.js";
import { checkOptions, isArray, wrongValue } from "../options.js";
import { sizeOf, tensor, type Shape, type Tensor } from "../tensor.js";
import type { Layer } from "./layer.js";

/** One number for all features, or one per feature. */
export type Statistic = number | ArrayLike<number>;

export interface NormalizationOptions {
  /** What is subtracted; default 0. */
  readonly mean?: Statistic;
  /** The square of what is divided by. Give this or `deviation`. */
  readonly variance?: Statistic;
  /** What is divided by; default 1. A feature of deviation 0, the same in all examples, is only centred. */
  readonly deviation?: Statistic;
}

/** Below it, 1 / deviation is no float32. */
const smallestNormal = 2 ** -126;

export type NormalizationWeights = Readonly<{ mean: Tensor; deviation: Tensor }>;

/**
 * `(input - mean) / deviation`, with the training set's numbers for all data. They are state of the model: saved with it as tensors, not in its description.
 *
 * @throws OptionError for an unknown option, a value that is not finite or a negative deviation; ShapeError when the model is
 * built, if there is neither one number, nor one per entry of the last dimension, nor one per value of an example
 *
 * @example
 * ```ts
 * sequential([normalization({ mean: 33.3, deviation: 78.6 }), dense(10)], { inputShape: [784] });
 * ```
 */
export function normalization(options: NormalizationOptions = {}): Layer<NormalizationWeights> {
  checkOptions("normalization", options, ["mean", "variance", "deviation"]);
  if (options.variance !== undefined && options.deviation !== undefined)
    throw wrongValue("normalization", "deviation", "either variance or deviation, not a value", options.deviation);
  const mean = numbers("mean", options.mean ?? 0, -Infinity);
  const spread =
    options.variance === undefined
      ? numbers("deviation", options.deviation ?? 1, 0)
      : numbers("variance", options.variance, 0).map(Math.sqrt);
  const deviation = spread.map((value) => (value < smallestNormal ? 1 : value));

  return {
    type: "normalization",
    options: {},
    build: ({ inputShape, state }) => ({
      mean: state("mean", inputShape, given(fit("mean", mean, inputShape))),
      deviation: state("deviation", inputShape, given(fit("deviation", deviation, inputShape))),
    }),
    // A division for each feature, not for each number, which would take as long as all the rest of bringing the data.
    call: (input, weights) => mul(sub(input, weights.mean), div(1, weights.deviation)),
  };
}

function numbers(option: string, value: Statistic, least: number): number[] {
  const given = (isArray(value) || ArrayBuffer.isView(value) ? value : []) as ArrayLike<number>;
  // By index, since a typed array that has lost its memory cannot be iterated.
  const list = typeof value === "number" ? [value] : Array.from({ length: given.length }, (_, i) => given[i]!);
  const wrong = list.findIndex((number) => !(Number.isFinite(number) && number >= least));
  if (wrong >= 0 || list.length === 0)
    throw wrongValue(
      "normalization",
      option,
      least === 0 ? "finite numbers >= 0" : "finite numbers",
      list[wrong] ?? value,
    );
  return list;
}

/** One number per value of an example. */
function fit(label: string, list: readonly number[], inputShape: Shape): number[] {
  const size = sizeOf(inputShape);
  if (![1, inputShape.at(-1), size].includes(list.length))
    throw shapeError(
      "normalization",
      `expected one number, or one per feature, for ${label} but received ${list.length}`,
      [{ label: "input", shape: inputShape }],
    );
  return Array.from({ length: size }, (_, i) => list[i % list.length]!);
}

function given(list: readonly number[]): Initializer {
  return { type: "given", options: {}, make: (spec) => tensor(Float64Array.from(list), spec) };
}
