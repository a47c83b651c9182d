// Rows by their numbers: how mini-batches are taken from a data set.
import { dtypeError, shapeError } from "../errors.js";
import { apply1, defineOp } from "../op.js";
import { checkOptions, oneOf } from "../options.js";
import { bytesOf, checkTensor, dtypes, type DType, type Shape, type Spec, type Tensor } from "../tensor.js";
import { cast } from "./cast.js";
import { float, indices } from "./samples.js";
import { floatType, notes } from "./shapes.js";

function checkIndices(where: string, labels: readonly string[], operands: readonly Spec[]): void {
  const [rows, index] = operands as [Spec, Spec];
  if (index.dtype !== "int32") throw dtypeError(where, "indices must be int32", notes(labels, operands));
  if (index.shape.length !== 1 || rows.shape.length === 0)
    throw shapeError(where, `expected rows [n, ...] and indices [k]`, notes(labels, operands));
}

const labels = ["source", "indices"];

/** The name of a source with a row for each class, whose indices are labels. */
export const classTable = "classes";

const record = defineOp<{ readonly dtype: DType }>({
  name: "gather",
  operands: labels,
  attrs: { dtype: dtypes },
  shape: (operands, { dtype }) => {
    checkIndices("gather", labels, operands);
    return [{ shape: operands[0]!.shape.with(0, operands[1]!.shape[0]!), dtype }];
  },
  vjp: ({ operands: [source, index], needs }, [dout]) => [
    needs[0] ? cast(apply1(gradRecord, [dout!, index!], { rows: source!.shape[0]! }), source!.dtype) : undefined,
  ],
  indexes: {
    operand: 1,
    kind: ([source]) => (source!.name === classTable ? "classes" : "rows"),
    count: ([source]) => source!.shape[0]!,
  },
  bytesRead: ([source, index], [output]) => bytesOf({ ...output!, dtype: source!.dtype }) + bytesOf(index!),
  samples: () => {
    const cases: [Shape, number][] = [
      [[1], 1],
      [[5], 7],
      [[4, 3], 0],
      [[4, 3], 6],
      [[9, 17], 5],
      [[6, 2, 33], 9],
    ]; // prettier-ignore
    return cases.flatMap(([shape, count]) => {
      const index = indices(count, shape[0]!);
      return [
        { operands: [float(shape), index], attrs: { dtype: "float32" } },
        { operands: [{ shape, dtype: "uint8", below: 256 }, index], attrs: { dtype: "float32" } },
        { operands: [{ shape, dtype: "int32", below: 9 }, index], attrs: { dtype: "int32" } },
      ] as const; // prettier-ignore
    });
  },
});

const gradLabels = ["dout", "indices"];

const gradRecord = defineOp<{ readonly rows: number }>({
  name: "gatherGrad",
  operands: gradLabels,
  attrs: { rows: "number" },
  shape: (operands, { rows }) => {
    checkIndices("gatherGrad", gradLabels, operands);
    const [dout, index] = operands as [Spec, Spec];
    if (dout.shape[0] !== index.shape[0])
      throw shapeError("gatherGrad", "there must be as many rows as indices", notes(gradLabels, operands));
    return [{ shape: dout.shape.with(0, rows), dtype: floatType("gatherGrad", gradLabels, [dout]) }];
  },
  vjp: ({ operands: [, index] }, [ddsource]) => [gather(ddsource!, index!)],
  indexes: { operand: 1, kind: "rows", count: (_, { rows }) => rows },
  samples: () => {
    const cases: [Shape, number][] = [
      [[1], 1],
      [[7], 5],
      [[0, 3], 4],
      [[6, 3], 4],
      [[5, 17], 2],
      [[9, 2, 33], 6],
    ]; // prettier-ignore
    return cases.map(([shape, rows]) => ({ operands: [float(shape), indices(shape[0]!, rows)], attrs: { rows } }));
  },
});

/**
 * The rows `source[indices[0]], source[indices[1]], …`.
 *
 * @param source - `[n, ...]`, of any dtype
 * @param index - int32 `[k]`; a row may occur more than once, and then the gradients to it add up
 * @param options - `dtype` to convert to on the way, such as uint8 pixels to float32; the default is the source's
 * @returns `[k, ...]`
 * @throws ShapeError or DTypeError when they do not fit together; IndexError for an index that is out of range
 *
 * @example
 * ```ts
 * const pixels = tensor(new Uint8Array([0, 255, 128, 64]), { shape: [2, 2] });
 * gather(pixels, tensor([1, 0], { dtype: "int32" }), { dtype: "float32" }).data(); // [128, 64, 0, 255]
 * ```
 */
export function gather(source: Tensor, index: Tensor, options: { readonly dtype?: DType } = {}): Tensor {
  checkTensor("gather", "source", source);
  checkOptions("gather", options, ["dtype"]);
  return apply1(record, [source, index], { dtype: oneOf("gather", "dtype", options.dtype ?? source.dtype, dtypes) });
}
