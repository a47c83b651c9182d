// Initializers: the first values of weights, from a shape and a seed. Which weight gets which seed is the model's business.
import type { Json } from "./layers/layer.js";
import { checkOptions, finiteNumber, hasMethod, isObject, nonNegativeNumber, oneOf, wrongValue } from "./options.js";
import { mul, sub } from "./ops/binary.js";
import { matmul } from "./ops/matmul.js";
import { transpose } from "./ops/move.js";
import { randomNormal, randomUniform } from "./ops/random.js";
import { reshape } from "./ops/view.js";
import { withTape } from "./tape.js";
import { sizeOf, Tensor, tensor, zeros as zeroed, type Shape, type TypedArray } from "./tensor.js";

/** Weights are floating-point. */
export interface WeightSpec {
  readonly shape: Shape;
  readonly dtype: "float32" | "float64";
}

/** Makes the first values of a weight. One of your own is an object like this. */
export interface Initializer {
  /** Names the kind, in files. */
  readonly type: string;
  /** What made it; with `type`, enough to make it again. */
  readonly options: { readonly [key: string]: number };
  /** A new tensor of this shape and dtype. The same seed gives the same bits. */
  make(spec: WeightSpec, seed: number): Tensor;
}

/** How much larger than by its formula the values shall be. */
export interface GainOptions {
  /** Factor of the values, and so of their deviation; default 1. */
  readonly gain?: number;
}

/** Every value is 0. For biases; hidden units whose weights all start alike stay alike, of which fit() warns. */
export const zeros = (): Initializer => ({ type: "zeros", options: {}, make: (spec) => zeroed(spec) });

/** Every value is 1. */
export const ones = (): Initializer => ({ ...constant(1), type: "ones", options: {} });

/** Every value is `value`. */
export function constant(value: number | { readonly value: number }): Initializer {
  const given = finiteNumber("constant", "value", isObject(value) ? value.value : value);
  return { type: "constant", options: { value: given }, make: (spec) => filled(spec, () => given) };
}

/**
 * Normally distributed values, not truncated.
 *
 * @param options - `mean` (default 0) and `deviation` (default 0.05)
 */
export function normal(options: { readonly mean?: number; readonly deviation?: number } = {}): Initializer {
  checkOptions("normal", options, ["mean", "deviation"]);
  const mean = finiteNumber("normal", "mean", options.mean ?? 0);
  const deviation = nonNegativeNumber("normal", "deviation", options.deviation ?? 0.05);
  return {
    type: "normal",
    options: { mean, deviation },
    make: (spec, seed) => drawNormal(spec, seed, mean, deviation),
  };
}

/**
 * Values spread evenly over [low, high).
 *
 * @param options - `low` (default -0.05) and `high` (default 0.05)
 */
export function uniform(options: { readonly low?: number; readonly high?: number } = {}): Initializer {
  checkOptions("uniform", options, ["low", "high"]);
  const low = finiteNumber("uniform", "low", options.low ?? -0.05);
  const high = finiteNumber("uniform", "high", options.high ?? 0.05);
  if (high < low) throw wrongValue("uniform", "high", `a number >= low, which is ${low},`, high);
  return { type: "uniform", options: { low, high }, make: (spec, seed) => drawUniform(spec, seed, low, high) };
}

// Variance of a weight that keeps the variance of what passes through a layer, as a function of its inputs and outputs.
const lecun = (fanIn: number): number => 1 / fanIn;
const glorot = (fanIn: number, fanOut: number): number => 2 / (fanIn + fanOut);
const he = (fanIn: number): number => 2 / fanIn;

/** Normal with deviation `gain · √(1 / fanIn)`, not truncated: for tanh and selu-like units (LeCun et al., "Efficient BackProp", 1998). */
export const lecunNormal = scaledNormal("lecunNormal", lecun);
/** Uniform in ±`gain · √(3 / fanIn)`: the deviation of {@link lecunNormal}. */
export const lecunUniform = scaledUniform("lecunUniform", lecun);
/** Normal with deviation `gain · √(2 / (fanIn + fanOut))`, not truncated: for sigmoid, tanh and softmax (Glorot and Bengio, 2010; "Xavier"). */
export const glorotNormal = scaledNormal("glorotNormal", glorot);
/** Uniform in ±`gain · √(6 / (fanIn + fanOut))`: the deviation of {@link glorotNormal}. */
export const glorotUniform = scaledUniform("glorotUniform", glorot);
/** Normal with deviation `gain · √(2 / fanIn)`, not truncated: for ReLU and its relatives (He et al., "Delving Deep into Rectifiers", 2015). */
export const heNormal = scaledNormal("heNormal", he);
/** Uniform in ±`gain · √(6 / fanIn)`: the deviation of {@link heNormal}. */
export const heUniform = scaledUniform("heUniform", he);

/**
 * `gain` times a random matrix with orthonormal columns (rows, where it has more columns than rows), drawn evenly from all such
 * matrices: the Q of a normal matrix's QR decomposition with R's diagonal positive (Saxe et al., 2014). All dimensions but the last count as rows.
 */
export function orthogonal(options: GainOptions = {}): Initializer {
  const gain = checkGain("orthogonal", options);
  return { type: "orthogonal", options: { gain }, make: (spec, seed) => drawOrthogonal(spec, seed, gain) };
}

const factories = {
  zeros,
  ones,
  constant,
  normal,
  uniform,
  lecunNormal,
  lecunUniform,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  orthogonal,
} satisfies Record<InitializerName | "constant", (options: never) => Initializer>;

/** The initializers that need no options and so can be given by name. */
export type InitializerName =
  | "zeros"
  | "ones"
  | "normal"
  | "uniform"
  | "lecunNormal"
  | "lecunUniform"
  | "glorotNormal"
  | "glorotUniform"
  | "heNormal"
  | "heUniform"
  | "orthogonal";

/** What an option such as `weightInitializer` takes: a name, or what a factory such as `heNormal({ gain: 2 })` returns. */
export type InitializerOption = InitializerName | Initializer;

/** @internal The initializer meant by an option: a name, an initializer, or the description of one from a file. */
export function resolveInitializer(
  where: string,
  option: string,
  value: InitializerOption | InitializerConfig,
): Initializer {
  if (hasMethod(value, "make")) return value;
  const { type, options = {} } = typeof value === "string" ? { type: value } : isObject(value) ? value : {};
  const names = Object.keys(factories).filter((name) => typeof value !== "string" || name !== "constant");
  const factory = factories[oneOf(where, option, type ?? value, names) as keyof typeof factories];
  return (factory as (options: unknown) => Initializer)(options);
}

/** What a file says about an initializer. */
export type InitializerConfig = Pick<Initializer, "type" | "options">;

/** @internal Descriptions by option. One of the user's own is left out: a saved model has its weights from the file and must load without it. */
export function describeInitializers(given: Readonly<Record<string, Initializer>>): Readonly<Record<string, Json>> {
  const known = Object.entries(given).filter(
    ([, { type }]) => typeof type === "string" && Object.hasOwn(factories, type),
  );
  return Object.fromEntries(known.map(([option, { type, options }]) => [option, { type, options }]));
}

/** Inputs and outputs of one unit: the last two dimensions, times all others (the positions of a convolution's window). */
function fans(shape: Shape): [fanIn: number, fanOut: number] {
  const fanOut = shape.at(-1) ?? 1;
  const fanIn = shape.at(-2) ?? fanOut;
  const window = sizeOf(shape.slice(0, -2));
  return [Math.max(1, window * fanIn), Math.max(1, window * fanOut)];
}

type Variance = (fanIn: number, fanOut: number) => number;

function scaledNormal(type: string, variance: Variance): (options?: GainOptions) => Initializer {
  return (options = {}) => {
    const gain = checkGain(type, options);
    const make = (spec: WeightSpec, seed: number): Tensor =>
      drawNormal(spec, seed, 0, gain * Math.sqrt(variance(...fans(spec.shape))));
    return { type, options: { gain }, make };
  };
}

function scaledUniform(type: string, variance: Variance): (options?: GainOptions) => Initializer {
  return (options = {}) => {
    const gain = checkGain(type, options);
    const make = (spec: WeightSpec, seed: number): Tensor => {
      const bound = gain * Math.sqrt(3 * variance(...fans(spec.shape))); // a uniform variable in ±b has variance b²/3
      return drawUniform(spec, seed, -bound, bound);
    };
    return { type, options: { gain }, make };
  };
}

function checkGain(where: string, options: GainOptions): number {
  checkOptions(where, options, ["gain"]);
  return nonNegativeNumber(where, "gain", options.gain ?? 1);
}

function filled(spec: WeightSpec, value: (index: number) => number): Tensor {
  return tensor(
    Float64Array.from({ length: sizeOf(spec.shape) }, (_, i) => value(i)),
    spec,
  );
}

// Values are wanted at once even where a model is first built while something is being captured.
function drawNormal({ shape, dtype }: WeightSpec, seed: number, mean: number, deviation: number): Tensor {
  return withTape(undefined, () => randomNormal(shape, { mean, deviation, seed, dtype }));
}

function drawUniform({ shape, dtype }: WeightSpec, seed: number, low: number, high: number): Tensor {
  return withTape(undefined, () => randomUniform(shape, { low, high, seed, dtype }));
}

function drawOrthogonal({ shape, dtype }: WeightSpec, seed: number, gain: number): Tensor {
  const columns = shape.at(-1) ?? 1;
  const rows = sizeOf(shape.slice(0, -1));
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
  return withTape(undefined, () => {
    const vectors = drawNormal({ shape: [short, long], dtype }, seed, 0, 1);
    if (vectors.size > 0) orthonormalize(vectors);
    return mul(reshape(rows >= columns ? transpose(vectors, [1, 0]) : vectors, shape), gain);
  });
}

const panelRows = 16;

/**
 * Gram and Schmidt's process on rows, in place, each projection taken off twice so that rounding leaves none ("twice is enough", Kahan and Parlett).
 * A panel of rows is freed at once, by matrix products, from all rows that are done; then each of its rows from those before it.
 */
function orthonormalize({ shape, dtype, storage }: Tensor): void {
  const [count, length] = shape as [number, number];
  const rowsOf = (first: number, end: number): TypedArray => storage!.subarray(first * length, end * length);
  for (let first = 0; first < count; first += panelRows) {
    const end = Math.min(first + panelRows, count);
    const done = new Tensor({ shape: [first, length], dtype }, { storage: rowsOf(0, first) });
    let panel = tensor(rowsOf(first, end), { shape: [end - first, length] });
    for (let pass = 0; pass < 2 && first > 0; pass++)
      panel = sub(panel, matmul(matmul(panel, done, { transposeB: true }), done));
    const values = panel.read();
    const few = Array.from({ length: end - first }, (_, i) => Float64Array.from(values.subarray(i * length, (i + 1) * length))); // prettier-ignore
    orthonormalizeFew(few);
    few.forEach((row, i) => rowsOf(first + i, first + i + 1).set(row));
  }
}

/** The same for few vectors, in float64. */
function orthonormalizeFew(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, j) => {
    for (let pass = 0; pass < 2; pass++) {
      for (const earlier of vectors.slice(0, j)) {
        const along = dot(earlier, vector);
        for (let i = 0; i < vector.length; i++) vector[i]! -= along * earlier[i]!;
      }
    }
    const length = Math.sqrt(dot(vector, vector));
    for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
