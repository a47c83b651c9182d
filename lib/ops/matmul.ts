// Matrix product, with either factor transposed where it stands.
import { checkOptions } from "../options.js";
import { formatShape, shapeError } from "../errors.js";
import { apply, apply1, defineOp } from "../op.js";
import { sizeOf, type Shape, type Spec, type Tensor } from "../tensor.js";
import { float } from "./samples.js";
import { floatType, notes, sameShape } from "./shapes.js";

export type MatmulOptions = { readonly transposeA?: boolean; readonly transposeB?: boolean };
type Attrs = { readonly transposeA: boolean; readonly transposeB: boolean };
type GemmAttrs = Attrs & { readonly alpha: number; readonly beta: number };

function product(
  where: string,
  labels: readonly string[],
  operands: readonly Spec[],
  { transposeA, transposeB }: Attrs,
): Spec {
  const [a, b] = operands as [Spec, Spec];
  const dtype = floatType(where, labels, operands);
  if (a.shape.length !== 2 || b.shape.length !== 2)
    throw shapeError(where, "a and b must be matrices", notes(labels, operands));
  const [m, k] = orient(a.shape, transposeA);
  const [k2, n] = orient(b.shape, transposeB);
  if (k !== k2) throw shapeError(where, `inner dimensions must be equal, but ${k} ≠ ${k2}`, notes(labels, operands));
  return { shape: [m, n], dtype };
}

function orient(shape: Shape, transpose: boolean): [number, number] {
  const [rows, columns] = shape as [number, number];
  return transpose ? [columns, rows] : [rows, columns];
}

/** Every pair of transposes with sizes odd, 1 and 0. */
function samples(): { a: Shape; b: Shape; c: Shape; attrs: Attrs }[] {
  const sizes: [m: number, n: number, k: number][] = [
    [1, 1, 1],
    [3, 5, 7],
    [17, 33, 9],
    [1, 67, 16],
    [40, 1, 31],
    [0, 2, 3],
    [2, 3, 0],
  ];
  return [false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) =>
      sizes.map(([m, n, k]) => ({
        a: transposeA ? [k, m] : [m, k],
        b: transposeB ? [n, k] : [k, n],
        c: [m, n],
        attrs: { transposeA, transposeB },
      })),
    ),
  );
}

/** Multiplications and additions of a product of `[m, k]` and `[k, n]` into `[m, n]`, however they stand: 2mnk = 2√(mk · kn · mn). */
export function productFlops(a: Spec, b: Spec, c: Spec): number {
  return 2 * Math.sqrt(sizeOf(a.shape) * sizeOf(b.shape) * sizeOf(c.shape));
}

const record = defineOp<Attrs>({
  name: "matmul",
  operands: ["a", "b"],
  attrs: { transposeA: "boolean", transposeB: "boolean" },
  shape: (operands, attrs) => [product("matmul", ["a", "b"], operands, attrs)],
  // C = A·B gives dA = dC·Bᵀ and dB = Aᵀ·dC; a factor that stands transposed gets its gradient transposed likewise.
  vjp: ({ operands: [a, b], attrs: { transposeA, transposeB }, needs }, [dout]) => {
    const [x, y, d] = [a!, b!, dout!];
    const da = (): Tensor =>
      transposeA
        ? matmul(y, d, { transposeA: transposeB, transposeB: true })
        : matmul(d, y, { transposeB: !transposeB });
    const db = (): Tensor =>
      transposeB
        ? matmul(d, x, { transposeA: true, transposeB: transposeA })
        : matmul(x, d, { transposeA: !transposeA });
    return [needs[0] ? da() : undefined, needs[1] ? db() : undefined];
  },
  flops: ([a, b], [c]) => productFlops(a!, b!, c!),
  samples: () => samples().map(({ a, b, attrs }) => ({ operands: [float(a), float(b)], attrs })),
});

const gemmLabels = ["a", "b", "c"];

const gemmRecord = defineOp<GemmAttrs>({
  name: "gemm",
  operands: gemmLabels,
  attrs: { transposeA: "boolean", transposeB: "boolean", alpha: "number", beta: "number" },
  shape: (operands, attrs) => {
    const { shape } = product("gemm", gemmLabels, operands, attrs);
    if (!sameShape(operands[2]!.shape, shape))
      throw shapeError("gemm", `c must be ${formatShape(shape)}`, notes(gemmLabels, operands));
    return [];
  },
  vjp: "none",
  effects: [2],
  flops: ([a, b, c]) => productFlops(a!, b!, c!),
  samples: () =>
    samples().flatMap(({ a, b, c, attrs }, i) => ({
      operands: [float(a), float(b), float(c)],
      attrs: { ...attrs, alpha: [1, -0.5][i % 2]!, beta: [0, 1, 0.25][i % 3]! },
    })),
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
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  checkOptions("matmul", options, ["transposeA", "transposeB"]);
  const { transposeA = false, transposeB = false } = options;
  return apply1(record, [a, b], { transposeA, transposeB });
}

/**
 * `c = alpha op(a) op(b) + beta c`, in place. With `beta` 0 (the default; `alpha` is 1) the old `c` does not matter, not even NaN.
 *
 * @param c - `[m, n]`
 * @throws ShapeError unless the shapes fit together
 *
 * @example
 * ```ts
 * const c = tensor([[1]]);
 * gemm(tensor([[2]]), tensor([[3]]), c, { beta: 1 });
 * c.data(); // [7]
 * ```
 */
export function gemm(
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions & { readonly alpha?: number; readonly beta?: number } = {},
): void {
  checkOptions("gemm", options, ["transposeA", "transposeB", "alpha", "beta"]);
  const { transposeA = false, transposeB = false, alpha = 1, beta = 0 } = options;
  apply(gemmRecord, [a, b, c], { transposeA, transposeB, alpha, beta });
}
