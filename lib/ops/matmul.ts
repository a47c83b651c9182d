// Matrix product, with either factor transposed where it stands.
import { shapeError } from "../errors.js";
import { apply1, defineOp } from "../op.js";
import type { Spec, Tensor } from "../tensor.js";
import { floatType, notes } from "./shapes.js";

export type MatmulOptions = { readonly transposeA?: boolean; readonly transposeB?: boolean };
type Attrs = { readonly transposeA: boolean; readonly transposeB: boolean };

function shape([a, b]: readonly Spec[], { transposeA, transposeB }: Attrs): Spec[] {
  const operands = [a, b] as [Spec, Spec];
  const dtype = floatType("matmul", ["a", "b"], operands);
  if (operands.some((operand) => operand.shape.length !== 2)) throw shapeError("matmul", "expected two matrices", notes(["a", "b"], operands));
  const [m, k] = orient(operands[0].shape, transposeA);
  const [k2, n] = orient(operands[1].shape, transposeB);
  if (k !== k2) throw shapeError("matmul", `inner dimensions must be equal, but ${k} ≠ ${k2}`, notes(["a", "b"], operands));
  return [{ shape: [m, n], dtype }];
}

function orient(shape: readonly number[], transpose: boolean): [number, number] {
  const [rows, columns] = shape as [number, number];
  return transpose ? [columns, rows] : [rows, columns];
}

const record = defineOp<Attrs>({
  name: "matmul",
  operands: ["a", "b"],
  attrs: { transposeA: "boolean", transposeB: "boolean" },
  shape,
  // C = A·B gives dA = dC·Bᵀ and dB = Aᵀ·dC; a factor that stands transposed gets its gradient transposed likewise.
  vjp: ({ operands: [a, b], attrs: { transposeA, transposeB }, needs }, [dout]) => {
    const [x, y, d] = [a, b, dout] as [Tensor, Tensor, Tensor];
    const da = (): Tensor => (transposeA ? matmul(y, d, { transposeA: transposeB, transposeB: true }) : matmul(d, y, { transposeB: !transposeB }));
    const db = (): Tensor => (transposeB ? matmul(d, x, { transposeA: true, transposeB: transposeA }) : matmul(x, d, { transposeA: !transposeA }));
    return [needs[0] ? da() : undefined, needs[1] ? db() : undefined];
  },
  samples: () =>
    [true, false].flatMap((transposeA) =>
      [true, false].flatMap((transposeB) =>
        [
          [1, 1, 1],
          [3, 5, 7],
          [17, 33, 9],
          [0, 2, 3],
          [2, 3, 0],
        ].map(([m, n, k]) => {
          const [rows, columns, inner] = [m, n, k] as [number, number, number];
          const dtype = "float32" as const;
          const a = { shape: transposeA ? [inner, rows] : [rows, inner], dtype };
          const b = { shape: transposeB ? [columns, inner] : [inner, columns], dtype };
          return { operands: [a, b], attrs: { transposeA, transposeB } };
        }),
      ),
    ),
});

/**
 * Matrix product `op(a) · op(b)` of `[m, k]` and `[k, n]`, where `op` transposes if the option says so.
 *
 * @throws ShapeError unless both are matrices whose inner dimensions agree
 *
 * @example
 * ```ts
 * matmul(tensor([[1, 2]]), tensor([[3, 4]]), { transposeB: true }).data(); // [11]
 * ```
 */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor {
  return apply1(record, [a, b], { transposeA, transposeB });
}
