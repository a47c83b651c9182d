// Metrics of how well scores order the examples: the area under the ROC curve.
import { classNumbers } from "../losses/targets.js";
import { cast } from "../ops/cast.js";
import { concat } from "../ops/move.js";
import { reshape } from "../ops/view.js";
import { checkOptions, nonNegativeInteger, wrongValue } from "../options.js";
import type { Metric } from "./metric.js";

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
  for (const [name, values] of Object.entries({ scores, labels })) {
    const list: unknown = ArrayBuffer.isView(values)
      ? Array.from({ length: values.length }, (_, i) => values[i])
      : values;
    if (!Array.isArray(list) || !list.every((value) => typeof value === "number"))
      throw wrongValue("rocAuc", name, "an array of numbers", values);
  }
  if (scores.length !== labels.length)
    throw wrongValue("rocAuc", "labels", `${scores.length} labels, one per score,`, labels.length);
  let positives = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i]! > 0) positives++;
  const inside = new Float64Array(positives);
  const outside = new Float64Array(labels.length - positives);
  for (let i = 0, p = 0; i < labels.length; i++)
    if (labels[i]! > 0) inside[p++] = scores[i]!;
    else outside[i - p] = scores[i]!;
  inside.sort();
  outside.sort();
  // For each score inside: how many outside are below it, and how many equal it.
  let [below, upTo, wins] = [0, 0, 0];
  for (const score of inside) {
    while (below < outside.length && outside[below]! < score) below++;
    while (upTo < outside.length && outside[upTo]! <= score) upTo++;
    wins += (below + upTo) / 2;
  }
  return wins / (inside.length * outside.length);
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
    finish: (values, examples) => {
      const width = values.length / examples;
      const column = (k: number): Float64Array =>
        Float64Array.from({ length: examples }, (_, i) => values[i * width + k]!);
      const labels = column(width - 1);
      const against = (k: number): number =>
        rocAuc(
          column(k),
          labels.map((label) => (label === k ? 1 : 0)),
        );
      if (width === 2) return rocAuc(column(0), labels); // of either class: the score of class 0 is 1 minus that of class 1
      if (only !== undefined) return against(only);
      if (width === 3) return against(1);
      return Array.from({ length: width - 1 }, (_, k) => against(k)).reduce((sum, area) => sum + area) / (width - 1);
    },
  };
}
