// From a batch to its cost and metrics: what training and evaluation compute alike.
import type { Compiled, Model } from "../model.js";
import { mean } from "../ops/reduce.js";
import type { Tensor } from "../tensor.js";

/** The mean loss and every metric's mean over a batch, by name. */
export function costAndMetrics(
  model: Model,
  { loss, metrics }: Compiled,
  inputs: Tensor,
  targets: Tensor,
  training: boolean,
): Record<string, Tensor> & { loss: Tensor } {
  const outputs = model.forward(inputs, { training });
  const cost = mean(loss.call(outputs, targets));
  cost.name = "loss";
  // Dead code unless a metric looks at it.
  const predictions = loss.link ? loss.link(outputs) : outputs;
  const values = metrics.map(({ name, call }) => [name, mean(call({ outputs, predictions, targets }))] as const);
  return { loss: cost, ...Object.fromEntries(values) };
}
