// The addon in workers, at exits, and beside a busy thread. Runs the built library in processes of its own.
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const fixture = new URL("./lifecycle/training.mjs", import.meta.url).href;

/** Runs a script that may use the exports of lifecycle/training.mjs. */
function run(
  code: string,
  ...flags: string[]
): { status: number | null; signal: string | null; stdout: string; stderr: string } {
  const script = `import { data, model, hash, workerOf } from ${JSON.stringify(fixture)}; ${code}`;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, "--input-type=module", "-e", script],
    {
      encoding: "utf8",
      timeout: 60_000,
    },
  );
  return { status, signal, stdout, stderr };
}

const clean = { status: 0, signal: null, stderr: "" };

describe("the process", () => {
  it("ends by itself after a fit", () => {
    expect(run(`await model().fit(data); console.log("done");`)).toEqual({ ...clean, stdout: "done\n" });
  });

  it("waits for a fit that nobody awaits", () => {
    expect(run(`model().fit(data).then(() => console.log("done"));`)).toEqual({ ...clean, stdout: "done\n" });
  });

  it("exits in the middle of training", () => {
    expect(run(`void model().fit(data, { epochs: 1e6 }); setTimeout(() => process.exit(3), 50);`)).toEqual({
      ...clean,
      status: 3,
      stdout: "",
    });
  });

  it("keeps its event loop free while it trains", () => {
    const { stdout, status } = run(`
      let turns = 0, training = true;
      const turn = () => { turns++; if (training) setImmediate(turn); };
      turn();
      await model().fit(data, { epochs: 20 });
      training = false;
      console.log(turns > 100);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "true\n" });
  });
});

// What the addon calls back must not throw: Node ends the process for that, or warns, and in any case the caller is not told.
describe("what a user's function throws while steps run", () => {
  const [policy, finish] = [
    "--force-node-api-uncaught-exceptions-policy=true",
    "if (++calls === 1) throw own; return 0;",
  ];
  const fit = `trained.fit(rows, { epochs: 3, batchSize: 2, callbacks: [callback], signal: stop.signal })`;
  const metric = `{ name: "mine", over: "mean", call: ({ predictions, targets }) => predictions.sub(targets), finish: () => { ${finish} } }`;
  it.each([
    ["finish of a metric, in fit", `[${metric}]`, `{}`, fit, "own"],
    ["finish of a metric, in evaluate", `[${metric}]`, `{}`, `trained.evaluate(rows, { batchSize: 2 })`, "own"],
    [
      "finish of a metric, after an abort",
      `[${metric.replace("if (", "stop.abort('enough'); if (")}]`,
      `{}`,
      fit,
      "own or enough",
    ],
    ["onProgress", `[]`, `{ onProgress() { throw own; } }`, fit, "own"],
    ["onBatchEnd", `[]`, `{ onBatchEnd() { throw own; } }`, fit, "own"],
  ])("%s", (_, metrics, callback, work, told) => {
    const script = `
      const { dataset } = await import(new URL("../../dist/index.js", ${JSON.stringify(fixture)}));
      const rows = dataset(new Float32Array(64 * 60000), new Float32Array(60000), { inputShape: [64] });
      const [own, stop] = [new Error("own"), new AbortController()];
      let calls = 0;
      const trained = model().compile({ loss: "meanSquaredError", metrics: ${metrics} });
      const callback = ${callback};
      const error = await ${work}.catch((error) => error);
      await model().fit(data);
      console.log(${JSON.stringify(told)}.includes(error === own ? "own" : error));`;
    expect(run(script, policy)).toEqual({ ...clean, stdout: "true\n" });
  });
});

describe("memory", () => {
  it("of models that nobody holds any more is given back by garbage collection alone", () => {
    const { stdout, stderr, status } = run(`
      const { setFlagsFromString } = await import("node:v8");
      setFlagsFromString("--expose-gc");
      const gc = (await import("node:vm")).runInNewContext("gc");
      const { dataset, dense, sequential } = await import(new URL("../../dist/index.js", ${JSON.stringify(fixture)}));
      const width = 600; // 1.4 MB of weights, and twice that for Adam
      const inputs = new Float32Array(8 * width).fill(0.1), targets = new Float32Array(8);
      const examples = dataset(inputs, targets, { inputShape: [width] });
      const use = async () => {
        const model = sequential([dense(width, { activation: "relu" }), dense(1)], { inputShape: [width] }).compile({ loss: "meanSquaredError" });
        const fitting = model.fit(examples, { epochs: 2, batchSize: 4, validationData: examples });
        await model.predict(inputs); // by a twin
        await fitting;
        await model.trainOnBatch(inputs, targets);
        await Promise.all([model.predict(inputs), model.evaluate(examples)]);
        await model.profile(examples, { steps: 2 });
        await model.fit(() => [{ inputs, targets }]);
      };
      const used = async () => {
        for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)); }
        return process.memoryUsage();
      };
      await use();
      const before = await used();
      for (let i = 0; i < 20; i++) await use();
      const after = await used();
      console.log(JSON.stringify([(after.arrayBuffers - before.arrayBuffers) / 1e6, (after.external - before.external) / 1e6]));`);
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    // Of 20 models with more than 5 MB each not one copy of one's weights.
    for (const grown of JSON.parse(stdout) as number[]) expect(grown).toBeLessThan(1.4);
  });
});

describe("workers", () => {
  it("train to the same bits as the main thread, several at once", () => {
    const worker = `const m = model(5); await m.fit(data, { epochs: 2 }); parentPort.postMessage(hash(m));`;
    const trained = run(`
      const results = await Promise.all([1, 2, 3].map(() => new Promise((resolve, reject) => workerOf(${JSON.stringify(worker)}).once("message", resolve).once("error", reject))));
      const here = model(5);
      await here.fit(data, { epochs: 2 });
      console.log(results.every((result) => result === hash(here)));`);
    expect(trained).toEqual({ ...clean, stdout: "true\n" });
  });

  it("can be terminated in the middle of training, again and again", () => {
    const worker = `parentPort.postMessage("ready"); await model().fit(data, { epochs: 1e6 });`;
    expect(
      run(`
      for (let round = 0; round < 10; round++) {
        const worker = workerOf(${JSON.stringify(worker)});
        await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
        await new Promise((resolve) => setTimeout(resolve, 10));
        await worker.terminate();
      }
      await model().fit(data);
      console.log("alive");`),
    ).toEqual({ ...clean, stdout: "alive\n" });
  });
});
