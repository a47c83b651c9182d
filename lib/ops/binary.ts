// Arithmetic of two tensors, element by element, broadcast to a common shape. Comparisons are comparison.ts.
import { shapeError } from "../errors.js";
import { apply1, defineOp, type Op } from "../op.js";
import type { Spec, Tensor } from "../tensor.js";
import { equal, greater, greaterEqual } from "./comparison.js";
import { applyPair, type NoAttrs, type Operand } from "./constant.js";
import { sumTo } from "./reduce.js";
import { broadcastShapes, float } from "./samples.js";
import { broadcastShape, floatType, notes, sameShape } from "./shapes.js";
import { log, neg } from "./unary.js";

type Gradient = (dout: Tensor, a: Tensor, b: Tensor, output: Tensor) => Tensor;
type Range = readonly [number, number];

const labels = ["a", "b"];

/** `da` and `db` have the output's shape; the sum over what was broadcast is taken here. */
function binary(name: string, da: Gradient, db: Gradient, rangeA?: Range, rangeB?: Range): Op<NoAttrs> {
  return defineOp<NoAttrs>({
    name,
    operands: labels,
    attrs: {},
    shape: (operands) => [{ dtype: floatType(name, labels, operands), shape: broadcastShape(name, labels, operands) }],
    vjp: ({ operands: [a, b], outputs: [output], needs }, [dout]) => [
      needs[0] ? sumTo(da(dout!, a!, b!, output!), a!.shape) : undefined,
      needs[1] ? sumTo(db(dout!, a!, b!, output!), b!.shape) : undefined,
    ],
    inPlace: [0, 1],
    samples: () => broadcastShapes.map(([a, b]) => ({ operands: [float(a, rangeA), float(b, rangeB)], attrs: {} })),
  });
}

/** dout where `a` is the larger, half of it where they are equal. */
function larger(dout: Tensor, a: Tensor, b: Tensor): Tensor {
  return mul(dout, mul(add(greater(a, b), greaterEqual(a, b)), 0.5));
}

const positive: Range = [0.5, 2];

const records = {
  add: binary("add", (dout) => dout, (dout) => dout), // prettier-ignore
  sub: binary("sub", (dout) => dout, (dout) => neg(dout)), // prettier-ignore
  mul: binary("mul", (dout, _, b) => mul(dout, b), (dout, a) => mul(dout, a)), // prettier-ignore
  div: binary("div", (dout, _, b) => div(dout, b), (dout, _, b, y) => neg(mul(dout, div(y, b))), undefined, positive), // prettier-ignore
  // b aᵇ⁻¹ and aᵇ ln a. Adding 1 where the factor in front is 0 keeps 0⁻¹ and ln 0 out, whose product with it would be NaN.
  pow: binary(
    "pow",
    (dout, a, b) => mul(dout, mul(b, pow(a, add(sub(b, 1), equal(b, 0))))),
    (dout, a, _, y) => mul(dout, mul(y, log(add(a, equal(a, 0))))),
    positive,
  ),
  maximum: binary("maximum", (dout, a, b) => larger(dout, a, b), (dout, a, b) => larger(dout, b, a)), // prettier-ignore
  minimum: binary("minimum", (dout, a, b) => larger(dout, b, a), (dout, a, b) => larger(dout, a, b)), // prettier-ignore
};

const scaledLabels = ["a", "b", "scale"];

const addScaledRecord = defineOp<NoAttrs>({
  name: "addScaled",
  operands: scaledLabels,
  attrs: {},
  shape: (operands) => {
    const dtype = floatType("addScaled", scaledLabels, operands);
    const [a, b, scale] = operands as [Spec, Spec, Spec];
    if (!sameShape(a.shape, b.shape) || scale.shape.length > 0)
      throw shapeError("addScaled", "a and b must have one shape, and scale must be a scalar", notes(scaledLabels, operands)); // prettier-ignore
    return [{ shape: a.shape, dtype }];
  },
  vjp: ({ operands: [, b, scale], needs }, [dout]) => [
    dout,
    needs[1] ? mul(dout!, scale!) : undefined,
    needs[2] ? sumTo(mul(dout!, b!), []) : undefined,
  ],
  inPlace: [0, 1],
  samples: () =>
    [[], [0], [1], [7], [3, 17], [2, 3, 5]].map((shape) => ({
      operands: [float(shape), float(shape), float([])],
      attrs: {},
    })),
});

/**
 * `a + b`.
 *
 * Operands of all functions in this group are floating-point tensors of one dtype whose shapes broadcast as in NumPy (dimensions aligned at the
 * right must be equal or 1), or a tensor and a number.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are integers
 *
 * @example
 * ```ts
 * add(tensor([[1], [2]]), tensor([10, 20])).data(); // [11, 21, 12, 22]
 * add(tensor([1, 2]), 5).data();                    // [6, 7]
 * ```
 */
export function add(a: Operand, b: Operand): Tensor {
  return applyPair(records.add, a, b);
}

/**
 * `a - b`, with operands as for {@link add}.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are integers
 *
 * @example
 * ```ts
 * sub(1, tensor([0.25, 1])).data(); // [0.75, 0]
 * ```
 */
export function sub(a: Operand, b: Operand): Tensor {
  return applyPair(records.sub, a, b);
}

/**
 * `a b`, element by element, with operands as for {@link add}. The matrix product is {@link matmul}.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are integers
 *
 * @example
 * ```ts
 * mul(tensor([1, 2]), tensor([3, 4])).data(); // [3, 8]
 * ```
 */
export function mul(a: Operand, b: Operand): Tensor {
  return applyPair(records.mul, a, b);
}

/**
 * `a / b`, with operands as for {@link add}. Division by 0 gives ±∞, or NaN for 0 / 0.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are integers
 *
 * @example
 * ```ts
 * div(tensor([3, 4]), 2).data(); // [1.5, 2]
 * ```
 */
export function div(a: Operand, b: Operand): Tensor {
  return applyPair(records.div, a, b);
}

/**
 * `aᵇ`, with operands as for {@link add}. NaN where `a` is negative and `b` no integer. Where `a` is 0, the gradient to `b` is 0; where `b` is 0,
 * the one to `a` is.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are integers
 *
 * @example
 * ```ts
 * pow(tensor([2, 3]), 3).data(); // [8, 27]
 * ```
 */
export function pow(a: Operand, b: Operand): Tensor {
  return applyPair(records.pow, a, b);
}

/**
 * The larger of `a` and `b`, with operands as for {@link add}; NaN if either is. Where they are equal, each gets half the gradient.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are integers
 *
 * @example
 * ```ts
 * maximum(tensor([1, 5]), tensor([3, 2])).data(); // [3, 5]
 * ```
 */
export function maximum(a: Operand, b: Operand): Tensor {
  return applyPair(records.maximum, a, b);
}

/**
 * The smaller of `a` and `b`, with operands as for {@link add}; NaN if either is. Where they are equal, each gets half the gradient.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are integers
 *
 * @example
 * ```ts
 * minimum(tensor([1, 5]), 3).data(); // [1, 3]
 * ```
 */
export function minimum(a: Operand, b: Operand): Tensor {
  return applyPair(records.minimum, a, b);
}

/**
 * `a + scale · b` in one pass.
 *
 * @param scale - a scalar tensor
 * @throws ShapeError unless `a` and `b` have one shape and `scale` none; DTypeError unless all are floating-point of one dtype
 *
 * @example
 * ```ts
 * addScaled(tensor([1, 2]), tensor([10, 20]), tensor(0.5)).data(); // [6, 12]
 * ```
 */
export function addScaled(a: Tensor, b: Tensor, scale: Tensor): Tensor {
  return apply1(addScaledRecord, [a, b, scale], {});
}
