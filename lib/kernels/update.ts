// Raw kernels of optimizers: one step each, in place. Signatures and their words only; call.ts does the work.
import "../ops/index.js";
import { bool, finiteNumber, fraction, nonNegativeNumber } from "../options.js";
import { array, call, int32, scalar, type FloatArray, type Signature, type ThreadOptions } from "./call.js";

const vector = array((_, { length }) => [length]);
const learningRate = scalar(finiteNumber, undefined, "float64");

/** What {@link sgd} takes, and every other optimizer's step. */
export interface SgdOptions<T extends FloatArray> extends ThreadOptions {
  /** `[n]`, changed in place. */
  readonly parameter: T;
  /** `[n]` */
  readonly gradient: T;
  readonly learningRate: number;
}

const sgdSignature: Signature = { name: "sgd", operands: { parameter: vector, gradient: vector, learningRate } };

/**
 * Gradient descent: `p -= learningRate · g`.
 *
 * @returns parameter
 * @throws as {@link gemm}; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * sgd({ parameter: Float32Array.of(1), gradient: Float32Array.of(2), learningRate: 0.25 }); // [0.5]
 * ```
 */
export function sgd<T extends FloatArray>(options: SgdOptions<T>): T {
  return call(sgdSignature, options).parameter as T;
}

/** What {@link momentum} takes. */
export interface MomentumOptions<T extends FloatArray> extends SgdOptions<T> {
  /** `[n]`, changed in place; zeros before the first step. */
  readonly velocity: T;
  /** In [0, 1). Default: 0.9. */
  readonly beta?: number;
  /** Weight the gradient with 1 - beta, so that the velocity is an average. Default: true. */
  readonly damped?: boolean;
  /** Look ahead. Default: false. */
  readonly nesterov?: boolean;
}

const momentumSignature: Signature = {
  name: "momentum",
  operands: { parameter: vector, gradient: vector, velocity: vector, learningRate },
  attrs: { beta: [fraction, 0.9], damped: [bool, true], nesterov: [bool, false] },
};

/**
 * Gradient descent with momentum: `v = beta v + d g`, with d = 1 - beta when damped, else 1; then `p -= learningRate · v`, or with nesterov
 * `p -= learningRate (beta v + d g)`.
 *
 * @returns parameter
 * @throws as {@link gemm}; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * const parameter = Float32Array.of(1), gradient = Float32Array.of(2), velocity = new Float32Array(1);
 * momentum({ parameter, gradient, velocity, learningRate: 0.1, damped: false }); // [0.8]
 * momentum({ parameter, gradient, velocity, learningRate: 0.1, damped: false }); // [0.42], since the velocity is now 0.9 · 2 + 2
 * ```
 */
export function momentum<T extends FloatArray>(options: MomentumOptions<T>): T {
  return call(momentumSignature, options).parameter as T;
}

/** What {@link rmsprop} takes. */
export interface RmspropOptions<T extends FloatArray> extends SgdOptions<T> {
  /** `[n]`, changed in place; zeros before the first step. */
  readonly meanSquare: T;
  /** In [0, 1). Default: 0.9. */
  readonly rho?: number;
  /** Default: 1e-8. */
  readonly epsilon?: number;
}

const rmspropSignature: Signature = {
  name: "rmsprop",
  operands: { parameter: vector, gradient: vector, meanSquare: vector, learningRate },
  attrs: { rho: [fraction, 0.9], epsilon: [nonNegativeNumber, 1e-8] },
};

/**
 * RMSprop: `s = rho s + (1 - rho) g²`, `p -= learningRate · g / (√s + epsilon)`.
 *
 * @returns parameter
 * @throws as {@link gemm}; NonFiniteError for what would become NaN or infinite, which stays as it was
 */
export function rmsprop<T extends FloatArray>(options: RmspropOptions<T>): T {
  return call(rmspropSignature, options).parameter as T;
}

/** What {@link adam} takes. */
export interface AdamOptions<T extends FloatArray> extends SgdOptions<T> {
  /** `[n]`, changed in place; zeros before the first step. */
  readonly firstMoment: T;
  /** `[n]`, changed in place; zeros before the first step. */
  readonly secondMoment: T;
  /** Steps taken before this one. */
  readonly step: number;
  /** In [0, 1). Default: 0.9. */
  readonly beta1?: number;
  /** In [0, 1). Default: 0.999. */
  readonly beta2?: number;
  /** Default: 1e-8. */
  readonly epsilon?: number;
  /** AdamW's decoupled decay. Default: 0. */
  readonly weightDecay?: number;
}

const adamSignature: Signature = {
  name: "adam",
  operands: {
    parameter: vector,
    gradient: vector,
    firstMoment: vector,
    secondMoment: vector,
    learningRate,
    step: scalar(int32, undefined, "int32"),
  },
  attrs: {
    beta1: [fraction, 0.9],
    beta2: [fraction, 0.999],
    epsilon: [nonNegativeNumber, 1e-8],
    weightDecay: [nonNegativeNumber, 0],
  },
};

/**
 * Adam in PyTorch's form; AdamW with `weightDecay`. With t = step + 1: `p -= learningRate · weightDecay · p`, `m = beta1 m + (1 - beta1) g`,
 * `v = beta2 v + (1 - beta2) g²`, `p -= learningRate · m/(1 - beta1ᵗ) / (√(v/(1 - beta2ᵗ)) + epsilon)`.
 *
 * @returns parameter
 * @throws as {@link gemm}; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * const state = { firstMoment: new Float32Array(1), secondMoment: new Float32Array(1) };
 * adam({ parameter: Float32Array.of(1), gradient: Float32Array.of(2), ...state, learningRate: 0.25, step: 0 }); // [0.75]
 * ```
 */
export function adam<T extends FloatArray>(options: AdamOptions<T>): T {
  return call(adamSignature, options).parameter as T;
}
