// Matrix products: GFLOP/s and share of the peak, with the error beside it, one line per shape.
import { native } from "#lib/native.js";
import { apply, opNamed } from "#lib/op.js";
import { tensor } from "#lib/tensor.js";
import { sampler } from "./repeated.js";
import { select, UsageError, type Row, type Settings } from "./suite.js";
import { error, figure, table } from "./table.js";
import { interleave } from "./timing.js";
import { relativeError, uniform, uniforms } from "./values.js";

interface Shape {
  readonly name: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether a and b are given transposed: `nt` is a · bᵀ. */
  readonly form: string;
}

const defaults =
  "128x512x784:nn,128x512x784:nt,128x256x512:nt,128x10x256:nt,128x512x256:nn,512x784x128:tn,784x512x128:tn,10x256x128:tn,32x64x64:nt,32x64x64:nn," +
  "32x256x256:nt,32x1024x1024:nt,8x512x512:nn,512x10x512:nn,127x129x131:nt,33x77x101:nn,96x96x96:tt,16x16x16:nn,8x8x8:nn,512x512x512:nn,1024x1024x1024:nn,2048x2048x2048:nn";

export const about = "matrix products; --shapes MxNxK:nn|nt|tn|tt,…";

export async function run({ threads = 1, cases, shapes = defaults }: Settings): Promise<Row[]> {
  const chosen = select(shapes.split(",").map(parse), cases);
  const op = opNamed("matmul");
  const before = native.fmaPeak();
  const prepared = chosen.map(({ m, n, k, form }) => {
    const attrs = { transposeA: form.startsWith("t"), transposeB: form[1] === "t" };
    const a = tensor(uniforms(m * k, -1, 1, 1), { shape: attrs.transposeA ? [k, m] : [m, k] });
    const b = tensor(uniforms(k * n, -1, 1, 2), { shape: attrs.transposeB ? [n, k] : [k, n] });
    return {
      sample: sampler(op, [a, b], attrs, threads),
      product: () => apply(op, [a, b], attrs)[0]!.data(),
      a: a.data(),
      b: b.data(),
    };
  });
  const times = await interleave(prepared.map(({ sample }) => sample));
  const peak = Math.max(before, native.fmaPeak()) * threads;

  const lines: string[][] = [];
  const rows = chosen.map((shape, i): Row => {
    const { name, m, n, k } = shape;
    const rate = (time: number): number => (2e-9 * m * n * k) / time;
    const { min, median } = times[i]!;
    const { product, a, b } = prepared[i]!;
    const residual = sampledError(shape, a, b, product());
    const share = peak > 0 ? `${((100 * rate(min)) / peak).toFixed(0)} %` : "";
    lines.push([name, figure(rate(min)), figure(rate(median)), share, error(residual)]);
    return { suite: "gemm", case: name, contender: "simdnn", threads, value: rate(min), unit: "GFLOP/s", residual };
  });
  console.log(table(["m×n×k:form", "GFLOP/s", "median", "of peak", "residual"], lines));
  console.log(`FMA peak of ${threads} ${threads === 1 ? "core" : "cores"}: ${figure(peak)} GFLOP/s`);
  return rows;
}

function parse(text: string): Shape {
  const match = /^(\d+)x(\d+)x(\d+)(?::([nt]{2}))?$/.exec(text.trim());
  const [m, n, k] = (match?.slice(1, 4) ?? []).map(Number);
  if (!m || !n || !k)
    throw new UsageError(
      `"${text}" is no shape; write MxNxK or MxNxK:form, such as 128x512x784:nt, with form nn, nt, tn or tt`,
    );
  const form = match?.[4] ?? "nn";
  return { name: `${m}x${n}x${k}:${form}`, m, n, k, form };
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
