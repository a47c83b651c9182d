// The ops as methods of Tensor, so that formulas can be written from left to right. Imported for its effect; what each op does is said at its function.
import { Tensor, type DType, type Shape } from "../tensor.js";
import * as ops from "./index.js";

type Other = ops.Operand;

/** Methods that every tensor has. Each does what the function of the same name does with the tensor as its first argument. */
export interface TensorMethods {
  /** `this + other` */
  add(other: Other): Tensor;
  /** `this - other` */
  sub(other: Other): Tensor;
  /** `this · other`, element by element */
  mul(other: Other): Tensor;
  /** `this / other` */
  div(other: Other): Tensor;
  /** `this` to the power of `exponent` */
  pow(exponent: Other): Tensor;
  /** The larger of `this` and `other` */
  maximum(other: Other): Tensor;
  /** The smaller of `this` and `other` */
  minimum(other: Other): Tensor;
  /** 1 where `this` equals `other`, else 0 */
  equal(other: Other): Tensor;
  /** 1 where `this > other`, else 0 */
  greater(other: Other): Tensor;
  /** 1 where `this >= other`, else 0 */
  greaterEqual(other: Other): Tensor;
  /** `-this` */
  neg(): Tensor;
  /** e to the power of each element */
  exp(): Tensor;
  /** Natural logarithm */
  log(): Tensor;
  /** Square root */
  sqrt(): Tensor;
  /** Each element times itself */
  square(): Tensor;
  /** Absolute value */
  abs(): Tensor;
  /** -1, 0 or 1 */
  sign(): Tensor;
  /** Each element moved into `[min, max]` */
  clip(min: number, max: number): Tensor;
  /** `max(0, this)` */
  relu(): Tensor;
  /** `this` where positive, else `slope · this` */
  leakyRelu(options?: { readonly slope?: number }): Tensor;
  /** `this` where positive, else `alpha (e^this - 1)` */
  elu(options?: { readonly alpha?: number }): Tensor;
  /** `1 / (1 + e^-this)` */
  sigmoid(): Tensor;
  /** Hyperbolic tangent */
  tanh(): Tensor;
  /** `log(1 + e^this)` */
  softplus(): Tensor;
  /** `this · sigmoid(this)` */
  swish(): Tensor;
  /** `this · Φ(this)` */
  gelu(): Tensor;
  /** Probabilities over the last axis */
  softmax(): Tensor;
  /** Logarithm of the softmax over the last axis */
  logSoftmax(): Tensor;
  /** Matrix product */
  matmul(other: Tensor, options?: ops.MatmulOptions): Tensor;
  /** Sum over axes */
  sum(options?: ops.ReduceOptions): Tensor;
  /** Mean over axes */
  mean(options?: ops.ReduceOptions): Tensor;
  /** Largest element over axes */
  max(options?: ops.ReduceOptions): Tensor;
  /** Index of the largest element along an axis */
  argmax(options?: { readonly axis?: number }): Tensor;
  /** Sum of the squares of all elements */
  squaredNorm(): Tensor;
  /** The same elements under another shape; one dimension may be -1 */
  reshape(shape: Shape): Tensor;
  /** Dimensions in another order, by default the reverse */
  transpose(perm?: readonly number[]): Tensor;
  /** The block of `size` elements per dimension from the indices `begin` on; -1 stands for all that follow */
  slice(begin: readonly number[], size: Shape): Tensor;
  /** Zeros of `shape` with this tensor at the indices `begin` */
  pad(begin: readonly number[], shape: Shape): Tensor;
  /** Repeated along dimensions that are 1 or missing */
  broadcastTo(shape: Shape): Tensor;
  /** The rows with the given numbers */
  gather(indices: Tensor, options?: { readonly dtype?: DType }): Tensor;
  /** As another dtype */
  cast(dtype: DType): Tensor;
  /** The same values, through which no gradient flows */
  stopGradient(): Tensor;
}

declare module "../tensor.js" {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- declaration merging is how a class gets methods from elsewhere
  interface Tensor extends TensorMethods {}
}

const functions: {
  readonly [K in keyof TensorMethods]: (self: Tensor, ...args: Parameters<TensorMethods[K]>) => Tensor;
} = {
  add: ops.add,
  sub: ops.sub,
  mul: ops.mul,
  div: ops.div,
  pow: ops.pow,
  maximum: ops.maximum,
  minimum: ops.minimum,
  equal: ops.equal,
  greater: ops.greater,
  greaterEqual: ops.greaterEqual,
  neg: ops.neg,
  exp: ops.exp,
  log: ops.log,
  sqrt: ops.sqrt,
  square: ops.square,
  abs: ops.abs,
  sign: ops.sign,
  clip: ops.clip,
  relu: ops.relu,
  leakyRelu: ops.leakyRelu,
  elu: ops.elu,
  sigmoid: ops.sigmoid,
  tanh: ops.tanh,
  softplus: ops.softplus,
  swish: ops.swish,
  gelu: ops.gelu,
  softmax: ops.softmax,
  logSoftmax: ops.logSoftmax,
  matmul: ops.matmul,
  sum: ops.sum,
  mean: ops.mean,
  max: ops.max,
  argmax: ops.argmax,
  squaredNorm: ops.squaredNorm,
  reshape: ops.reshape,
  transpose: ops.transpose,
  slice: ops.slice,
  pad: ops.pad,
  broadcastTo: ops.broadcastTo,
  gather: ops.gather,
  cast: ops.cast,
  stopGradient: ops.stopGradient,
};

for (const [name, call] of Object.entries(functions) as [string, (self: Tensor, ...args: unknown[]) => Tensor][])
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...args: unknown[]) {
      return call(this, ...args);
    },
    configurable: true,
    writable: true,
  });
