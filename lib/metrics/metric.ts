// What a metric is. The metrics themselves are beside this file.
import type { Json } from "../layers/layer.js";
import type { Tensor } from "../tensor.js";

export interface MetricContext {
  /** The network's raw outputs, such as logits. */
  readonly outputs: Tensor;
  /** What `predict` would return: the outputs through the loss's link. */
  readonly predictions: Tensor;
  /** In the same order as the predictions of an example, and cheaper where the outputs are; by default the predictions. */
  readonly scores?: Tensor;
  readonly targets: Tensor;
}

/**
 * A figure of a whole set of examples, computed natively batch by batch. It depends on the examples only and not on how they are cut into batches.
 *
 * @example
 * ```ts
 * const bias: Metric = { name: "bias", call: ({ predictions, targets }) => predictions.sub(targets) };
 * const rootMeanSquare: Metric = { name: "rms", call: ({ predictions }) => predictions.square(), finish: ([mean]) => Math.sqrt(mean!) };
 * ```
 */
export interface Metric {
  /** What it is called in logs and histories. */
  readonly name: string;
  /** Names the kind, in files; only for those of the library that take options. */
  readonly type?: string;
  /** What made it; with `type`, enough to make it again. */
  readonly options?: { readonly [key: string]: Json };
  /** What a batch contributes; see `over`. */
  readonly call: (context: MetricContext) => Tensor;
  /**
   * How batches come together. "mean" (default): `call` gives one value per example, and their mean over all examples is taken. "sum": it
   * gives sums over the batch, such as counts, in a shape that does not depend on the batch; they are added up in double precision. "all": it
   * gives a row per example `[m, ...]`, and the rows are kept, one after the other.
   */
  readonly over?: "mean" | "sum" | "all";
  /** From the mean, the sums or the rows to the figure; a promise of it where all rows take long. Default: their first number. */
  readonly finish?: (values: Float64Array, examples: number) => number | Promise<number>;
}
