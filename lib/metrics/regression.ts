// Metrics of numbers and probabilities: errors, the share of variance explained, log loss.
import { binaryCrossEntropy, categoricalCrossEntropy } from "../losses/cross-entropy.js";
import { meanAbsoluteError as absoluteErrorLoss, meanSquaredError as squaredErrorLoss } from "../losses/regression.js";
import { matchTargets } from "../losses/targets.js";
import { sub } from "../ops/binary.js";
import { cast } from "../ops/cast.js";
import { concat } from "../ops/move.js";
import { sum } from "../ops/reduce.js";
import { square } from "../ops/unary.js";
import { reshape } from "../ops/view.js";
import type { Metric, MetricContext } from "./metric.js";

const squaredErrors = ({ predictions, targets }: MetricContext) => squaredErrorLoss(predictions, targets);

/** Mean of `(ŷ - y)²` over outputs and examples. */
export const meanSquaredError: Metric = { name: "meanSquaredError", call: squaredErrors };

/** Root of {@link meanSquaredError} over all examples, in the targets' unit. */
export const rootMeanSquaredError: Metric = {
  name: "rootMeanSquaredError",
  call: squaredErrors,
  finish: ([mean]) => Math.sqrt(mean!),
};

/** Mean of `|ŷ - y|` over outputs and examples. */
export const meanAbsoluteError: Metric = {
  name: "meanAbsoluteError",
  call: ({ predictions, targets }) => absoluteErrorLoss(predictions, targets),
};

/**
 * Coefficient of determination over all examples: `1 - Σ (y - ŷ)² / Σ (y - ȳ)²`, 1 for perfect predictions and 0 for those of the mean; of several
 * outputs the mean of theirs, as scikit-learn. Where all targets are the same it is 1 if they are met, else 0.
 */
export const r2: Metric = {
  name: "r2",
  over: "sum",
  call: ({ predictions, targets }) => {
    // Double precision: Σ (y - ȳ)² is taken from Σ y² and Σ y, which for targets far from 0 differ in their last digits only.
    const count = predictions.shape[0]!;
    const flat = [count, predictions.size / count];
    const y = cast(reshape(matchTargets("r2", predictions, targets), flat), "float64");
    const errors = sub(cast(reshape(predictions, flat), "float64"), y);
    return concat([square(errors), y, square(y)].map((values) => sum(values, { axes: 0 })));
  },
  finish: (sums, examples) => {
    const outputs = sums.length / 3;
    const scores = Array.from({ length: outputs }, (_, k) => {
      const [errors, total, squares] = [sums[k]!, sums[outputs + k]!, sums[2 * outputs + k]!];
      const variation = squares - total ** 2 / examples;
      // A difference of sums that is rounding only counts as none.
      if (variation <= 1e-14 * squares) return errors === 0 ? 1 : 0;
      return 1 - errors / variation;
    });
    return scores.reduce((sum, score) => sum + score) / outputs;
  },
};

/** Cross-entropy of predicted probabilities in nats, whatever the loss is: `-ln p` of the target's class, clipped to [1e-7, 1 - 1e-7]. */
export const logLoss: Metric = {
  name: "logLoss",
  call: ({ predictions, targets }) =>
    predictions.rank === 2 && predictions.shape[1]! > 1
      ? categoricalCrossEntropy(predictions, targets)
      : binaryCrossEntropy(predictions, targets),
};

/** `exp` of {@link logLoss} over all examples: among how many equally likely classes the model is as unsure. */
export const perplexity: Metric = { ...logLoss, name: "perplexity", finish: ([mean]) => Math.exp(mean!) };
