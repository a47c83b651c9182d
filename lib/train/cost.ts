// From a batch to its cost and metrics: what training and evaluation compute alike.
import type { Compiled, Model } from "../model.js";
import { add } from "../ops/binary.js";
import { mean } from "../ops/reduce.js";
import type { Tensor } from "../tensor.js";

/** The mean loss and every metric's mean over a batch, by name; in training also `cost`, the loss with the penalty, where there is one. */
export function costAndMetrics(
  model: Model,
  { loss, metrics }: Compiled,
  inputs: Tensor,
  targets: Tensor,
  training: boolean,
): Record<string, Tensor> & { loss: Tensor; cost?: Tensor } {
  const outputs = model.forward(inputs, { training });
  const meanLoss = mean(loss.call(outputs, targets));
  meanLoss.name = "loss";
  const penalty = training ? model.penalty(inputs.shape[0]!) : undefined;
  const cost = penalty && add(meanLoss, penalty);
  if (cost) cost.name = "cost";
  // Dead code unless a metric looks at it.
  const predictions = loss.link ? loss.link(outputs) : outputs;
  const values = metrics.map(({ name, call }) => [name, mean(call({ outputs, predictions, targets }))] as const);
  return { loss: meanLoss, ...(cost && { cost }), ...Object.fromEntries(values) };
}
