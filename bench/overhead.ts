// What the engine adds to its kernels: to replay an instruction, to bring the data, to wait for work. The event loop is latency.ts's.
import { setTimeout } from "node:timers/promises";
import {
  add,
  dataset,
  dense,
  normalization,
  sequential,
  tensor,
  type Dataset,
  type Layer,
  type Model,
  type Tensor,
} from "simdnn";
import { Program } from "#lib/program.js";
import { Tape, withTape } from "#lib/tape.js";
import { networks } from "./networks.js";
import { pick, select, type Row, type Settings } from "./suite.js";
import { table } from "./table.js";

export const about = "replaying an instruction, bringing the data, idling";

const cases = [
  { name: "replay", unit: "ns/instruction", figure: replay },
  { name: "data", unit: "% of a step", figure: data },
  { name: "data-uint8", unit: "% of a step", figure: bytes },
  { name: "idle", unit: "ms/s", figure: idle },
] as const;

export async function run({ threads = 1, cases: names }: Settings): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, unit, figure } of select(cases, names))
    rows.push({ suite: "overhead", case: name, contender: "simdnn", threads, value: await figure(threads), unit, residual: null }); // prettier-ignore
  console.log(table(["case", "figure", "unit"], rows.map(({ case: name, value, unit }) => [name, value.toFixed(2), unit]))); // prettier-ignore
  return rows;
}

/** A chain of additions of single numbers, whose kernels take next to nothing. */
async function replay(threads: number): Promise<number> {
  const [instructions, steps] = [1000, 1000];
  const one = tensor(Float32Array.of(1));
  const tape = new Tape();
  const last = withTape(tape, () => {
    let sum: Tensor = one;
    for (let i = 0; i < instructions; i++) sum = add(sum, one);
    return sum;
  });
  const program = new Program(tape, [last]);
  let best = Infinity;
  for (let sample = 0; sample < 20; sample++) {
    const start = performance.now();
    await program.submit(steps, { threads });
    best = Math.min(best, performance.now() - start);
  }
  return (1e6 * best) / steps / instructions;
}

const network = pick(networks, "mnist", "network");
const count = network.batch * network.steps;
const labels = Int32Array.from({ length: count }, (_, i) => i % network.widths.at(-1)!);

function data(threads: number): Promise<number> {
  const values = Float32Array.from({ length: count * network.widths[0]! }, (_, i) => (i % 251) / 251);
  return shareOf(["gather"], networkAfter([]), dataset(values, labels, { inputShape: [network.widths[0]!] }), threads);
}

/** Pixels of a byte, made floats of mean 0 and deviation 1 in the step. */
function bytes(threads: number): Promise<number> {
  const values = Uint8Array.from({ length: count * network.widths[0]! }, (_, i) => i % 251);
  const model = networkAfter([normalization({ mean: 125, deviation: 72 })]);
  return shareOf(
    ["gather", "sub", "div", "mul"],
    model,
    dataset(values, labels, { inputShape: [network.widths[0]!] }),
    threads,
  );
}

function networkAfter(first: readonly Layer[]): Model {
  const [inputs, ...widths] = network.widths;
  const layers = widths.map((units, i) => dense(units, i + 1 < widths.length ? { activation: "relu" } : {}));
  const model = sequential([...first, ...layers], { inputShape: [inputs!], seed: 1 });
  return model.compile({ loss: "softmaxCrossEntropy" });
}

async function shareOf(ops: readonly string[], model: Model, examples: Dataset, threads: number): Promise<number> {
  const { rows } = await model.profile(examples, { batchSize: network.batch, steps: 200, threads });
  return 100 * rows.filter(({ op }) => ops.includes(op)).reduce((sum, { share }) => sum + share, 0);
}

/** Processor time that the process takes when a training has just ended. */
async function idle(threads: number): Promise<number> {
  const seconds = 3;
  const model = networkAfter([]);
  await model.fit(dataset(new Float32Array(count * network.widths[0]!), labels, { inputShape: [network.widths[0]!] }), {
    epochs: 2,
    batchSize: network.batch,
    threads,
  });
  await setTimeout(100);
  const before = process.cpuUsage();
  await setTimeout(1000 * seconds);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / seconds;
}
