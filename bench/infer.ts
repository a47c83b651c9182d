// model.predict on the `mnist` network, one example at a time and many.
import { performance } from "node:perf_hooks";
import type { Model } from "simdnn";
import { modelOf, networks, type Network } from "./networks.js";
import { pick, select, type Prepared, type Row, type Settings } from "./suite.js";
import { error, figure, table } from "./table.js";
import { interleave } from "./timing.js";
import { relativeError, uniforms } from "./values.js";

export interface Predictions extends Network {
  readonly images: number;
}

const network = pick(networks, "mnist", "network");
const sizes = [1, 32, 512].map((images): Predictions => ({ ...network, name: `batch-${images}`, images }));

export const about = "predictions of the mnist network: batch-1, batch-32, batch-512";
export const unit = "samples/s";
export const turn = 0.2;

export async function run(settings: Settings): Promise<Row[]> {
  const { threads = 1 } = settings;
  const chosen = cases(settings);
  const prepared: Prepared[] = [];
  for (const one of chosen) prepared.push(await prepare(one, threads));
  const times = await interleave(
    prepared.map(({ sample }) => sample),
    { budget: 1 },
  );

  const lines: string[][] = [];
  const rows = chosen.map((one, i): Row => {
    const { min, median } = times[i]!;
    const { residual } = prepared[i]!;
    const rate = value(one, min);
    lines.push([one.name, rate.toFixed(0), value(one, median).toFixed(0), figure(1e6 * min), error(residual)]);
    return { suite: "infer", case: one.name, contender: "simdnn", threads, value: rate, unit, residual };
  });
  console.log(table(["case", unit, "median", "us/call", "residual"], lines));
  return rows;
}

export function cases({ cases }: Settings): readonly Predictions[] {
  return select(sizes, cases);
}

export function value({ images }: Predictions, seconds: number): number {
  return images / seconds;
}

export function agrees(_: Predictions, residual: number): boolean {
  return residual < 1e-5;
}

export async function prepare(one: Predictions, threads: number): Promise<Prepared> {
  const model = modelOf(one);
  const { images, expected } = task(one, model);
  const sample = async (): Promise<number> => {
    const start = performance.now();
    await model.predict(images, { threads });
    return (performance.now() - start) / 1000;
  };
  const probabilities = (await model.predict(images, { threads })).data();
  return { sample, residual: relativeError(probabilities, expected) };
}

/** Images, and what the model should say of them. */
export function task(
  { images: count, widths }: Predictions,
  model: Model,
): { images: Float32Array; expected: Float64Array } {
  const images = uniforms(count * widths[0]!, -1, 1, 100);
  return { images, expected: forward(model, images, widths) };
}

/** The same in double precision: dense layers with ReLU between them, softmax behind. */
function forward(model: Model, images: Float32Array, widths: readonly number[]): Float64Array {
  const weights = model.getWeights();
  let x = Float64Array.from(images);
  const rows = x.length / widths[0]!;
  for (let layer = 1; layer < widths.length; layer++) {
    const [inputs, units] = [widths[layer - 1]!, widths[layer]!];
    const [weight, bias] = [weights.get(`dense${layer}.weight`)!, weights.get(`dense${layer}.bias`)!];
    const y = new Float64Array(rows * units);
    for (let r = 0; r < rows; r++) {
      const out = y.subarray(r * units, (r + 1) * units);
      out.set(bias);
      for (let p = 0; p < inputs; p++)
        for (let j = 0; j < units; j++) out[j]! += x[r * inputs + p]! * weight[p * units + j]!;
      if (layer < widths.length - 1) out.forEach((value, j) => (out[j] = Math.max(0, value)));
      else softmax(out);
    }
    x = y;
  }
  return x;
}

function softmax(row: Float64Array): void {
  const largest = Math.max(...row);
  row.forEach((value, j) => (row[j] = Math.exp(value - largest)));
  const total = row.reduce((sum, value) => sum + value, 0);
  row.forEach((value, j) => (row[j] = value / total));
}
