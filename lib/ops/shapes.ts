// Shape rules that several ops share. Each throws the error that names the op.
import { dtypeError, shapeError, type OperandNote } from "../errors.js";
import { wrongValue } from "../options.js";
import { isFloat, type DType, type Shape, type Spec } from "../tensor.js";

type Named = Spec & { readonly name?: string | undefined };

/** Lines for an error's table: one per operand. */
export function notes(labels: readonly string[], operands: readonly Spec[]): OperandNote[] {
  return operands.map((operand, i) => ({
    label: labels[i] ?? `operand ${i + 1}`,
    shape: operand.shape,
    dtype: operand.dtype,
    name: (operand as Named).name,
  }));
}

/** All operands must be of the same floating-point type, which is returned. */
export function floatType(where: string, labels: readonly string[], operands: readonly Spec[]): DType {
  const dtype = operands[0]!.dtype;
  for (const operand of operands)
    if (operand.dtype !== dtype || !isFloat(dtype))
      throw dtypeError(
        where,
        "expected operands of one floating-point type; convert with cast()",
        notes(labels, operands),
      );
  return dtype;
}

/** The rule of ops that go element by element: floating-point operands of one shape, and an output like them. */
export function alike(where: string, labels: readonly string[]): (operands: readonly Spec[]) => Spec[] {
  return (operands) => {
    const { shape } = operands[0]!;
    const dtype = floatType(where, labels, operands);
    if (!operands.every((operand) => sameShape(operand.shape, shape)))
      throw shapeError(where, "operands must have the same shape", notes(labels, operands));
    return [{ shape, dtype }];
  };
}

/** The last dimension of the first operand, which must be there and not be 0. */
export function features(where: string, labels: readonly string[], operands: readonly Spec[]): number {
  const size = operands[0]!.shape.at(-1);
  if (!size) throw shapeError(where, `${labels[0]} needs a last dimension of at least 1`, notes(labels, operands));
  return size;
}

/** NumPy's broadcasting: dimensions aligned at the right must be equal or 1. */
export function broadcastShape(where: string, labels: readonly string[], operands: readonly Spec[]): Shape {
  const first = operands[0]!.shape;
  if (operands.every(({ shape }) => shape.length === 0 || sameShape(shape, first))) return first;
  const rank = Math.max(...operands.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const dims = operands.map(({ shape }) => shape[shape.length - rank + i] ?? 1);
    const dim = dims.find((size) => size !== 1) ?? 1;
    if (dims.some((size) => size !== 1 && size !== dim))
      throw shapeError(
        where,
        "shapes do not broadcast: dimensions aligned at the right must be equal or 1",
        notes(labels, operands),
      );
    return dim;
  });
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** `axis` counted from the front, where a negative one counts from the back. */
export function resolveAxis(where: string, option: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw wrongValue(
      where,
      option,
      rank === 0 ? "no axis, since a scalar has none," : `an axis from ${-rank} to ${rank - 1}`,
      axis,
    );
  return axis < 0 ? axis + rank : axis;
}
