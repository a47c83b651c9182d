// How many threads kernels may use. The threads themselves are native/pool.cc.
import { availableParallelism } from "node:os";
import { cpuQuota } from "./cpu-quota.js";
import { positiveInteger } from "./options.js";

let budget = Math.min(availableParallelism(), cpuQuota());

/** Threads that one program may use when its call does not say. */
export function threads(): number {
  return budget;
}

/**
 * Sets how many threads kernels use by default in this environment (at first: the cores this process may use,
 * which a container may limit).
 * Results do not depend on it, bit for bit.
 *
 * @throws OptionError unless `count` is a positive integer
 *
 * @example
 * ```ts
 * setThreads(1); // leave the other cores to the rest of the server
 * ```
 */
export function setThreads(count: number): void {
  budget = Math.min(positiveInteger("setThreads", "count", count), 256);
}
