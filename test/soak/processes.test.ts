// Exits, crashes and workers, again and again: each way for a training to be cut off, in processes of their own.
import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { patience, report, times } from "./long.js";

const fixture = new URL("../lifecycle/training.mjs", import.meta.url).href;
const rounds = times(5, 100);

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script that may use the exports of lifecycle/training.mjs; kills it when it hangs. */
function run(code: string, ...options: string[]): Promise<Ended> {
  const script = `import { data, model, hash, workerOf } from ${JSON.stringify(fixture)}; ${code}`;
  const child = spawn(process.execPath, [...options, "--input-type=module", "-e", script], {
    timeout: Math.max(30_000, patience / 4),
  });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => (texts[name] += text));
  return new Promise((resolve) => child.on("close", (status, signal) => resolve({ status, signal, ...texts })));
}

async function again(
  code: (round: number) => string,
  expected: Partial<Ended>,
): Promise<(Ended & { readonly at: number })[]> {
  const all = [];
  for (let round = 0; round < rounds; round++) {
    const ended = await run(code(round));
    all.push({ ...ended, at: performance.timeOrigin + performance.now() });
    expect(ended, `round ${round}`).toMatchObject({ signal: null, ...expected });
  }
  return all;
}

const wait = (round: number): number => (round * 7) % 40;
const worker = JSON.stringify(`parentPort.postMessage("ready"); await model().fit(data, { epochs: 1e6 });`);
const started = `new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject))`;

describe("a training is cut off", { timeout: patience }, () => {
  test("by process.exit()", async () => {
    const exiting = `process.stdout.write(String(performance.timeOrigin + performance.now())); process.exit(3);`; // to a pipe: at once
    const code = (round: number): string => `void model().fit(data, { epochs: 1e6 }); setTimeout(() => { ${exiting} }, ${wait(round)});`; // prettier-ignore
    const waits = (await again(code, { status: 3, stderr: "" })).map(({ stdout, at }) => at - Number(stdout));
    report("process.exit(), with the end of the process", waits);
  });

  test("by process.exit() in a callback", () =>
    again(() => `await model().fit(data, { epochs: 1e6, callbacks: [{ onEpochEnd: () => process.exit(4) }] });`, { status: 4, stderr: "" })); // prettier-ignore

  test("by an exception that nobody catches, beside it", () =>
    again((round) => `void model().fit(data, { epochs: 1e6 }); setTimeout(() => { throw new Error("elsewhere"); }, ${wait(round)});`, { status: 1 })); // prettier-ignore

  test("by an exception in a callback, which rejects the fit and nothing else", () =>
    again(
      () => `
      const trained = model();
      const own = new Error("the callback's own");
      const reason = await trained.fit(data, { epochs: 1e6, callbacks: [{ onBatchEnd: () => { throw own; } }] }).catch((e) => e);
      await trained.fit(data, { epochs: 1 });
      console.log(reason === own);`,
      { status: 0, stdout: "true\n", stderr: "" },
    ));

  test("by worker.terminate()", async () => {
    const ended = await run(`
      for (let round = 0; round < ${rounds}; round++) {
        const worker = workerOf(${worker});
        await ${started};
        await new Promise((resolve) => setTimeout(resolve, (round * 7) % 40));
        const start = performance.now();
        await worker.terminate();
        console.log(performance.now() - start);
      }
      await model().fit(data);
      console.log("alive");`);
    const lines = ended.stdout.trim().split("\n");
    expect(lines.pop()).toBe("alive");
    expect(ended).toMatchObject({ status: 0, signal: null, stderr: "" });
    report("worker.terminate()", lines.map(Number));
  });

  test("by the end of a process whose workers, ten at once, are training", () =>
    again(
      (round) => `
      await Promise.all(Array.from({ length: 10 }, () => { const worker = workerOf(${worker}); return ${started}; }));
      setTimeout(() => process.exit(5), ${wait(round)});`,
      { status: 5, stderr: "" },
    ));
});

test(
  "the addon is loaded in workers only, and unloaded with each, its threads too",
  { timeout: patience },
  async () => {
    const lonely = `import { readdirSync } from "node:fs";
    import { Worker } from "node:worker_threads";
    const code = ${JSON.stringify(`import(${JSON.stringify(fixture)}).then(({ model, data }) => model().fit(data, { batchSize: 1000, threads: 2 }))`)};
    const threads = () => process.platform === "linux" ? readdirSync("/proc/self/task").length : 0;
    let before;
    for (let round = 0; round < ${times(5, 100)}; round++) {
      await new Promise((resolve, reject) => new Worker(code, { eval: true, execArgv: [] }).on("error", reject).on("exit", resolve));
      before ??= threads();
    }
    console.log(threads() - before);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", lonely], { timeout: patience });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => (text += part));
    const status = await new Promise((resolve) => child.on("close", resolve));
    expect({ status, text }).toEqual({ status: 0, text: "0\n" });
  },
);

test(
  "eight trainings at once and four in workers give the bits that each gives alone",
  { timeout: patience },
  async () => {
    const inWorker = JSON.stringify(`parentPort.once("message", async (seed) => { const m = model(seed); await m.fit(data, { epochs: 3, seed }); parentPort.postMessage(hash(m)); });`); // prettier-ignore
    const { stdout, stderr } = await run(`
    const trained = async (seed) => { const m = model(seed); await m.fit(data, { epochs: 3, seed }); return hash(m); };
    const alone = [];
    for (let seed = 0; seed < 8; seed++) alone.push(await trained(seed));
    const together = await Promise.all(alone.map((_, seed) => trained(seed)));
    const apart = await Promise.all([0, 1, 2, 3].map((seed) => new Promise((resolve, reject) => {
      const worker = workerOf(${inWorker});
      worker.once("message", resolve).once("error", reject).postMessage(seed);
    })));
    console.log(together.every((bits, i) => bits === alone[i]), apart.every((bits, i) => bits === alone[i]), new Set(alone).size);`);
    expect({ stdout, stderr }).toEqual({ stdout: "true true 8\n", stderr: "" });
  },
);

test(
  "trainings, single steps, captured ones and dropped models leave no memory behind",
  { timeout: patience },
  async () => {
    const { stdout, stderr } = await run(
      `
    const { capture, dataset, dense, parameter, sequential, sgd } = await import(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)});
    const few = dataset(new Float32Array(64).fill(0.5), new Float32Array(32), { inputShape: [2] });
    const small = () => sequential([dense(4), dense(1)], { inputShape: [2], seed: 1 }).compile({ loss: "meanSquaredError" });
    const w = parameter(0), optimizer = sgd({ learningRate: 0.01 });
    const step = capture(() => { const cost = w.square().sub(w.mul(10)).add(25); optimizer.minimize(cost, [w]); return cost; });
    const big = () => sequential([dense(1000)], { inputShape: [1000], seed: 1 }).compile({ loss: "meanSquaredError" });
    const wide = dataset(new Float32Array(4000), new Float32Array(4000), { inputShape: [1000], targetShape: [1000] });

    const settled = async () => {
      for (let i = 0; i < 3; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)); }
      return process.memoryUsage();
    };
    const online = small(), inputs = new Float32Array(2), targets = new Float32Array(1);
    const work = async (fits, steps, batches) => {
      for (let i = 0; i < fits; i++) await small().fit(few, { epochs: 1 });
      for (let i = 0; i < batches; i++) await online.trainOnBatch(inputs, targets);
      for (let i = 0; i < steps; i++) step();
      return settled();
    };
    const megabytes = (before, after, key) => (after[key] - before[key]) / 2 ** 20;
    const warm = await work(${times(4000, 10_000)}, 100_000, 1000);
    const worked = await work(${times(1000, 10_000)}, ${times(50_000, 1_000_000)}, ${times(2000, 100_000)});
    for (let i = 0; i < ${times(20, 200)}; i++) {
      await big().fit(wide, { epochs: 1 });
      if (i % 5 === 0) await settled(); // or what is dropped is collected later
    }
    const dropped = await settled();
    console.log(JSON.stringify({
      resident: megabytes(warm, worked, "rss"),
      heap: megabytes(warm, dropped, "heapUsed"),
      arrays: megabytes(warm, dropped, "arrayBuffers"),
    }));`,
      "--expose-gc",
    );
    expect(stderr).toBe("");
    const grown = JSON.parse(stdout) as Record<"resident" | "heap" | "arrays", number>;
    expect(grown.resident).toBeLessThan(5);
    expect(grown.heap).toBeLessThan(2);
    expect(grown.arrays).toBeLessThan(1); // a single one of the dropped models has 16 of them
  },
);
