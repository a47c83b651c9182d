// What a loss is. The losses themselves are beside this file.
import type { Json } from "../layers/layer.js";
import type { Tensor } from "../tensor.js";

/** A loss by itself: from a batch's outputs and targets to one value per example (or any shape; the cost is the mean). */
export type LossFunction = (outputs: Tensor, targets: Tensor) => Tensor;

export interface Loss {
  readonly name: string;
  /** What made it; with `name`, enough to make it again. Default: nothing. */
  readonly options?: { readonly [key: string]: Json };
  readonly call: LossFunction;
  /** From the network's raw outputs to what `predict` returns, such as softmax for a loss that takes logits. Default: as they are. */
  readonly link?: (outputs: Tensor) => Tensor;
  /** The link keeps the order of an example's outputs, so that metrics which only compare them need not go through it. */
  readonly linkKeepsOrder?: true;
}
