// Raw kernels of networks: softmax, batch normalisation, dropout and losses. Signatures and their words only; call.ts does the work.
import { types } from "node:util";
import "../ops/index.js";
import { fraction, nonNegativeInteger, positiveNumber } from "../options.js";
import { array, call, int32, scalar, type FloatArray, type Signature, type Sizes, type ThreadOptions } from "./call.js";

const matrix = array(({ rows, columns }) => [rows!, columns!]);
const perColumn = array(({ columns }) => [columns!]);

/** Rows of features, row by row without gaps. */
export interface RowsOptions extends ThreadOptions {
  readonly rows: number;
  /** At least 1. */
  readonly columns: number;
}

/** What {@link softmax} and {@link logSoftmax} take. */
export interface SoftmaxOptions<T extends FloatArray> extends RowsOptions {
  /** `[rows, columns]` */
  readonly input: T;
  /** `[rows, columns]`, may be `input`; a new array when absent. */
  readonly out?: T;
}

function rowwise(name: string): Signature {
  return { name, sizes: ["rows", "columns"], operands: { input: matrix }, outputs: ["out"] };
}

/**
 * `eˣ / Σ eˣ` over each row, without overflow.
 *
 * @returns out, `[rows, columns]`
 * @throws as {@link gemm}
 *
 * @example
 * ```ts
 * softmax({ rows: 1, columns: 2, input: Float32Array.of(7, 7) }); // [0.5, 0.5]
 * ```
 */
export function softmax<T extends FloatArray>(options: SoftmaxOptions<T>): T {
  return call(rowwise("softmax"), options).out as T;
}

/** `x - ln Σ eˣ` over each row, otherwise as {@link softmax}. */
export function logSoftmax<T extends FloatArray>(options: SoftmaxOptions<T>): T {
  return call(rowwise("logSoftmax"), options).out as T;
}

/** What {@link batchNorm} takes. */
export interface BatchNormOptions<T extends FloatArray> extends RowsOptions {
  /** `[rows, columns]`, at least two rows. */
  readonly input: T;
  /** `[columns]` */
  readonly gamma: T;
  /** `[columns]` */
  readonly beta: T;
  /** `[columns]`, changed in place. */
  readonly runningMean: T;
  /** `[columns]`, changed in place. */
  readonly runningVariance: T;
  /** Share of the old running averages that is kept, in [0, 1). Default: 0.9. */
  readonly momentum?: number;
  /** Default: 1e-5. */
  readonly epsilon?: number;
  /** `[rows, columns]`; a new array when absent, like the next two. */
  readonly output?: T;
  /** `[columns]` */
  readonly mean?: T;
  /** `[columns]` */
  readonly inverseDeviation?: T;
}

const batchNormSignature: Signature = {
  name: "batchNorm",
  sizes: ["rows", "columns"],
  operands: { input: matrix, gamma: perColumn, beta: perColumn, runningMean: perColumn, runningVariance: perColumn },
  attrs: { momentum: [fraction, 0.9], epsilon: [positiveNumber, 1e-5] },
  outputs: ["output", "mean", "inverseDeviation"],
};

/**
 * Batch normalisation in training: with μ and σ² of each column, `output = gamma (input - μ) / √(σ² + epsilon) + beta`, and
 * `running = momentum · running + (1 - momentum) · batch` for μ and the unbiased σ².
 *
 * @returns output, and mean and 1 / √(σ² + epsilon), which {@link batchNormGrad} needs
 * @throws as {@link gemm}
 *
 * @example
 * ```ts
 * const one = Float32Array.of(1), zero = Float32Array.of(0);
 * const { mean } = batchNorm({
 *   rows: 2, columns: 1, input: Float32Array.of(1, 3),
 *   gamma: one, beta: zero, runningMean: Float32Array.of(0), runningVariance: Float32Array.of(1),
 * });
 * mean; // [2]
 * ```
 */
export function batchNorm<T extends FloatArray>(
  options: BatchNormOptions<T>,
): { output: T; mean: T; inverseDeviation: T } {
  const { output, mean, inverseDeviation } = call(batchNormSignature, options) as Record<string, T>;
  return { output: output!, mean: mean!, inverseDeviation: inverseDeviation! };
}

/** What {@link batchNormInference} takes. */
export interface BatchNormInferenceOptions<T extends FloatArray> extends RowsOptions {
  /** `[rows, columns]` */
  readonly input: T;
  /** `[columns]`, like the next three. */
  readonly gamma: T;
  readonly beta: T;
  readonly mean: T;
  readonly variance: T;
  /** Default: 1e-5. */
  readonly epsilon?: number;
  /** `[rows, columns]`, may be `input`; a new array when absent. */
  readonly out?: T;
}

const batchNormInferenceSignature: Signature = {
  name: "batchNormInference",
  sizes: ["rows", "columns"],
  operands: { input: matrix, gamma: perColumn, beta: perColumn, mean: perColumn, variance: perColumn },
  attrs: { epsilon: [positiveNumber, 1e-5] },
  outputs: ["out"],
};

/**
 * Batch normalisation with given averages: `gamma (input - mean) / √(variance + epsilon) + beta`.
 *
 * @returns out, `[rows, columns]`
 * @throws as {@link gemm}
 */
export function batchNormInference<T extends FloatArray>(options: BatchNormInferenceOptions<T>): T {
  return call(batchNormInferenceSignature, options).out as T;
}

/** What {@link batchNormGrad} takes. */
export interface BatchNormGradOptions<T extends FloatArray> extends RowsOptions {
  /** Gradient of the output, `[rows, columns]`. */
  readonly dout: T;
  /** What {@link batchNorm} was given, `[rows, columns]`. */
  readonly input: T;
  /** `[columns]`, like the next two. */
  readonly gamma: T;
  /** What {@link batchNorm} returned, like the next. */
  readonly mean: T;
  readonly inverseDeviation: T;
  /** `[rows, columns]`, may be `dout`; a new array when absent, like the next two. */
  readonly dinput?: T;
  /** `[columns]` */
  readonly dgamma?: T;
  /** `[columns]` */
  readonly dbeta?: T;
}

const batchNormGradSignature: Signature = {
  name: "batchNormGrad",
  sizes: ["rows", "columns"],
  operands: { dout: matrix, input: matrix, gamma: perColumn, mean: perColumn, inverseDeviation: perColumn },
  outputs: ["dinput", "dgamma", "dbeta"],
};

/**
 * Gradients of {@link batchNorm}. With x̂ = (input - mean) inverseDeviation and m rows: `dbeta = Σ dout`, `dgamma = Σ dout x̂`,
 * `dinput = gamma inverseDeviation (dout - dbeta/m - x̂ dgamma/m)`.
 *
 * @throws as {@link gemm}
 */
export function batchNormGrad<T extends FloatArray>(
  options: BatchNormGradOptions<T>,
): { dinput: T; dgamma: T; dbeta: T } {
  const { dinput, dgamma, dbeta } = call(batchNormGradSignature, options) as Record<string, T>;
  return { dinput: dinput!, dgamma: dgamma!, dbeta: dbeta! };
}

/** What {@link dropout} takes. */
export interface DropoutOptions<T extends FloatArray> extends ThreadOptions {
  /** `[n]` */
  readonly input: T;
  /** Share of elements that are dropped, in [0, 1). */
  readonly rate: number;
  /** An integer >= 0. */
  readonly seed: number;
  /** Which of the seed's streams, below 2^31. Default: 0. */
  readonly stream?: number;
  /** Another step, below 2^31, gives another mask. Default: 0. */
  readonly step?: number;
  /** `[n]`, may be `input`; a new array when absent. */
  readonly out?: T;
}

const dropoutSignature: Signature = {
  name: "dropout",
  operands: { input: array((_, { length }) => [length]), step: scalar(int32, 0, "int32") },
  attrs: { rate: [fraction], seed: [nonNegativeInteger], stream: [int32, 0] },
  outputs: ["out"],
};

/**
 * Inverted dropout: each element becomes 0 with probability `rate`, or else is multiplied by `1 / (1 - rate)`. Which ones depends on seed, stream,
 * step and position alone, so the same call on a gradient is the gradient.
 *
 * @returns out, `[n]`
 * @throws as {@link gemm}
 *
 * @example
 * ```ts
 * dropout({ input: Float32Array.of(1, 1, 1, 1), rate: 0.5, seed: 1 }); // zeros and twos
 * ```
 */
export function dropout<T extends FloatArray>(options: DropoutOptions<T>): T {
  return call(dropoutSignature, options).out as T;
}

/** What {@link softmaxCrossEntropy} takes. */
export interface SoftmaxCrossEntropyOptions<T extends FloatArray> extends ThreadOptions {
  readonly rows: number;
  /** At least 1. */
  readonly classes: number;
  /** `[rows, classes]` */
  readonly logits: T;
  /** Class numbers `[rows]`, or probabilities `[rows, classes]`. */
  readonly labels: Int32Array | T;
  /** `[rows]`; a new array when absent, like the next. */
  readonly loss?: T;
  /** `[rows, classes]` */
  readonly probabilities?: T;
}

const scores = array(({ rows, classes }) => [rows!, classes!]);
const perRow = array(({ rows }) => [rows!]);
const labels = array(({ rows, classes }: Sizes, values) => (types.isInt32Array(values) ? [rows!] : [rows!, classes!]), {
  integers: "taken",
});

const softmaxCrossEntropySignature: Signature = {
  name: "softmaxCrossEntropy",
  sizes: ["rows", "classes"],
  operands: { logits: scores, labels },
  outputs: ["loss", "probabilities"],
};

/**
 * Softmax and cross-entropy in one go: `probabilities = softmax(logits)` and per row `loss = -Σ label · ln probability`.
 *
 * @throws IndexError for a class number that is not below `classes`; otherwise as {@link gemm}
 *
 * @example
 * ```ts
 * softmaxCrossEntropy({ rows: 1, classes: 2, logits: Float32Array.of(0, 0), labels: Int32Array.of(1) }).loss; // [0.693…]
 * ```
 */
export function softmaxCrossEntropy<T extends FloatArray>(
  options: SoftmaxCrossEntropyOptions<T>,
): { loss: T; probabilities: T } {
  const { loss, probabilities } = call(softmaxCrossEntropySignature, options) as Record<string, T>;
  return { loss: loss!, probabilities: probabilities! };
}

/** What {@link softmaxCrossEntropyGrad} takes. */
export interface SoftmaxCrossEntropyGradOptions<T extends FloatArray> extends ThreadOptions {
  readonly rows: number;
  /** At least 1. */
  readonly classes: number;
  /** Gradient of the losses, `[rows]`: 1 / rows each for that of their mean. */
  readonly dloss: T;
  /** What {@link softmaxCrossEntropy} returned, `[rows, classes]`. */
  readonly probabilities: T;
  /** As given to {@link softmaxCrossEntropy}. */
  readonly labels: Int32Array | T;
  /** `[rows, classes]`, may be `probabilities`; a new array when absent. */
  readonly out?: T;
}

const softmaxCrossEntropyGradSignature: Signature = {
  name: "softmaxCrossEntropyGrad",
  sizes: ["rows", "classes"],
  operands: { dloss: perRow, probabilities: scores, labels },
  outputs: ["out"],
};

/**
 * Gradient of {@link softmaxCrossEntropy} with respect to the logits: `dloss · (probabilities - labels)`.
 *
 * @returns out, `[rows, classes]`
 * @throws as {@link softmaxCrossEntropy}
 */
export function softmaxCrossEntropyGrad<T extends FloatArray>(options: SoftmaxCrossEntropyGradOptions<T>): T {
  return call(softmaxCrossEntropyGradSignature, options).out as T;
}
