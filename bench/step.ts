// Whole training steps (gather, forward, loss, backward, update) on the engine thread, as model.fit runs them.
import { performance } from "node:perf_hooks";
import { softmaxCrossEntropy } from "simdnn";
import { trainingSteps } from "#lib/train/fit.js";
import { dataOf, modelOf, networks, type Network } from "./networks.js";
import { select, type Row, type Settings } from "./suite.js";
import { figure, table } from "./table.js";
import { interleave, type Sampler } from "./timing.js";

const epochs = 2; // before the loss is read; the timing goes on from there
const sampleSeconds = 0.01; // long against the call, and not much longer than a time slice

export const about = `training steps of ${networks.map(({ name }) => name).join(", ")}`;

export async function run({ threads = 1, cases }: Settings): Promise<Row[]> {
  const chosen = select(networks, cases);
  const prepared: { readonly sample: Sampler; readonly loss: number }[] = [];
  for (const network of chosen) prepared.push(await prepare(network, threads));
  const times = await interleave(
    prepared.map(({ sample }) => sample),
    { budget: 1.5 },
  );

  const lines: string[][] = [];
  const rows = chosen.map(({ name, batch }, i): Row => {
    const { min, median } = times[i]!;
    const { loss } = prepared[i]!;
    lines.push([name, figure(1e6 * min), figure(1e6 * median), (batch / min).toFixed(0), loss.toPrecision(5)]);
    return {
      suite: "step",
      case: name,
      contender: "simdnn",
      threads,
      value: 1e6 * min,
      unit: "us/step",
      residual: loss,
    };
  });
  console.log(table(["case", "us/step", "median", "samples/s", "loss"], lines));
  return rows;
}

async function prepare(network: Network, threads: number): Promise<{ sample: Sampler; loss: number }> {
  const { batch, steps } = network;
  const model = modelOf(network);
  const data = dataOf(network);
  const compiled = { loss: softmaxCrossEntropy(), optimizer: model.optimizer, metrics: [] };
  const batches = trainingSteps(model, compiled, data);
  const train = async (first: number, count: number): Promise<{ loss: number; time: number }> => {
    const start = performance.now();
    const { loss } = await batches.pass(data.rows.subarray(first * batch, (first + count) * batch), batch, { threads });
    return { loss: loss!, time: (performance.now() - start) / 1000 / count };
  };

  let { loss, time } = await train(0, steps);
  for (let epoch = 1; epoch < epochs; epoch++) ({ loss, time } = await train(0, steps));
  const count = Math.max(1, Math.min(steps, Math.round(sampleSeconds / time)));
  let next = 0;
  const sample = async (): Promise<number> => {
    if (next + count > steps) next = 0;
    const { time } = await train(next, count);
    next += count;
    return time;
  };
  return { sample, loss };
}
