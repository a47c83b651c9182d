// Numbers as operands of ops.
import { dtypeError } from "../errors.js";
import { apply1, type Op } from "../op.js";
import { isFloat, Tensor, zeros, type DType, type Shape } from "../tensor.js";
import { broadcastTo } from "./move.js";

/** Attributes of ops that have none. */
export type NoAttrs = Readonly<Record<string, never>>;

/** What arithmetic takes: a tensor, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

/** A scalar tensor. */
export function constant(value: number, dtype: DType, where = "constant"): Tensor {
  if (typeof value !== "number")
    throw dtypeError(where, "expected a tensor or a number; make tensors of other values with tensor()");
  const scalar = zeros({ shape: [], dtype });
  scalar.storage![0] = value;
  if (!isFloat(dtype) && scalar.storage![0] !== value)
    throw dtypeError(where, `${value} is not an ${dtype}; convert the other operand with cast()`);
  scalar.literal = value;
  return scalar;
}

/** A tensor full of one value, of which only the scalar is kept where `shape` allows. */
export function filled(shape: Shape, value: number, dtype: DType): Tensor {
  const scalar = constant(value, dtype);
  return shape.length === 0 ? scalar : broadcastTo(scalar, shape);
}

/** Runs an op on two operands of which one may be a number. */
export function applyPair(op: Op<NoAttrs>, a: Operand, b: Operand): Tensor {
  const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : "float32";
  return apply1(op, [tensorOf(a, dtype, op.name), tensorOf(b, dtype, op.name)], {});
}

export function tensorOf(operand: Operand, dtype: DType, where: string): Tensor {
  return operand instanceof Tensor ? operand : constant(operand, dtype, where);
}
