// What may still be taken, and what happens when it is not enough: an error for who asked, and nothing for anybody else.
import { spawnSync } from "node:child_process";
import { describe, expect, it, test } from "vitest";
import { memoryLimit, setMemoryLimit, tensor } from "simdnn";
import { native } from "#lib/native.js";
import { failure } from "./failure.js";

test("a limit bounds what tensors take, and what nobody holds any more does not count", () => {
  expect(memoryLimit()).toBe(Infinity);
  for (const wrong of [0, -1, 1.5, NaN, "1"]) expect(() => setMemoryLimit(wrong as number)).toThrow(failure("OptionError", /bytes/)); // prettier-ignore
  const large = new Float32Array(8 << 20); // 32 MB
  for (let i = 0; i < 2; i++) native.collectGarbage(); // what is left of other tests would make the limit too high
  const limit = process.memoryUsage().arrayBuffers + (80 << 20);
  setMemoryLimit(limit);
  try {
    for (let i = 0; i < 50; i++) tensor(large);
    const held = [tensor(large), tensor(large)];
    let error: unknown;
    try {
      held.push(tensor(large));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "OutOfMemoryError", details: { bytes: 32 << 20 } });
    const { inUse, available } = (error as { details: { inUse: number; available: number } }).details;
    expect(inUse + available).toBe(Math.floor((limit * 15) / 16)); // the rest is for what is small
    expect(available).toBeLessThan(32 << 20);
    expect(held).toHaveLength(2);
  } finally {
    setMemoryLimit(Infinity);
  }
  tensor(large);
});

test("many small arrays are bounded as large ones are, and may take what those leave", () => {
  for (let i = 0; i < 2; i++) native.collectGarbage();
  const used = process.memoryUsage().arrayBuffers;
  const limit = used + (96 << 20);
  setMemoryLimit(limit);
  try {
    const held: unknown[] = [];
    const free = [1 << 20, 1 << 17, 1 << 14].map((length) => {
      const source = new Float32Array(length);
      const fill = (): void => {
        for (let i = 0; i < 5000; i++) held.push(tensor(source));
      };
      expect(fill).toThrow(failure("OutOfMemoryError", /free/));
      return limit - process.memoryUsage().arrayBuffers;
    });
    const look = 3 << 20; // between two looks 2 MB are taken
    expect(free[0]).toBeGreaterThan(limit / 16 - look);
    expect(free[1]).toBeLessThan(limit / 32 + look);
    expect(free[2]).toBeLessThan(limit / 256 + look);
    for (const left of free) expect(left).toBeGreaterThan(-look);
  } finally {
    setMemoryLimit(Infinity);
  }
});

/** Whether the system can be told to give a process less. Sanitizers die themselves of what they are not given. */
const limitable = process.platform === "linux" && process.env.ASAN_OPTIONS === undefined;

const fixture = new URL("./lifecycle/training.mjs", import.meta.url).href;

/** Trains beside models that do not fit into memory one after the other, until each way to ask for too much was refused. */
function crowded(restrict: string): unknown {
  const script = `
    import { data, model, hash } from ${JSON.stringify(fixture)};
    import { mkdtempSync, rmSync } from "node:fs";
    import { tmpdir } from "node:os";
    import { join } from "node:path";
    const { adam, dataset, dense, loadModel, sequential, setMemoryLimit, tensor } = await import(new URL("../../dist/index.js", ${JSON.stringify(fixture)}));
    const { execFileSync } = await import("node:child_process");
    const folder = mkdtempSync(join(tmpdir(), "simdnn-memory-"));
    const file = join(folder, "large.safetensors");
    await sequential([dense(2400)], { inputShape: [2400] }).save(file);
    const alone = model();
    await alone.fit(data, { epochs: 30 });
    const beside = model();
    ${restrict}
    let done, ended = false;
    const refusals = new Promise((resolve) => (done = resolve));
    const callbacks = [{ onEpochEnd: (epoch) => (epoch === 25 ? refusals : undefined) }]; // if it should get so far before them
    const fitting = beside.fit(data, { epochs: 30, callbacks }).then(() => (ended = true));
    const refused = {};
    const held = [];
    const attempt = async (name, work) => {
      for (let i = 0; i < 40; i++) try { held.push(await work()); } catch (error) { refused[name] = [error.code, error.details?.bytes]; break; }
      held.length = 0;
      await new Promise((resolve) => setTimeout(resolve, 1));
    };
    const width = 2400; // 23 MB of weights
    const network = () => sequential([dense(width), dense(1)], { inputShape: [width], seed: 1 }).compile({ loss: "meanSquaredError", optimizer: adam() });
    const large = tensor(new Float32Array(6e6));
    const examples = dataset(new Float32Array(width * 8), new Float32Array(8), { inputShape: [width] });
    await attempt("models", network);
    await attempt("trainings", async () => { const made = network(); await made.fit(examples, { batchSize: 8 }); return made; });
    await attempt("tensors", () => tensor(new Float32Array(6e6)));
    await attempt("copies", () => large.data());
    await attempt("files", () => loadModel(file));
    const overlapped = !ended;
    done();
    await fitting;
    await model().fit(data); // large arrays may have left gaps only, of which the system takes back nothing
    rmSync(folder, { recursive: true });
    console.log(JSON.stringify({ refused, same: hash(alone) === hash(beside), overlapped }));`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 120_000,
  });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  return JSON.parse(stdout);
}

describe("a process with too many models for its memory goes on, and trains beside them to the same bits", () => {
  const one = ["OutOfMemoryError", expect.any(Number)] as const;
  const all = {
    refused: { models: one, trainings: one, tensors: one, copies: one, files: one },
    same: true,
    overlapped: true,
  };
  it("by a limit of its own", () => {
    expect(crowded("setMemoryLimit(300e6);")).toEqual(all);
  });

  it.runIf(limitable)("by one of the system's, at which allocations fail", () => {
    const used = `Number(/VmData:\\s+(\\d+)/.exec((await import("node:fs")).readFileSync("/proc/self/status", "utf8"))[1]) * 1024`;
    expect(crowded(`execFileSync("prlimit", ["--pid", String(process.pid), "--data=" + (${used} + 300e6)]);`)).toEqual(
      all,
    );
  });
});

describe("threads share one limit", () => {
  /** Runs `code` in a process whose workers, made by `start()`, answer each message with how many tensors of 20 MB they could take. */
  function together(code: string): unknown {
    const worker = `
      const { isSimdnnError, memoryLimit, setMemoryLimit, tensor } = await import(new URL("../../dist/index.js", ${JSON.stringify(fixture)}));
      const large = new Float32Array(5e6);
      const held = [];
      const fill = (most) => {
        let count = 0;
        try { for (; count < most; count++) held.push(tensor(large)); } catch (error) { if (!isSimdnnError(error, "OutOfMemoryError")) throw error; }
        return count;
      };`;
    const script = `
      import { once } from "node:events";
      import { workerOf } from ${JSON.stringify(fixture)};
      ${worker}
      const listening = ${JSON.stringify(`${worker} parentPort.on("message", (most) => { if (most === 0) held.length = 0; parentPort.postMessage(fill(most)); }).postMessage(memoryLimit());`)};
      const limits = [];
      const start = async () => { const worker = workerOf(listening); limits.push(...(await once(worker, "message"))); return worker; };
      const ask = async (worker, most) => { worker.postMessage(most); return (await once(worker, "message"))[0]; };
      const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));
      setMemoryLimit(320e6); // 300 MB of it for what is large
      ${code}`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--no-memory-reducer", "--input-type=module", "-e", script],
      {
        encoding: "utf8",
        timeout: 60_000,
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return JSON.parse(stdout);
  }

  it("one after the other, and give back what they drop or end with", () => {
    const { limits, first, second, own, dropped, ended } = together(`
      const [a, b] = [await start(), await start()];
      const first = await ask(a, 4), second = await ask(b, 4), own = fill(100);
      await ask(a, 0); // it has nothing to do now, and does not collect its garbage unless it is asked to
      let dropped = 0;
      while (dropped < 4) { dropped += fill(4 - dropped); await sleep(5); }
      await b.terminate();
      const ended = fill(4);
      console.log(JSON.stringify({ limits, first, second, own, dropped, ended }));
      process.exit();`) as Record<string, number>;
    expect({ limits, first, second, dropped, ended }).toEqual({ limits: [320e6, 320e6], first: 4, second: 4, dropped: 4, ended: 4 }); // prettier-ignore
    expect(own).toBe(3); // 300 MB are the room of 15 with the three sources, and less than one for all else
  });

  it("all at once", () => {
    const { all } = together(`
      const workers = await Promise.all([1, 2, 3, 4].map(start));
      console.log(JSON.stringify({ all: await Promise.all(workers.map((worker) => ask(worker, 100))) }));
      process.exit();`) as { all: number[] };
    const tensors = all.reduce((sum, count) => sum + count);
    expect(tensors).toBeLessThanOrEqual(10); // with five sources
    expect(tensors).toBeGreaterThan(5);
  });
});

test.runIf(limitable)("kernels that get no memory of their own say how much they asked for", () => {
  const script = `
    import { matmul, tensor } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
    import { execFileSync } from "node:child_process";
    import { readFileSync } from "node:fs";
    const [a, b] = [[1024, 32768], [1024, 256]].map((shape) => tensor(new Float32Array(shape[0] * shape[1]), { shape }));
    matmul(tensor(new Float32Array(4), { shape: [2, 2] }), tensor(new Float32Array(4), { shape: [2, 2] }));
    for (let i = 0; i < 3; i++) gc(), await new Promise((resolve) => setTimeout(resolve, 20));
    const used = Number(/VmData:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
    execFileSync("prlimit", ["--pid", String(process.pid), "--data=" + (used + 70e6)]); // 34 MB for the product
    try {
      matmul(a, b, { transposeA: true, transposeB: false });
      console.log("enough");
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message, bytes: error.details?.bytes }));
    }`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const { code, message, bytes } = JSON.parse(stdout) as Record<string, unknown>;
  expect([code, typeof bytes]).toEqual(["OutOfMemoryError", "number"]);
  expect(message).toContain("kernels");
});
