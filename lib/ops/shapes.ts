// Shape rules that several ops share. Each throws the error that names the op.
import { dtypeError, shapeError } from "../errors.js";
import { isFloat, type Shape, type Spec, type Tensor } from "../tensor.js";

type Named = Spec & { readonly name?: string | undefined };

/** Lines for an error's table: one per operand. */
export function notes(labels: readonly string[], operands: readonly Spec[]): { label: string; shape: Shape; dtype: string; name: string | undefined }[] {
  return operands.map((operand, i) => ({ label: labels[i] ?? `operand ${i + 1}`, shape: operand.shape, dtype: operand.dtype, name: (operand as Tensor as Named).name }));
}

/** All operands must be of the same floating-point type, which is returned. */
export function floatType(where: string, labels: readonly string[], operands: readonly Spec[]): "float32" | "float64" {
  const dtype = operands[0]?.dtype;
  if (dtype === undefined || !isFloat(dtype) || operands.some((operand) => operand.dtype !== dtype))
    throw dtypeError(where, "expected operands of one floating-point type; convert with cast()", notes(labels, operands));
  return dtype as "float32" | "float64";
}

/** NumPy's broadcasting: dimensions aligned at the right must be equal or 1. */
export function broadcastShape(where: string, labels: readonly string[], operands: readonly Spec[]): Shape {
  const rank = Math.max(...operands.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const dims = operands.map(({ shape }) => shape[shape.length - rank + i] ?? 1);
    const dim = dims.find((size) => size !== 1) ?? 1;
    if (dims.some((size) => size !== 1 && size !== dim)) throw shapeError(where, "shapes do not broadcast: dimensions aligned at the right must be equal or 1", notes(labels, operands));
    return dim;
  });
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}
