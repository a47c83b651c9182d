// How long the event loop is kept waiting while the `mnist` network trains, beside how long it is when nothing happens.
import { availableParallelism } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { dataOf, modelOf, networks } from "./networks.js";
import { pick, select, type Row, type Settings } from "./suite.js";
import { table } from "./table.js";

const duration = 4000; // ms
const resolution = 1; // ms; the monitor counts the timer's own interval, which is taken off below
const statistics = ["p50", "p99", "max"] as const;

export const about = "event-loop delay: idle, mnist";

export async function run({ threads = availableParallelism(), cases }: Settings): Promise<Row[]> {
  const network = { ...pick(networks, "mnist", "network"), steps: 80 };
  const model = modelOf(network);
  const data = dataOf(network);
  const work = {
    idle: () => setTimeout(duration),
    mnist: async () => {
      const signal = AbortSignal.timeout(duration);
      await model
        .fit(data, { epochs: 1_000_000, batchSize: network.batch, threads, signal })
        .catch((error: unknown) => {
          if (!signal.aborted) throw error;
        });
    },
  };

  const rows: Row[] = [];
  const lines: string[][] = [];
  for (const { name } of select([{ name: "idle" }, { name: "mnist" }] as const, cases)) {
    const delays = await measure(work[name]);
    lines.push([name, ...statistics.map((statistic) => delays[statistic].toFixed(2))]);
    for (const statistic of statistics)
      rows.push({
        suite: "latency",
        case: `${name}-${statistic}`,
        contender: "simdnn",
        threads,
        value: delays[statistic],
        unit: "ms",
        residual: null,
      });
  }
  console.log(table(["ms", ...statistics], lines));
  return rows;
}

async function measure(work: () => Promise<unknown>): Promise<Record<(typeof statistics)[number], number>> {
  const monitor = monitorEventLoopDelay({ resolution });
  monitor.enable();
  await work();
  monitor.disable();
  const delay = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution);
  return { p50: delay(monitor.percentile(50)), p99: delay(monitor.percentile(99)), max: delay(monitor.max) };
}
