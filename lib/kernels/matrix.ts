// Raw kernels that multiply matrices: gemm, and the dense layer's two passes. Signatures and their words only; call.ts does the work.
import "../ops/index.js";
import { activations } from "../ops/activation.js";
import { bool, finiteNumber, oneOf, type Check } from "../options.js";
import { array, call, type FloatArray, type Signature, type ThreadOptions } from "./call.js";

/** What {@link gemm} takes. Matrices lie row by row, without gaps. */
export interface GemmOptions<T extends FloatArray> extends ThreadOptions {
  /** Rows of c. */
  readonly m: number;
  /** Columns of c. */
  readonly n: number;
  /** Length of the sums. */
  readonly k: number;
  /** `[m, k]`, or `[k, m]` if it is to be transposed. */
  readonly a: T;
  /** `[k, n]`, or `[n, k]` if it is to be transposed. */
  readonly b: T;
  /** `[m, n]`, written to; a new array of zeros when absent. */
  readonly c?: T;
  /** Default: false. */
  readonly transposeA?: boolean;
  /** Default: false. */
  readonly transposeB?: boolean;
  /** Default: 1. */
  readonly alpha?: number;
  /** Default: 0, which overwrites c without reading it. */
  readonly beta?: number;
}

const gemmSignature: Signature = {
  name: "gemm",
  sizes: ["m", "n", "k"],
  operands: {
    a: array(({ m, k, transposeA }) => (transposeA ? [k!, m!] : [m!, k!])),
    b: array(({ n, k, transposeB }) => (transposeB ? [n!, k!] : [k!, n!])),
    c: array(({ m, n }) => [m!, n!], { absent: "zeros" }),
  },
  attrs: { transposeA: [bool, false], transposeB: [bool, false], alpha: [finiteNumber, 1], beta: [finiteNumber, 0] },
};

/**
 * General matrix product `c = alpha · op(a) · op(b) + beta · c`, where `op` transposes if the option says so. Computes on this thread, and on
 * others up to `threads`, on the arrays as they lie: nothing is copied.
 *
 * @returns c
 * @throws OptionError for a wrong argument, memory that can be resized or was transferred, and a c that overlaps a or b; ShapeError when an
 *   array has not as many elements as the sizes say; DTypeError unless all arrays are Float32Array or all are Float64Array
 *
 * @example
 * ```ts
 * const a = Float32Array.of(1, 2, 3, 4), b = Float32Array.of(5, 6);
 * gemm({ m: 2, n: 1, k: 2, a, b });                   // [17, 39]
 * gemm({ m: 2, n: 1, k: 2, a, b, transposeA: true }); // [23, 34]
 * ```
 */
export function gemm<T extends FloatArray>(options: GemmOptions<T>): T {
  return call(gemmSignature, options).c as T;
}

/** Activations that {@link dense} can apply: those whose derivative can be told from their output. */
export const denseActivations = activations.slice(0, 7) as readonly DenseActivation[];
export type DenseActivation = "linear" | "relu" | "leakyRelu" | "elu" | "sigmoid" | "tanh" | "softplus";

const denseActivation: Check<string> = (where, option, value) => oneOf(where, option, value, denseActivations);
const activationAttrs: Signature["attrs"] = { activation: [denseActivation, "linear"], slope: [finiteNumber, 1] };

/** What {@link dense} takes. */
export interface DenseOptions<T extends FloatArray> extends ThreadOptions {
  readonly rows: number;
  /** Inputs per row, at least 1. */
  readonly inputs: number;
  /** Outputs per row, at least 1. */
  readonly units: number;
  /** `[rows, inputs]` */
  readonly input: T;
  /** `[inputs, units]` */
  readonly weight: T;
  /** `[units]`; none when absent. */
  readonly bias?: T;
  /** Default: `"linear"`. */
  readonly activation?: DenseActivation;
  /** Slope of leakyRelu or alpha of elu. Default: 1. */
  readonly slope?: number;
  /** `[rows, units]`, written to; a new array when absent. */
  readonly out?: T;
}

const denseSignature: Signature = {
  name: "dense",
  sizes: ["rows", "inputs", "units"],
  operands: {
    input: array(({ rows, inputs }) => [rows!, inputs!]),
    weight: array(({ inputs, units }) => [inputs!, units!]),
    bias: array(({ units }) => [units!], { absent: "left out" }),
  },
  attrs: activationAttrs,
  outputs: ["out"],
};

/**
 * A dense layer's forward pass, `g(input · weight + bias)`, in one go.
 *
 * @returns out, `[rows, units]`
 * @throws as {@link gemm}
 *
 * @example
 * ```ts
 * const input = Float32Array.of(1, 2), weight = Float32Array.of(1, -1, 1, -1), bias = Float32Array.of(1, 1);
 * dense({ rows: 1, inputs: 2, units: 2, input, weight, bias, activation: "relu" }); // [4, 0]
 * ```
 */
export function dense<T extends FloatArray>(options: DenseOptions<T>): T {
  return call(denseSignature, options).out as T;
}

/** What {@link denseGrad} takes. */
export interface DenseGradOptions<T extends FloatArray> extends ThreadOptions {
  readonly rows: number;
  /** At least 1. */
  readonly units: number;
  /** Gradient of the layer's output, `[rows, units]`. */
  readonly dout: T;
  /** The layer's output, `[rows, units]`. */
  readonly output: T;
  readonly activation?: DenseActivation;
  readonly slope?: number;
  /** `[rows, units]`; a new array when absent. */
  readonly dz?: T;
  /** `[units]`; a new array when absent. */
  readonly dbias?: T;
}

const denseGradSignature: Signature = {
  name: "denseGrad",
  sizes: ["rows", "units"],
  operands: { dout: array(({ rows, units }) => [rows!, units!]), output: array(({ rows, units }) => [rows!, units!]) },
  attrs: activationAttrs,
  outputs: ["dz", "dbias"],
};

/**
 * The first half of a dense layer's backward pass: `dz = dout · g'(z)` and `dbias = Σ rows of dz`. The other half are two products:
 * `dinput = dz · weightᵀ` and `dweight = inputᵀ · dz`.
 *
 * @throws as {@link gemm}
 *
 * @example
 * ```ts
 * const input = Float32Array.of(1, 2), output = Float32Array.of(4, 0), dout = Float32Array.of(1, 1); // as in dense's example
 * const { dz, dbias } = denseGrad({ rows: 1, units: 2, dout, output, activation: "relu" });
 * dbias; // [1, 0]
 * gemm({ m: 2, n: 2, k: 1, a: input, b: dz, transposeA: true }); // [1, 0, 2, 0], the gradient of the weight
 * ```
 */
export function denseGrad<T extends FloatArray>(options: DenseGradOptions<T>): { dz: T; dbias: T } {
  const { dz, dbias } = call(denseGradSignature, options) as Record<string, T>;
  return { dz: dz!, dbias: dbias! };
}
