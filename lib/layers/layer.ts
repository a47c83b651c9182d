// What a layer is: a description that can be saved, a way to make its weights, and a forward pass written with ops. No layer in particular.
import type { Initializer } from "../initializers.js";
import type { Regularizer } from "../regularizers.js";
import type { Shape, Tensor } from "../tensor.js";

export type Weights = Readonly<Record<string, Tensor>>;
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What a layer is given to make its weights with. */
export interface BuildContext {
  /** Shape of one example, without the batch dimension. */
  readonly inputShape: Shape;
  /** Makes a weight that training changes; `regularizer` says what it adds to the cost. */
  readonly parameter: (name: string, shape: Shape, initializer: Initializer, regularizer?: Regularizer) => Tensor;
  /** Makes a weight that training does not follow gradients for, such as a running average. */
  readonly state: (name: string, shape: Shape, initializer: Initializer) => Tensor;
}

/** What a layer is told in its forward pass. */
export interface CallContext {
  readonly training: boolean;
  /** Where this layer's random numbers come from: the attributes and the counter that `dropout` and the random ops take. */
  readonly random: { readonly seed: number; readonly stream: number; readonly counter: Tensor };
}

/**
 * One layer of a model. It holds no weights itself: a model calls `build` for them and passes them back to `call`.
 *
 * A layer of your own is an object like this one, with a forward pass written in the library's ops; gradients, capture and threads come with them.
 *
 * @example
 * ```ts
 * const scale = (): Layer<{ factor: Tensor }> => ({
 *   type: "scale",
 *   options: {},
 *   build: ({ inputShape, parameter }) => ({ factor: parameter("factor", inputShape, constant(1)) }),
 *   call: (input, { factor }) => input.mul(factor),
 * });
 * ```
 */
export interface Layer<W extends Weights = Weights> {
  /** Names the kind of layer, in summaries, messages and files. */
  readonly type: string;
  /** What made it; with `type`, enough to make it again. */
  readonly options: { readonly [key: string]: Json };
  build?(context: BuildContext): W;
  /** The forward pass over a batch `[batch, ...]`. */
  call(input: Tensor, weights: W, context: CallContext): Tensor;
}
