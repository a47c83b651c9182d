// Matrix products: GFLOP/s and share of the peak, with the error beside it, one line per shape.
import { native } from "#lib/native.js";
import { apply, opNamed } from "#lib/op.js";
import { tensor } from "#lib/tensor.js";
import { sampler } from "./repeated.js";
import { groupNames, shapesOf, type Shape } from "./shapes.js";
import { select, type Prepared, type Row, type Settings } from "./suite.js";
import { error, figure, table } from "./table.js";
import { interleave } from "./timing.js";
import { relativeError, uniform, uniforms } from "./values.js";

export const unit = "GFLOP/s";
export const turn = 0.1;
export const about = `matrix products; --shapes MxNxK:nn|nt|tn|tt,… or ${groupNames.join("|")}`;

export async function run(settings: Settings): Promise<Row[]> {
  const { threads = 1 } = settings;
  const chosen = cases(settings);
  const before = native.fmaPeak();
  const prepared: Prepared[] = [];
  for (const shape of chosen) prepared.push(await prepare(shape, threads));
  const times = await interleave(prepared.map(({ sample }) => sample));
  const peak = Math.max(before, native.fmaPeak()) * threads;

  const lines: string[][] = [];
  const rows = chosen.map((shape, i): Row => {
    const { name } = shape;
    const { min, median } = times[i]!;
    const { residual } = prepared[i]!;
    const rate = value(shape, min);
    const share = peak > 0 ? `${((100 * rate) / peak).toFixed(0)} %` : "";
    lines.push([name, figure(rate), figure(value(shape, median)), share, error(residual)]);
    return { suite: "gemm", case: name, contender: "simdnn", threads, value: rate, unit, residual };
  });
  console.log(table(["m×n×k:form", unit, "median", "of peak", "residual"], lines));
  console.log(`FMA peak of ${threads} ${threads === 1 ? "core" : "cores"}: ${figure(peak)} GFLOP/s`);
  return rows;
}

export function cases({ cases, shapes = "all" }: Settings): readonly Shape[] {
  return select(shapesOf(shapes), cases);
}

// eslint-disable-next-line @typescript-eslint/require-await -- as a contest's are
export async function prepare(shape: Shape, threads: number): Promise<Prepared> {
  const { m, n, k, form } = shape;
  const op = opNamed("matmul");
  const attrs = { transposeA: form.startsWith("t"), transposeB: form[1] === "t" };
  const a = tensor(uniforms(m * k, -1, 1, 1), { shape: attrs.transposeA ? [k, m] : [m, k] });
  const b = tensor(uniforms(k * n, -1, 1, 2), { shape: attrs.transposeB ? [n, k] : [k, n] });
  const product = apply(op, [a, b], attrs)[0]!.data();
  return {
    sample: sampler(op, [a, b], attrs, threads),
    residual: sampledError(shape, a.data(), b.data(), product),
  };
}

export function value({ m, n, k }: Shape, seconds: number): number {
  return (2e-9 * m * n * k) / seconds;
}

export function agrees(_: Shape, residual: number): boolean {
  return residual < 1e-5;
}

/** Some elements against sums in double precision, relative to the largest of those. */
function sampledError(
  { m, n, k, form }: Shape,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  product: ArrayLike<number>,
): number {
  const at = Array.from({ length: 200 }, (_, i) => Math.floor(uniform(3, i) * m * n));
  const expected = at.map((position) => {
    const [i, j] = [Math.floor(position / n), position % n];
    let sum = 0;
    for (let p = 0; p < k; p++)
      sum += a[form.startsWith("t") ? p * m + i : i * k + p]! * b[form[1] === "t" ? j * k + p : p * n + j]!;
    return sum;
  });
  return relativeError(at.map((position) => product[position]!), expected); // prettier-ignore
}
