// What a metric is, and the metrics.
import type { Tensor } from "./tensor.js";

export interface MetricContext {
  /** The network's raw outputs, such as logits. */
  readonly outputs: Tensor;
  /** What `predict` would return: the outputs through the loss's link. */
  readonly predictions: Tensor;
  readonly targets: Tensor;
}

export interface Metric {
  readonly name: string;
  /** One value per example; reported as the mean over all examples. */
  readonly call: (context: MetricContext) => Tensor;
}
