// Raw kernels that go element by element, and sums over all elements. Signatures and their words only; call.ts does the work.
import "../ops/index.js";
import { activations, type Activation } from "../ops/activation.js";
import { checkOptions, oneOf, positiveNumber, wrongValue, type Check } from "../options.js";
import { array, call, scalar, type FloatArray, type Signature } from "./call.js";

/** An array, or a number that stands for as many of it as are needed. */
export type ArrayOrNumber<T extends FloatArray> = T | number;

const vector = array((_, { length }) => [length]);
const vectorOrNumber: typeof vector = (value, name, context) =>
  (typeof value === "number" && context.dtype ? scalar(anyNumber) : vector)(value, name, context);
// NaN and infinities are as good as other elements.
const anyNumber: Check<number> = (_, __, value) => value as number;

const anyBound: Check<number> = (where, option, value) => {
  if (typeof value !== "number" || Number.isNaN(value)) throw wrongValue(where, option, "a number", value);
  return value;
};

function unary<T extends FloatArray>(
  name: string,
  x: T,
  out: T | undefined,
  more: Partial<Signature> = {},
  values: object = {},
): T {
  return call({ name, operands: { x: vector }, outputs: ["out"], ...more }, { x, out, ...values }).out as T;
}

function binary<T extends FloatArray>(name: string, a: T, b: ArrayOrNumber<T>, out: T | undefined): T {
  return call({ name, operands: { a: vector, b: vectorOrNumber }, outputs: ["out"] }, { a, b, out }).out as T;
}

function activate<T extends FloatArray>(kind: Activation, x: T, out: T | undefined, slope = 0): T {
  return unary(kind, x, out, { op: "activation", attrs: { kind: { fixed: kind }, slope: { fixed: slope } } });
}

function total(name: "sum" | "mean" | "max", x: FloatArray): number {
  const attrs = { axes: { fixed: [0] }, keepDims: { fixed: false } };
  return call({ name, operands: { x: vector }, outputs: ["out"], attrs }, { x }).out![0]!;
}

/**
 * `max(0, x)` of each element.
 *
 * Functions of this group take arrays of any length n, all Float32Array or all Float64Array, and compute on this thread with the kernels that
 * training uses. They write to `out` `[n]`, which may be `x` itself, or else to a new array, and return it.
 *
 * @throws OptionError for what is no such array, lies in resizable or transferred memory, or overlaps `out` without being the same; ShapeError
 *   when lengths differ; DTypeError when types differ
 *
 * @example
 * ```ts
 * relu(Float32Array.of(-1, 2)); // [0, 2]
 * ```
 */
export function relu<T extends FloatArray>(x: T, out?: T): T {
  return activate("relu", x, out);
}

/** What {@link leakyRelu} takes besides its array. */
export interface LeakyReluOptions<T extends FloatArray> {
  /** Slope below 0, > 0. Default: 0.01. */
  readonly slope?: number;
  readonly out?: T;
}

/**
 * `x` where it is positive, else `slope x`, with arrays as for {@link relu}.
 *
 * @example
 * ```ts
 * leakyRelu(Float32Array.of(-2, 2), { slope: 0.5 }); // [-1, 2]
 * ```
 */
export function leakyRelu<T extends FloatArray>(x: T, options: LeakyReluOptions<T> = {}): T {
  checkOptions("leakyRelu", options, ["slope", "out"]);
  return activate("leakyRelu", x, options.out, positiveNumber("leakyRelu", "slope", options.slope ?? 0.01));
}

/** What {@link elu} takes besides its array. */
export interface EluOptions<T extends FloatArray> {
  /** The function approaches -alpha; > 0. Default: 1. */
  readonly alpha?: number;
  readonly out?: T;
}

/**
 * `x` where it is positive, else `alpha (eˣ - 1)`, with arrays as for {@link relu}.
 *
 * @example
 * ```ts
 * elu(Float32Array.of(-Infinity, 2)); // [-1, 2]
 * ```
 */
export function elu<T extends FloatArray>(x: T, options: EluOptions<T> = {}): T {
  checkOptions("elu", options, ["alpha", "out"]);
  return activate("elu", x, options.out, positiveNumber("elu", "alpha", options.alpha ?? 1));
}

/** `1 / (1 + e⁻ˣ)` of each element, with arrays as for {@link relu}. */
export function sigmoid<T extends FloatArray>(x: T, out?: T): T {
  return activate("sigmoid", x, out);
}

/** Hyperbolic tangent of each element, with arrays as for {@link relu}. */
export function tanh<T extends FloatArray>(x: T, out?: T): T {
  return activate("tanh", x, out);
}

/** `ln(1 + eˣ)` of each element, without overflow, with arrays as for {@link relu}. */
export function softplus<T extends FloatArray>(x: T, out?: T): T {
  return activate("softplus", x, out);
}

/** `x sigmoid(x)` of each element, also called SiLU, with arrays as for {@link relu}. */
export function swish<T extends FloatArray>(x: T, out?: T): T {
  return activate("swish", x, out);
}

/** `x Φ(x)` of each element with the normal distribution Φ, with arrays as for {@link relu}. */
export function gelu<T extends FloatArray>(x: T, out?: T): T {
  return activate("gelu", x, out);
}

/** What {@link activationGrad} takes. */
export interface ActivationGradOptions<T extends FloatArray> {
  readonly activation: Activation;
  /** Gradient of the activation's output, `[n]`. */
  readonly dout: T;
  /** What the activation gave, `[n]`; for swish and gelu, what it was given. */
  readonly saved: T;
  /** Slope of leakyRelu or alpha of elu, > 0. Default: 0.01 for leakyRelu, 1 for elu. */
  readonly slope?: number;
  /** May be `dout` or `saved`. */
  readonly out?: T;
}

/**
 * Gradient through an activation: `dout · g'(x)`, with arrays as for {@link relu}.
 *
 * @example
 * ```ts
 * activationGrad({ activation: "relu", dout: Float32Array.of(3, 4), saved: Float32Array.of(0, 2) }); // [0, 4]
 * ```
 */
export function activationGrad<T extends FloatArray>(options: ActivationGradOptions<T>): T {
  const where = "activationGrad";
  checkOptions(where, options, ["activation", "dout", "saved", "slope", "out"]);
  const { activation, dout, saved, slope, out } = options ?? {};
  const kind = oneOf(where, "activation", activation, activations);
  const checked = positiveNumber(where, "slope", slope ?? (kind === "leakyRelu" ? 0.01 : 1));
  const attrs = { kind: { fixed: kind }, slope: { fixed: checked } };
  return call({ name: where, operands: { dout: vector, saved: vector }, attrs, outputs: ["out"] }, { dout, saved, out })
    .out as T;
}

/** `-x` of each element, with arrays as for {@link relu}. */
export function neg<T extends FloatArray>(x: T, out?: T): T {
  return unary("neg", x, out);
}

/**
 * `eˣ` of each element, with arrays as for {@link relu}.
 *
 * @example
 * ```ts
 * exp(Float64Array.of(0, 1)); // [1, 2.718281828459045]
 * ```
 */
export function exp<T extends FloatArray>(x: T, out?: T): T {
  return unary("exp", x, out);
}

/** Natural logarithm of each element: -∞ for 0, NaN below; with arrays as for {@link relu}. */
export function log<T extends FloatArray>(x: T, out?: T): T {
  return unary("log", x, out);
}

/** Square root of each element: NaN below 0; with arrays as for {@link relu}. */
export function sqrt<T extends FloatArray>(x: T, out?: T): T {
  return unary("sqrt", x, out);
}

/** `x²` of each element, with arrays as for {@link relu}. */
export function square<T extends FloatArray>(x: T, out?: T): T {
  return unary("square", x, out);
}

/** `|x|` of each element, with arrays as for {@link relu}. */
export function abs<T extends FloatArray>(x: T, out?: T): T {
  return unary("abs", x, out);
}

/** -1, 0 or 1 as each element is negative, 0 or positive, with arrays as for {@link relu}. */
export function sign<T extends FloatArray>(x: T, out?: T): T {
  return unary("sign", x, out);
}

/**
 * Each element moved into `[min, max]`, with arrays as for {@link relu}.
 *
 * @throws OptionError when a bound is not a number or they are the wrong way round
 *
 * @example
 * ```ts
 * clip(Float32Array.of(-3, 0.5, 2), -1, 1); // [-1, 0.5, 1]
 * ```
 */
export function clip<T extends FloatArray>(x: T, min: number, max: number, out?: T): T {
  const atLeastMin: typeof anyBound = (where, option, value) => {
    if (anyBound(where, option, value) < min)
      throw wrongValue(where, option, `a number >= min, which is ${min},`, value);
    return value as number;
  };
  return unary("clip", x, out, { attrs: { min: [anyBound], max: [atLeastMin] } }, { min, max });
}

/**
 * `a + b`, element by element. `b` is an array as long as `a`, or a number; `out` may be either array. Arrays otherwise as for {@link relu}.
 *
 * @example
 * ```ts
 * add(Float32Array.of(1, 2), Float32Array.of(3, 4)); // [4, 6]
 * add(Float32Array.of(1, 2), 5);                     // [6, 7]
 * ```
 */
export function add<T extends FloatArray>(a: T, b: ArrayOrNumber<T>, out?: T): T {
  return binary("add", a, b, out);
}

/** `a - b`, with operands as for {@link add}. */
export function sub<T extends FloatArray>(a: T, b: ArrayOrNumber<T>, out?: T): T {
  return binary("sub", a, b, out);
}

/** `a b`, element by element, with operands as for {@link add}. The matrix product is {@link gemm}. */
export function mul<T extends FloatArray>(a: T, b: ArrayOrNumber<T>, out?: T): T {
  return binary("mul", a, b, out);
}

/** `a / b`, with operands as for {@link add}. */
export function div<T extends FloatArray>(a: T, b: ArrayOrNumber<T>, out?: T): T {
  return binary("div", a, b, out);
}

/** `aᵇ`, with operands as for {@link add}. NaN where `a` is negative and `b` no integer. */
export function pow<T extends FloatArray>(a: T, b: ArrayOrNumber<T>, out?: T): T {
  return binary("pow", a, b, out);
}

/** The larger of `a` and `b`, NaN if either is, with operands as for {@link add}. */
export function maximum<T extends FloatArray>(a: T, b: ArrayOrNumber<T>, out?: T): T {
  return binary("maximum", a, b, out);
}

/** The smaller of `a` and `b`, NaN if either is, with operands as for {@link add}. */
export function minimum<T extends FloatArray>(a: T, b: ArrayOrNumber<T>, out?: T): T {
  return binary("minimum", a, b, out);
}

/**
 * Sum of all elements; of none it is 0.
 *
 * @example
 * ```ts
 * sum(Float32Array.of(1, 2, 3)); // 6
 * ```
 */
export function sum(x: FloatArray): number {
  return total("sum", x);
}

/** Mean of all elements; of none it is NaN. */
export function mean(x: FloatArray): number {
  return total("mean", x);
}

/**
 * Largest element, or NaN if there is one.
 * @throws ShapeError when there is no element
 */
export function max(x: FloatArray): number {
  return total("max", x);
}
