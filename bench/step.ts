// Whole training steps (gather, forward, loss, backward, update) on the engine thread, as model.fit runs them.
import { performance } from "node:perf_hooks";
import { softmaxCrossEntropy } from "simdnn";
import { trainingSteps } from "#lib/train/training-step.js";
import { rowRuns } from "#lib/train/runs.js";
import { dataOf, modelOf, networks, type Network } from "./networks.js";
import { select, type Prepared, type Row, type Settings } from "./suite.js";
import { figure, table } from "./table.js";
import { interleave } from "./timing.js";

const epochs = 2; // before the loss is read; the timing goes on from there
const sampleSeconds = 0.01; // long against the call, and not much longer than a time slice

export const about = `training steps of ${networks.map(({ name }) => name).join(", ")}`;

export const unit = "us/step";
export const turn = 0.5;

export async function run(settings: Settings): Promise<Row[]> {
  const { threads = 1 } = settings;
  const chosen = cases(settings);
  const prepared: Prepared[] = [];
  for (const network of chosen) prepared.push(await prepare(network, threads));
  const times = await interleave(
    prepared.map(({ sample }) => sample),
    { budget: 1.5 },
  );

  const lines: string[][] = [];
  const rows = chosen.map((network, i): Row => {
    const { name, batch } = network;
    const { min, median } = times[i]!;
    const { residual } = prepared[i]!;
    const time = value(network, min);
    lines.push([name, figure(time), figure(value(network, median)), (batch / min).toFixed(0), residual.toPrecision(5)]);
    return { suite: "step", case: name, contender: "simdnn", threads, value: time, unit, residual };
  });
  console.log(table(["case", unit, "median", "samples/s", "loss"], lines));
  return rows;
}

export function cases({ cases }: Settings): readonly Network[] {
  return select(networks, cases);
}

export function value(_: Network, seconds: number): number {
  return 1e6 * seconds;
}

/** Dropout masks are each contender's own, so that losses are only near each other. */
export function agrees({ normalized = false }: Network, loss: number, ours: number): boolean {
  return Math.abs(loss - ours) <= (normalized ? 0.1 : 1e-3) * ours;
}

/** The residual is the mean loss of the second pass. */
export async function prepare(network: Network, threads: number): Promise<Prepared> {
  const { batch, steps } = network;
  const model = modelOf(network);
  const data = dataOf(network);
  const compiled = { loss: softmaxCrossEntropy(), optimizer: model.optimizer, metrics: [] };
  const batches = trainingSteps(model, compiled);
  const train = async (first: number, count: number): Promise<{ loss: number; time: number }> => {
    const start = performance.now();
    const rows = data.rows.subarray(first * batch, (first + count) * batch);
    const { loss } = await batches.pass(rowRuns(data, rows, batch), { threads });
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
  return { sample, residual: loss };
}
