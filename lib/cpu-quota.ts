// How much processor time a container grants, which Node 20's availableParallelism() does not look at. Linux's control groups only.
import { controlGroups } from "./control-groups.js";

/**
 * The cores that the quotas of the process's control groups add up to, rounded up, at least 1; Infinity where there is none.
 *
 * More threads than that would be stopped together for the rest of each period, in the middle of whatever they wait for from one another.
 *
 * @param root - where the file system begins; for tests
 */
export function cpuQuota(root = "/"): number {
  let least = Infinity;
  const take = (quota: number, period: number): void => {
    if (quota > 0 && period > 0) least = Math.min(least, Math.max(1, Math.ceil(quota / period)));
  };
  for (const text of controlGroups("cpu", root)) {
    const [quota, period] = text("cpu.max")?.split(" ") ?? []; // version 2: "max 100000" where there is no limit
    take(Number(quota), Number(period));
    take(Number(text("cpu.cfs_quota_us")), Number(text("cpu.cfs_period_us"))); // version 1: -1 where there is none
  }
  return least;
}
