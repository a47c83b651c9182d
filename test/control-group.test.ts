// What the machine and control groups leave, and a group with little memory, where the system kills who takes too much: nobody does.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemMemory } from "#lib/memory.js";

describe("what the system can give", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "simdnn-memory-"))));
  afterEach(() => rmSync(root, { recursive: true }));

  const machine = { "proc/meminfo": "MemTotal:  9000 kB\nMemAvailable:   8000 kB\nSwapFree:  100 kB\n" };
  const stat = "anon 1\ninactive_file 2048\nactive_file 1024\nslab_reclaimable 512\nfile_mapped 500\nfile 99999";
  test.each<[string, Readonly<Record<string, string>>, number]>([
    ["is not known outside Linux", {}, Infinity],
    ["is memory and swap", machine, 8100 * 1024],
    [
      "is bounded by version 2, caches not counted",
      {
        ...machine,
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": "1000000\n",
        "sys/fs/cgroup/memory.current": "600000\n",
        "sys/fs/cgroup/memory.stat": stat,
        "sys/fs/cgroup/memory.swap.max": "0\n",
        "sys/fs/cgroup/memory.swap.current": "0\n",
      },
      400000 + 3584 - 500,
    ],
    [
      "is bounded by a group further up",
      {
        ...machine,
        "proc/self/cgroup": "0::/a/b\n",
        "sys/fs/cgroup/a/memory.max": "1000000\n",
        "sys/fs/cgroup/a/memory.current": "900000\n",
        "sys/fs/cgroup/a/b/memory.max": "max\n",
        "sys/fs/cgroup/a/b/memory.current": "5\n",
        "sys/fs/cgroup/a/memory.swap.max": "1000",
        "sys/fs/cgroup/a/memory.swap.current": "400",
      },
      100600,
    ],
    [
      "is bounded by version 1",
      {
        ...machine,
        "proc/self/cgroup": "4:memory:/x\n",
        "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1000000\n",
        "sys/fs/cgroup/memory/x/memory.usage_in_bytes": "600000\n",
        "sys/fs/cgroup/memory/x/memory.stat": "total_inactive_file 100\ntotal_active_file 11\ninactive_file 7\n",
      },
      400111 + 102400,
    ],
    [
      "is not bounded by a limit that is none",
      {
        ...machine,
        "proc/self/cgroup": "4:memory:/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "600000\n",
      },
      8100 * 1024,
    ],
    [
      "is bounded by version 1's limit of memory and swap together",
      {
        ...machine,
        "proc/self/cgroup": "4:memory:/x\n",
        "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1000000\n",
        "sys/fs/cgroup/memory/x/memory.usage_in_bytes": "600000\n",
        "sys/fs/cgroup/memory/x/memory.memsw.limit_in_bytes": "1000000\n",
        "sys/fs/cgroup/memory/x/memory.memsw.usage_in_bytes": "600000\n",
      },
      400000,
    ],
  ])("%s", (_, files, expected) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    expect(systemMemory(0, root)).toBe(expected);
    // What is kept for others: all of it where there is much, less where a limit is low.
    const least = systemMemory(4096, root);
    expect(least).toBe(
      expected === 8100 * 1024 || expected === Infinity ? expected - 4096 : expected - (4096 * 1e6) / 2 ** 28,
    );
  });
});

const fixture = new URL("./lifecycle/training.mjs", import.meta.url).href;
const megabytes = 300;

/** A group with its limit, of version 2 or 1 of control groups; undefined where this user may make none, or the system has none. */
function makeGroup(): string | undefined {
  for (const [top, limit, swap] of [
    ["/sys/fs/cgroup", "memory.max", "memory.swap.max"],
    ["/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.swappiness"],
  ] as const) {
    const group = join(top, `simdnn-test-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    try {
      writeFileSync(join(group, limit), String(megabytes << 20), { flag: "r+" });
      if (existsSync(join(group, swap))) writeFileSync(join(group, swap), "0");
      return group;
    } catch {
      rmdirSync(group);
    }
  }
  return undefined;
}

let group: string | undefined;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "simdnn-group-"));
  group = makeGroup();
});
afterAll(() => {
  if (group !== undefined) rmdirSync(group);
  rmSync(folder, { recursive: true });
});

/** Does `work` until it is refused, beside a training. */
const script = (work: string): string => `
  const { data, model } = await import(${JSON.stringify(fixture)});
  const { dataset, dense, loadModel, sequential } = await import(new URL("../../dist/index.js", ${JSON.stringify(fixture)}));
  const [large, inputs, file] = [sequential([dense(2000)], { inputShape: [2000] }), new Float32Array(2000 * 2000), process.argv[1]]; // of 16 MB
  await large.save(file);
  let [epochs, ended] = [0, false];
  const controller = new AbortController();
  const beside = model().fit(data, { epochs: 1e9, signal: controller.signal, callbacks: [{ onEpochEnd: () => void epochs++ }] }).catch((error) => { ended = true; return error; });
  const held = [];
  let refused;
  while (!refused) try { held.push(await (${work})); } catch (error) { refused = error; }
  const before = epochs;
  while (!ended && epochs < before + 3) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort("enough");
  console.log(JSON.stringify({ refused: refused.code, several: held.length > 3, beside: String(await beside) }));`;

test.for([
  ["copies of weights", "large.getWeights()"],
  ["clones", "large.clone()"],
  ["files", "loadModel(file)"],
  ["copies of a tensor", 'large.weights.get("dense1.weight").data()'],
  ["predictions", "large.predict(inputs)"],
  ["datasets", "dataset(inputs, inputs, { inputShape: [1], targetShape: [1] })"],
  ["small models", "sequential([dense(400)], { inputShape: [600] })"],
] as const)("%s until there is no memory are refused, and a training beside them goes on", ([, work], { skip }) => {
  if (group === undefined) return skip("it takes control groups, and the right to make one");
  if (process.env.ASAN_OPTIONS !== undefined) return skip("sanitizers take more than the group has");
  const join = `echo $$ > "$0/cgroup.procs" && exec "$@"`;
  const node = [process.execPath, "--input-type=module", "-e", script(work), `${folder}/model.safetensors`];
  const { status, signal, stdout, stderr } = spawnSync("sh", ["-c", join, group, ...node], {
    encoding: "utf8",
    timeout: 50_000,
  });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  expect(JSON.parse(stdout)).toEqual({ refused: "OutOfMemoryError", several: true, beside: "enough" });
});
