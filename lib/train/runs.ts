// Where the steps of a pass get their examples from: rows gathered natively out of a dataset, or batches handed in one by one.
import type { Dataset } from "../data/dataset.js";
import { SimdnnError } from "../errors.js";
import { cast } from "../ops/cast.js";
import { gather } from "../ops/gather.js";
import { isFloat, zeros, type DType, type Tensor, type TypedArray } from "../tensor.js";

/** Some examples. */
export interface Batch {
  readonly inputs: Tensor;
  readonly targets: Tensor;
  /** `[m]`; undefined where all examples count alike. */
  readonly weights: Tensor | undefined;
}

/** Steps that are all alike, to be run one after the other. */
export interface Run {
  /** Runs with the same key and the same tensors behind them can use one recording. */
  readonly key: string;
  /** Examples per step. */
  readonly size: number;
  readonly steps: number;
  /** What each step is fed: the values of every step, one after the other, for each of the tensors that `record` names. */
  readonly feeds: readonly TypedArray[];
  /** Records how a batch, its numbers as `dtype`, is made of what is fed. */
  readonly record: (dtype: DType) => { readonly fed: readonly Tensor[]; readonly batch: Batch };
  /** The row in its dataset of an example, counted from the start of the run. */
  readonly rowOf?: (example: number) => number;
}

/** A step of its own, or why it cannot be made: a number of its batch is not finite. */
export type Step = Run | SimdnnError<"NonFiniteError">;

export const targetsName = "targets";

type Examples = Pick<Dataset, "inputs" | "targets" | "sampleWeights">;

/** The steps over `rows` of `data` in order, the last one being what is left over. */
export function* rowRuns(data: Examples, rows: Int32Array, batchSize: number): Generator<Run> {
  const whole = rows.length - (rows.length % batchSize);
  for (const [part, size] of [
    [rows.subarray(0, whole), batchSize],
    [rows.subarray(whole), rows.length - whole],
  ] as const)
    // prettier-ignore
    if (part.length > 0)
      yield {
        key: `rows ${size}`,
        size,
        steps: part.length / size,
        feeds: [part],
        record: (dtype) => gathered(data, size, dtype),
        rowOf: (example) => part[example]!,
      };
}

function gathered(data: Examples, size: number, dtype: DType): ReturnType<Run["record"]> {
  const indices = zeros({ shape: [size], dtype: "int32" }, { name: "batch rows" });
  return { fed: [indices], batch: batchOf(data, indices, dtype) };
}

/** The examples in rows `indices` of `data`, their numbers as `dtype`. */
export function batchOf({ inputs, targets, sampleWeights }: Examples, indices: Tensor, dtype: DType): Batch {
  return named({
    inputs: gather(inputs, indices, { dtype }),
    targets: gather(targets, indices, { dtype: targetType(targets, dtype) }),
    weights: sampleWeights && gather(sampleWeights, indices, { dtype }),
  });
}

/** One step over a batch that was read. */
export function batchStep(batch: Dataset | SimdnnError<"NonFiniteError">): Step {
  return batch instanceof SimdnnError ? batch : batchRun(batch);
}

/** One step over all of `data`, whose tensors need not outlive it. */
function batchRun({ inputs, targets, sampleWeights }: Examples): Run {
  const given = [inputs, targets, ...(sampleWeights ? [sampleWeights] : [])];
  return {
    key: `batch ${given.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join()}`,
    size: inputs.shape[0]!,
    steps: 1,
    feeds: given.map((tensor) => tensor.read()),
    record: (dtype) => {
      const fed = given.map((tensor) => zeros(tensor, { name: tensor.name }));
      const [x, y, weights] = fed as [Tensor, Tensor, Tensor | undefined];
      return {
        fed,
        batch: named({
          inputs: as(x, dtype),
          targets: as(y, targetType(y, dtype)),
          weights: weights && as(weights, dtype),
        }),
      };
    },
  };
}

function named(batch: Batch): Batch {
  batch.inputs.name = "model.input";
  batch.targets.name = targetsName;
  return batch;
}

function as(tensor: Tensor, dtype: DType): Tensor {
  return tensor.dtype === dtype ? tensor : cast(tensor, dtype);
}

function targetType(targets: Tensor, dtype: DType): DType {
  return isFloat(targets.dtype) ? dtype : "int32";
}
