// From a batch to its cost and figures: what training and evaluation compute alike.
import { shapeError } from "../errors.js";
import type { Metric, MetricContext } from "../metrics/metric.js";
import type { Compiled, Model } from "../model.js";
import { add } from "../ops/binary.js";
import { mean } from "../ops/reduce.js";
import type { Tensor } from "../tensor.js";
import type { Figure } from "./figures.js";

/**
 * `cost` is what training minimizes: the mean loss, and in training the penalty where there is one. Figures are the loss, the cost where it is
 * another number, and the metrics.
 */
export function costAndFigures(
  model: Model,
  { loss, metrics }: Pick<Compiled, "loss" | "metrics">,
  inputs: Tensor,
  targets: Tensor,
  training: boolean,
): { cost: Tensor; figures: Record<string, Figure> } {
  const outputs = model.forward(inputs, { training });
  const meanLoss = mean(loss.call(outputs, targets));
  meanLoss.name = "loss";
  const penalty = training ? model.penalty(inputs.shape[0]!) : undefined;
  const cost = penalty ? add(meanLoss, penalty) : meanLoss;
  if (penalty) cost.name = "cost";
  // Dead code unless a metric looks at it.
  const predictions = loss.link ? loss.link(outputs) : outputs;
  return {
    cost,
    figures: {
      loss: { values: meanLoss, over: "mean" },
      ...(penalty && { cost: { values: cost, over: "mean" } }),
      ...metricFigures(metrics, { outputs, predictions, targets }),
    },
  };
}

/** The metrics of a batch, by name. */
export function metricFigures(metrics: readonly Metric[], context: MetricContext): Record<string, Figure> {
  return Object.fromEntries(metrics.map((metric) => [metric.name, figureOf(metric, context)]));
}

function figureOf({ name, call, over = "mean", finish }: Metric, context: MetricContext): Figure {
  const values = call(context);
  const examples = context.outputs.shape[0]!;
  if (over === "all" && values.shape[0] !== examples)
    throw shapeError(name, `expected a row for each of ${examples} examples`, [
      { label: "values", shape: values.shape, name: values.name },
    ]);
  return { values: over === "mean" ? mean(values) : values, over, ...(finish && { finish }) };
}
