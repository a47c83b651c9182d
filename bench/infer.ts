// model.predict on the `mnist` network, one example at a time and many.
import { performance } from "node:perf_hooks";
import type { Model } from "simdnn";
import { modelOf, networks } from "./networks.js";
import { pick, select, type Row, type Settings } from "./suite.js";
import { error, figure, table } from "./table.js";
import { interleave } from "./timing.js";
import { relativeError, uniforms } from "./values.js";

const sizes = [1, 32, 512].map((batch) => ({ name: `batch-${batch}`, batch }));

export const about = "predictions of the mnist network: batch-1, batch-32, batch-512";

export async function run({ threads = 1, cases }: Settings): Promise<Row[]> {
  const network = pick(networks, "mnist", "network");
  const model = modelOf(network);
  const contenders = select(sizes, cases).map(({ name, batch }) => ({
    name,
    batch,
    images: uniforms(batch * network.widths[0]!, -1, 1, 100),
  }));
  const times = await interleave(
    contenders.map(({ images }) => async () => {
      const start = performance.now();
      await model.predict(images, { threads });
      return (performance.now() - start) / 1000;
    }),
    { budget: 1 },
  );

  const lines: string[][] = [];
  const rows: Row[] = [];
  for (const [i, { name, batch, images }] of contenders.entries()) {
    const { min, median } = times[i]!;
    const probabilities = (await model.predict(images, { threads })).data();
    const residual = relativeError(probabilities, forward(model, images, network.widths));
    lines.push([name, (batch / min).toFixed(0), (batch / median).toFixed(0), figure(1e6 * min), error(residual)]);
    rows.push({
      suite: "infer",
      case: name,
      contender: "simdnn",
      threads,
      value: batch / min,
      unit: "samples/s",
      residual,
    });
  }
  console.log(table(["case", "samples/s", "median", "us/call", "residual"], lines));
  return rows;
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
