// Times that mean something on a machine that is not ours alone: many short samples, interleaved, of which the fastest counts.
import { availableParallelism, loadavg } from "node:os";
import { performance } from "node:perf_hooks";

export interface Timing {
  /** Seconds. */
  readonly min: number;
  readonly median: number;
}

/** Takes one sample and returns its seconds, per whatever is counted. */
export type Sampler = () => number | Promise<number>;

export function seconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/**
 * Samples every contender in turn, so that a disturbance hits all of them, until each has had `budget` seconds and `least` samples.
 * The first sample of each warms it up and does not count.
 */
export async function interleave(contenders: readonly Sampler[], { budget = 0.4, least = 5 } = {}): Promise<Timing[]> {
  const samples: number[][] = contenders.map(() => []);
  const spent = contenders.map(() => 0);
  for (const sample of contenders) await sample();
  const open = (i: number): boolean => spent[i]! < budget || samples[i]!.length < least;
  while (contenders.some((_, i) => open(i)))
    for (const [i, sample] of contenders.entries()) {
      if (!open(i)) continue;
      const start = performance.now();
      samples[i]!.push(await sample());
      spent[i]! += (performance.now() - start) / 1000;
    }
  return samples.map(timing);
}

export function timing(samples: readonly number[]): Timing {
  const sorted = [...samples].sort((a, b) => a - b);
  return { min: sorted[0]!, median: sorted[Math.floor(sorted.length / 2)]! };
}

/** Says on stderr when others use the machine, for then the figures say little. */
export function warnIfBusy(): void {
  const [load] = loadavg() as [number, number, number];
  const cores = availableParallelism();
  if (load > 0.25 * cores)
    console.error(
      `warning: the machine is busy (load ${load.toFixed(2)} on ${cores} cores); trust ratios, not figures`,
    );
}
