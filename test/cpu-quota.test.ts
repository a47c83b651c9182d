// Control groups as Linux shows them, in a folder that stands for the file system.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cpuQuota } from "#lib/cpu-quota.js";

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), "simdnn-quota-"))));
afterEach(() => rmSync(root, { recursive: true }));

test.each<[string, Readonly<Record<string, string>>, number]>([
  ["no control groups", {}, Infinity],
  ["version 2 without a limit", { "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n" }, Infinity],
  ["version 2, one and a half cores", { "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n" }, 2],
  ["version 2, a tenth of a core", { "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "10000 100000\n" }, 1],
  [
    "the tightest of a group and those above it",
    {
      "proc/self/cgroup": "0::/a/b\n",
      "sys/fs/cgroup/a/cpu.max": "300000 100000\n",
      "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
    },
    3,
  ],
  [
    "a container whose group has another path outside",
    { "proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/cpu.max": "400000 100000\n" },
    4,
  ],
  [
    "version 1",
    {
      "proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/x\n",
      "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": "200000\n",
      "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
    },
    2,
  ],
  [
    "version 1 without a limit",
    {
      "proc/self/cgroup": "4:cpu:/\n",
      "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    },
    Infinity,
  ],
])("%s", (_, files, expected) => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  expect(cpuQuota(root)).toBe(expected);
});
