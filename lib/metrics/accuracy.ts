// Metrics that count what is right, example by example.
import { classNumbers, matchProbabilities, oneHot, perExample } from "../losses/targets.js";
import { mul, sub } from "../ops/binary.js";
import { equal, greater, greaterEqual } from "../ops/comparison.js";
import { argmax, sum } from "../ops/reduce.js";
import { checkOptions, positiveInteger } from "../options.js";
import type { Metric } from "./metric.js";

/**
 * The share of examples whose likeliest class is the target's. Targets: class numbers `[m]` or one-hot rows `[m, classes]`. With
 * one output, a prediction above 0.5 counts as 1 and must equal the target, 0 or 1.
 */
export const accuracy: Metric = {
  name: "accuracy",
  call: (context) => {
    const { predictions, scores = predictions, targets } = context;
    if (predictions.rank !== 2 || predictions.shape[1] === 1) return binaryAccuracy.call(context);
    return equal(argmax(scores, { axis: 1 }), classNumbers("accuracy", predictions, targets));
  },
};

/** The share of outputs on the right side of 0.5, for targets 0 or 1 in the outputs' shape: for several labels that do not exclude each other. */
export const binaryAccuracy: Metric = {
  name: "binaryAccuracy",
  call: ({ predictions, targets }) => {
    const matched = matchProbabilities("binaryAccuracy", predictions, targets);
    return perExample(equal(greater(predictions, 0.5), matched));
  },
};

/**
 * The share of examples for which fewer than k classes are likelier than the target's; reported as `top5` and so on. Targets as for
 * {@link accuracy}.
 *
 * @param options - `k`, default 5
 *
 * @example
 * ```ts
 * model.compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy", topK({ k: 3 })] });
 * ```
 */
export function topK(options: { readonly k?: number } = {}): Metric {
  checkOptions("topK", options, ["k"]);
  const k = positiveInteger("topK", "k", options.k ?? 5);
  return {
    name: `top${k}`,
    type: "topK",
    options: { k },
    call: ({ predictions, targets }) => {
      const classes = classNumbers("topK", predictions, targets);
      const chosen = mul(predictions, oneHot("topK", classes, predictions.shape[1]!, predictions.dtype));
      const likelier = sum(greater(predictions, sum(chosen, { axes: 1, keepDims: true })), { axes: 1 });
      return sub(1, greaterEqual(likelier, k));
    },
  };
}
