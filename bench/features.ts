// What regularization, clipping, augmentation, averaging, a schedule and a metric cost a training step, and how much of that is the arithmetic they add.
import { performance } from "node:perf_hooks";
import { accuracy, averageWeights, softmaxCrossEntropy, type Callback } from "simdnn";
import type { Timing as InstructionTiming } from "#lib/program.js";
import { trainingSteps } from "#lib/train/training-step.js";
import { rowRuns, type Run } from "#lib/train/runs.js";
import { dataOf, modelOf, networks, type Network } from "./networks.js";
import { select, UsageError, type Row, type Settings } from "./suite.js";
import { figure, table } from "./table.js";
import { interleave, type Sampler } from "./timing.js";

export const about =
  "mnist-bn-do plain and with L2, clipping by norm, translations, averaged weights, a schedule and accuracy";

const stepsPerSample = 2; // few, so that some samples are undisturbed; what a call costs is in both variants
const stepsPerProfile = 400;

interface Variant {
  readonly sample: Sampler;
  readonly profile: () => Promise<InstructionTiming[]>;
}

export async function run({ threads = 1, cases = ["mnist-bn-do"] }: Settings): Promise<Row[]> {
  const rows: Row[] = [];
  for (const network of select(networks, cases)) rows.push(...(await compare(network, threads)));
  return rows;
}

async function compare(network: Network, threads: number): Promise<Row[]> {
  const variants = [variant(network, threads, false), variant(network, threads, true)] as const;
  const [plain, all] = (await interleave(variants.map(({ sample }) => sample), { budget: 6 })).map(({ min }) => 1e6 * min) as [number, number]; // prettier-ignore
  const [few, many] = [await variants[0].profile(), await variants[1].profile()];
  const { added, kept } = divide(few, many);
  const arithmetic = microseconds(added);
  const beyond = all - plain - arithmetic;
  const of = (time: number): string => `${((100 * time) / plain).toFixed(1)} %`;
  console.log(
    table(
      ["case", "us/step", "of plain"],
      [
        [network.name, figure(plain), ""],
        [`${network.name} with all`, figure(all), of(all)],
        [`${added.length} added instructions`, figure(arithmetic), of(arithmetic)],
        ["beyond them", figure(beyond), of(beyond)],
        [`the ${few.length} others, before`, figure(microseconds(few)), of(microseconds(few))],
        ["the same, after", figure(microseconds(kept)), of(microseconds(kept))],
      ],
    ),
  );
  const ops = [...new Set(added.map(({ entry }) => entry.op.name))];
  console.log(
    table(
      ["added", "count", "us/step"],
      ops.map((op) => {
        const timings = added.filter(({ entry }) => entry.op.name === op);
        return [op, String(timings.length), figure(microseconds(timings))];
      }),
    ),
  );
  const row = (name: string, value: number): Row =>
    ({ suite: "features", case: `${network.name} ${name}`, contender: "simdnn", threads, value, unit: "us/step", residual: null }); // prettier-ignore
  return [row("plain", plain), row("all", all), row("added", arithmetic), row("beyond", beyond)];
}

/** A network that trains, with all features on or none. */
function variant(network: Network, threads: number, features: boolean): Variant {
  const { batch, steps } = network;
  if (features && network.widths[0] !== 784) throw new UsageError(`${network.name} sees no images to translate`);
  const model = modelOf(network, features);
  const data = dataOf(network);
  const compiled = { loss: softmaxCrossEntropy(), optimizer: model.optimizer, metrics: features ? [accuracy] : [] };
  const callbacks: Callback[] = features ? [averageWeights({ beta: 0.99 })] : [];
  const batches = trainingSteps(model, compiled, { callbacks });
  const runsOf = (count: number): Run[] => [...rowRuns(data, data.rows.subarray(0, count * batch), batch)];
  const count = Math.min(stepsPerSample, steps);
  return {
    sample: async () => {
      const start = performance.now();
      await batches.pass(runsOf(count), { threads });
      return (performance.now() - start) / 1000 / count;
    },
    profile: () => batches.profile(runsOf(1)[0]!, stepsPerProfile, { threads }),
  };
}

/** The instructions of the larger program that are those of the smaller, in order, and the rest. */
function divide(
  few: readonly InstructionTiming[],
  many: readonly InstructionTiming[],
): { kept: InstructionTiming[]; added: InstructionTiming[] } {
  const keyOf = ({ entry: { op, operands, outputs, scope } }: InstructionTiming): string =>
    [op.name, scope ?? "", ...[...operands, ...outputs].map(({ shape }) => shape.join())].join(" ");
  const [kept, added]: [InstructionTiming[], InstructionTiming[]] = [[], []];
  for (const timing of many)
    if (kept.length < few.length && keyOf(timing) === keyOf(few[kept.length]!)) kept.push(timing);
    else added.push(timing);
  if (kept.length < few.length) throw new Error(`no ${keyOf(few[kept.length]!)} in the program with all features`);
  return { kept, added };
}

function microseconds(timings: readonly InstructionTiming[]): number {
  return timings.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0) / 1000;
}
