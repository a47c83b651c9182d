// Ops that copy numbers to other places: broadcastTo, transpose, slice, pad, concat. For any dtype.
import { dtypeError, formatShape, shapeError } from "../errors.js";
import { apply1, defineOp } from "../op.js";
import { isArray, integers, wrongValue } from "../options.js";
import { checkTensor, type Shape, type Tensor } from "../tensor.js";
import { sumTo } from "./reduce.js";
import { float } from "./samples.js";
import { notes, resolveAxis, sameShape } from "./shapes.js";

const broadcastToRecord = defineOp<{ readonly shape: Shape }>({
  name: "broadcastTo",
  operands: ["input"],
  attrs: { shape: "integers" },
  shape: ([input], { shape }) => {
    const lead = shape.length - input!.shape.length;
    if (lead < 0 || input!.shape.some((dim, d) => dim !== 1 && dim !== shape[lead + d]))
      throw shapeError(
        "broadcastTo",
        `expected dimensions that, aligned at the right, are 1 or those of ${formatShape(shape)}`,
        notes(["input"], [input!]),
      );
    return [{ shape, dtype: input!.dtype }];
  },
  vjp: ({ operands: [x] }, [dout]) => [sumTo(dout!, x!.shape)],
  samples: () => {
    const cases: [Shape, Shape][] = [
      [[], []],
      [[], [2, 3]],
      [[3], [2, 3]],
      [[17], [5, 17]],
      [[2, 1], [2, 33]],
      [[1, 3, 1], [2, 3, 4]],
      [[1], [0]],
      [[0, 1], [4, 0, 2]],
      [[2, 1, 2, 1, 2, 1], [2, 3, 2, 3, 2, 3]],
    ]; // prettier-ignore
    return cases.map(([from, shape]) => ({ operands: [float(from)], attrs: { shape } }));
  },
});

const transposeRecord = defineOp<{ readonly perm: readonly number[] }>({
  name: "transpose",
  operands: ["input"],
  attrs: { perm: "integers" },
  shape: ([input], { perm }) => [{ shape: perm.map((d) => input!.shape[d]!), dtype: input!.dtype }],
  vjp: ({ attrs: { perm } }, [dout]) => [transpose(dout!, perm.map((_, d) => perm.indexOf(d)))], // prettier-ignore
  samples: () => {
    const cases: [Shape, readonly number[]][] = [
      [[], []],
      [[5], [0]],
      [[1, 1], [1, 0]],
      [[3, 5], [1, 0]],
      [[3, 5], [0, 1]],
      [[17, 33], [1, 0]],
      [[2, 3, 4], [2, 0, 1]],
      [[2, 3, 4], [1, 2, 0]],
      [[2, 3, 4], [0, 2, 1]],
      [[3, 0, 2], [2, 1, 0]],
      [[2, 1, 3, 2, 1, 2], [5, 3, 1, 0, 2, 4]],
    ]; // prettier-ignore
    return cases.map(([shape, perm]) => ({ operands: [float(shape)], attrs: { perm } }));
  },
});

const sliceRecord = defineOp<{ readonly begin: readonly number[]; readonly size: Shape }>({
  name: "slice",
  operands: ["input"],
  attrs: { begin: "integers", size: "integers" },
  shape: ([input], { begin, size }) => {
    const { shape, dtype } = input!;
    if (begin.length !== shape.length || size.length !== shape.length)
      throw shapeError(
        "slice",
        `begin and size need one value per dimension, but received ${formatShape(begin)} and ${formatShape(size)}`,
        notes(["input"], [input!]),
      );
    const outside = shape.findIndex((dim, d) => !inside(begin[d]!, size[d]!, dim));
    if (outside >= 0)
      throw shapeError(
        "slice",
        `${size[outside]} elements from ${begin[outside]} do not lie inside dimension ${outside}, which has ${shape[outside]}`,
        notes(["input"], [input!]),
      );
    return [{ shape: size, dtype }];
  },
  vjp: ({ operands: [x], attrs: { begin } }, [dout]) => [pad(dout!, begin, x!.shape)],
  samples: () => blockSamples().map(([outer, begin, size]) => ({ operands: [float(outer)], attrs: { begin, size } })),
});

const padRecord = defineOp<{ readonly begin: readonly number[]; readonly shape: Shape }>({
  name: "pad",
  operands: ["input"],
  attrs: { begin: "integers", shape: "integers" },
  shape: ([input], { begin, shape }) => {
    const inner = input!.shape;
    if (
      begin.length !== inner.length ||
      shape.length !== inner.length ||
      !inner.every((dim, d) => inside(begin[d]!, dim, shape[d]!))
    )
      throw shapeError(
        "pad",
        `the input does not lie inside ${formatShape(shape)} from ${formatShape(begin)} on`,
        notes(["input"], [input!]),
      );
    return [{ shape, dtype: input!.dtype }];
  },
  vjp: ({ operands: [x], attrs: { begin } }, [dout]) => [slice(dout!, begin, x!.shape)],
  samples: () => blockSamples().map(([shape, begin, size]) => ({ operands: [float(size)], attrs: { begin, shape } })),
});

function inside(begin: number, size: number, dim: number): boolean {
  return Number.isInteger(begin) && Number.isInteger(size) && begin >= 0 && size >= 0 && begin + size <= dim;
}

/** Whole, where the block in it begins, and the block's shape. */
function blockSamples(): [Shape, readonly number[], Shape][] {
  return [
    [[], [], []],
    [[5], [1], [3]],
    [[5], [5], [0]],
    [[67], [0], [67]],
    [[4, 6], [1, 2], [2, 3]],
    [[9, 33], [2, 1], [5, 17]],
    [[3, 4, 5], [1, 0, 2], [1, 4, 3]],
    [[0, 3], [0, 1], [0, 2]],
    [[2, 3, 2, 3, 2, 3], [0, 1, 0, 1, 0, 1], [2, 2, 1, 1, 2, 2]],
  ]; // prettier-ignore
}

const maxOperands = 64; // as native/ops.inc has it

const concatRecord = defineOp<{ readonly axis: number }>({
  name: "concat",
  operands: ["...inputs"],
  attrs: { axis: "number" },
  shape: (operands, { axis }) => {
    const { shape, dtype } = operands[0]!;
    const labels = operands.map((_, i) => `inputs[${i}]`);
    if (operands.some((operand) => operand.dtype !== dtype))
      throw dtypeError("concat", "expected tensors of one dtype; convert with cast()", notes(labels, operands));
    if (!operands.every((operand) => sameShape(operand.shape.with(axis, 0), shape.with(axis, 0))))
      throw shapeError("concat", `all dimensions but ${axis} must be equal`, notes(labels, operands));
    return [{ shape: shape.with(axis, operands.reduce((total, operand) => total + operand.shape[axis]!, 0)), dtype }]; // prettier-ignore
  },
  vjp: ({ operands, attrs: { axis }, needs }, [dout]) => {
    let at = 0;
    return operands.map(({ shape }, i) => {
      const begin = shape.map((_, d) => (d === axis ? at : 0));
      at += shape[axis]!;
      return needs[i] ? slice(dout!, begin, shape) : undefined;
    });
  },
  samples: () => {
    const cases: [number, ...Shape[]][] = [
      [0, [5]],
      [0, [2], [3]],
      [0, [33], [0], [17]],
      [0, [2, 3], [1, 3], [4, 3]],
      [1, [2, 3], [2, 1], [2, 17]],
      [1, [2, 1, 3], [2, 2, 3]],
      [2, [2, 3, 0], [2, 3, 5]],
      [1, [0, 1], [0, 2]],
    ];
    return cases.map(([axis, ...shapes]) => ({ operands: shapes.map((shape) => float(shape)), attrs: { axis } }));
  },
});

/**
 * `x` repeated along dimensions that are 1 or missing in front until it has `shape`.
 *
 * @throws ShapeError when a dimension is neither 1 nor the wanted one
 *
 * @example
 * ```ts
 * broadcastTo(tensor([1, 2]), [2, 2]).data(); // [1, 2, 1, 2]
 * ```
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkTensor("broadcastTo", "x", x);
  return sameShape(x.shape, integers("broadcastTo", "shape", shape)) ? x : apply1(broadcastToRecord, [x], { shape });
}

/**
 * `x` with its dimensions in another order: dimension d of the result is dimension `perm[d]` of `x`.
 *
 * @param perm - each dimension once; they are reversed when absent
 * @throws OptionError when `perm` does not name each dimension once
 *
 * @example
 * ```ts
 * transpose(tensor([[1, 2, 3], [4, 5, 6]])).data(); // [1, 4, 2, 5, 3, 6]
 * ```
 */
export function transpose(x: Tensor, perm?: readonly number[]): Tensor {
  checkTensor("transpose", "x", x);
  perm ??= x.shape.map((_, d) => x.rank - 1 - d);
  if (integers("transpose", "perm", perm).length !== x.rank || !x.shape.every((_, d) => perm.includes(d)))
    throw wrongValue("transpose", "perm", `each of the ${x.rank} dimensions once`, perm);
  return apply1(transposeRecord, [x], { perm });
}

/**
 * The block of `size` elements per dimension that starts at the indices `begin`.
 *
 * @param size - -1 stands for all that follow `begin`
 * @throws ShapeError when the block does not lie inside `x`
 *
 * @example
 * ```ts
 * slice(tensor([[1, 2, 3], [4, 5, 6]]), [0, 1], [-1, 2]).data(); // [2, 3, 5, 6]
 * ```
 */
export function slice(x: Tensor, begin: readonly number[], size: Shape): Tensor {
  checkTensor("slice", "x", x);
  integers("slice", "begin", begin);
  return apply1(sliceRecord, [x], {
    begin,
    size: integers("slice", "size", size).map((count, d) => (count === -1 ? x.shape[d]! - begin[d]! : count)),
  });
}

/**
 * Zeros of `shape` with `x` at the indices `begin`.
 *
 * @throws ShapeError when `x` does not lie inside the shape
 *
 * @example
 * ```ts
 * pad(tensor([1, 2]), [1], [4]).data(); // [0, 1, 2, 0]
 * ```
 */
export function pad(x: Tensor, begin: readonly number[], shape: Shape): Tensor {
  return apply1(padRecord, [x], { begin, shape });
}

/**
 * Tensors one after the other along `axis`. They must agree in dtype and in all other dimensions.
 *
 * @param axis - the default is 0; negative ones count from the back
 * @throws ShapeError or DTypeError when they do not fit together; OptionError for an axis they have not got, or for an empty list
 *
 * @example
 * ```ts
 * concat([tensor([[1], [2]]), tensor([[3], [4]])], 1).data(); // [1, 3, 2, 4]
 * ```
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  if (!isArray(tensors) || tensors.length === 0) throw wrongValue("concat", "tensors", "at least one tensor", tensors);
  const labels = tensors.map((_, i) => `inputs[${i}]`);
  for (let i = 0; i < tensors.length; i++) checkTensor("concat", `inputs[${i}]`, tensors[i]); // holes, too
  const first = tensors[0]!;
  if (tensors.some(({ rank }) => rank !== first.rank))
    throw shapeError("concat", "expected tensors of one rank", notes(labels, tensors));
  const attrs = { axis: resolveAxis("concat", "axis", axis, first.rank) };
  let parts = tensors;
  while (parts.length > maxOperands)
    parts = Array.from({ length: Math.ceil(parts.length / maxOperands) }, (_, i) => apply1(concatRecord, parts.slice(i * maxOperands, (i + 1) * maxOperands), attrs)); // prettier-ignore
  return apply1(concatRecord, parts, attrs);
}
