// How much processor time a container grants, which Node 20's availableParallelism() does not look at. Linux's control groups only.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The cores that the quotas of the process's control groups add up to, rounded up, at least 1; Infinity where there is none.
 *
 * More threads than that would be stopped together for the rest of each period, in the middle of whatever they wait for from one another.
 *
 * @param root - where the file system begins; for tests
 */
export function cpuQuota(root = "/"): number {
  const text = (...path: string[]): string | undefined => {
    try {
      return readFileSync(join(root, ...path), "utf8").trim();
    } catch {
      return undefined; // not Linux, or no such controller
    }
  };
  let least = Infinity;
  const take = (quota: number, period: number): void => {
    if (quota > 0 && period > 0) least = Math.min(least, Math.max(1, Math.ceil(quota / period)));
  };
  for (const line of text("proc/self/cgroup")?.split("\n") ?? []) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    const folders = controllers === "" ? [""] : controllers.split(",").includes("cpu") ? ["cpu", "cpu,cpuacct"] : [];
    // A limit further up binds, too. In a container the group's own path may not be there: its limits are at the top then.
    const parts = group.split("/").filter(Boolean);
    for (let depth = parts.length; depth >= 0; depth--)
      for (const folder of folders) {
        const at = ["sys/fs/cgroup", folder, ...parts.slice(0, depth)];
        const [quota, period] = text(...at, "cpu.max")?.split(" ") ?? []; // version 2: "max 100000" where there is no limit
        take(Number(quota), Number(period));
        take(Number(text(...at, "cpu.cfs_quota_us")), Number(text(...at, "cpu.cfs_period_us"))); // version 1: -1 where there is none
      }
  }
  return least;
}
