// Metrics of how well scores order the examples: the area under the ROC curve.
import { classNumbers } from "../losses/targets.js";
import { cast } from "../ops/cast.js";
import { concat } from "../ops/move.js";
import { reshape } from "../ops/view.js";
import { checkOptions, isArray, nonNegativeInteger, wrongValue } from "../options.js";
import { atOnce, inTurns } from "../turns.js";
import type { Metric } from "./metric.js";
import { sorting } from "./sorting.js";

/**
 * Area under the receiver operating characteristic: the probability that an example of the class has a higher score than one that is not of it,
 * ties counting half. Exact, from the scores of all examples, which are kept for it. 0 or 1 labels or class numbers; NaN where a class has all
 * examples or none.
 *
 * @param scores - one per example; only their order matters
 * @param labels - whether each example is of the class: above 0
 *
 * @example
 * ```ts
 * rocAuc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]); // 0.75
 * ```
 */
export function rocAuc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  for (const [name, values] of Object.entries({ scores, labels }))
    if (!isNumbers(values)) throw wrongValue("rocAuc", name, "an array of numbers", values);
  if (scores.length !== labels.length)
    throw wrongValue("rocAuc", "labels", `${scores.length} labels, one per score,`, labels.length);
  return atOnce(ranking(scores.length, (i) => scores[i]!, (i) => labels[i]! > 0)); // prettier-ignore
}

function isNumbers(values: unknown): boolean {
  if (isArray(values)) return values.every((value) => typeof value === "number");
  if (!ArrayBuffer.isView(values)) return false;
  return !(values instanceof DataView || values instanceof BigInt64Array || values instanceof BigUint64Array);
}

/** What takes less than a millisecond. */
const pace = 1 << 15;

/** The area for `count` examples, some of them inside the class. */
function* ranking(
  count: number,
  score: (example: number) => number,
  isInside: (example: number) => boolean,
): Generator<void, number> {
  const [inside, outside] = [new Float64Array(count), new Float64Array(count)];
  let [positives, negatives] = [0, 0];
  for (let begin = 0; begin < count; begin += pace) {
    for (let i = begin; i < Math.min(begin + pace, count); i++)
      if (isInside(i)) inside[positives++] = score(i);
      else outside[negatives++] = score(i);
    yield;
  }
  const ours = yield* sorting(inside.subarray(0, positives));
  const others = yield* sorting(outside.subarray(0, negatives));
  // For each score inside: how many outside are below it, and how many equal it.
  let [below, upTo, wins] = [0, 0, 0];
  for (let begin = 0; begin < positives; begin += pace) {
    for (const score of ours.subarray(begin, begin + pace)) {
      while (below < negatives && others[below]! < score) below++;
      while (upTo < negatives && others[upTo]! <= score) upTo++;
      wins += (below + upTo) / 2;
    }
    yield;
  }
  return wins / (positives * negatives);
}

export interface AucOptions {
  /** Of this class against all others; reported as `auc[3]` and so on. Default: class 1 of two, else the mean over all classes. */
  readonly class?: number;
}

/**
 * {@link rocAuc} of the predictions, over all examples; with more than two classes the mean of each against the rest, as scikit-learn's
 * `multi_class="ovr"`. Targets as for {@link accuracy}. Computed at the end of an epoch only.
 *
 * @throws OptionError for an unknown option or a class that does not exist
 *
 * @example
 * ```ts
 * model.compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy", auc(), auc({ class: 3 })] });
 * ```
 */
export function auc(options: AucOptions = {}): Metric {
  checkOptions("auc", options, ["class"]);
  const { class: only } = options;
  if (only !== undefined) nonNegativeInteger("auc", "class", only);
  return {
    name: only === undefined ? "auc" : `auc[${only}]`,
    type: "auc",
    options: { ...options },
    over: "all",
    call: ({ predictions, targets }) => {
      const count = predictions.shape[0]!;
      const outputs = reshape(predictions, [count, predictions.size / count]);
      const width = outputs.shape[1]!;
      if (only !== undefined && only >= Math.max(2, width))
        throw wrongValue("auc", "class", `a class below ${Math.max(2, width)}, the number of classes,`, only);
      const labels = classNumbers("auc", outputs, targets);
      return concat([outputs, reshape(cast(labels, outputs.dtype), [count, 1])], 1);
    },
    finish: (values, examples) => inTurns(area(values, examples, only)),
  };
}

/** From rows of scores with the class behind them. */
function* area(rows: Float64Array, examples: number, only: number | undefined): Generator<void, number> {
  const width = rows.length / examples;
  const classes = width - 1;
  const label = (i: number): number => rows[i * width + classes]!;
  const against = (k: number): Generator<void, number> =>
    ranking(examples, (i) => rows[i * width + k]!, (i) => label(i) === k); // prettier-ignore
  // Of either class: the score of class 0 is 1 minus that of class 1.
  if (classes === 1) return yield* ranking(examples, (i) => rows[i * width]!, (i) => label(i) > 0); // prettier-ignore
  if (only !== undefined) return yield* against(only);
  if (classes === 2) return yield* against(1);
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += yield* against(k);
  return sum / classes;
}
