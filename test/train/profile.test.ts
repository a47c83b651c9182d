import { describe, expect, it } from "vitest";
import { batchNorm, dataset, dense, dropout, l2, relu, sequential } from "simdnn";
import { failure } from "../failure.js";

const data = dataset(new Float32Array(64 * 20).fill(0.5), new Int32Array(64), { inputShape: [20] });

describe("model.profile", () => {
  const model = sequential([dense(30, { bias: false }), batchNorm(), relu(), dropout(0.1), dense(3)], {
    inputShape: [20],
    seed: 1,
  }).compile({ loss: "softmaxCrossEntropy" });

  it("gives every instruction of a step its time, its layer and its rate", async () => {
    const { rows, microseconds } = await model.profile(data, { batchSize: 16, steps: 3 });
    const first = rows.find(({ op }) => op === "dense")!;
    expect(first).toMatchObject({ path: "model.dense1", shape: [16, 30], unit: "GFLOP/s" });
    expect(first.rate).toBeCloseTo((2 * 16 * 20 * 30) / (first.microseconds * 1000), 6);
    expect(rows.filter(({ op }) => op === "adam")).toHaveLength(model.parameters.length);
    expect(rows.filter(({ op }) => op === "adam").map(({ path }) => path)).toEqual(
      model.parameters.map(({ name }) => name),
    );
    expect(rows.find(({ op }) => op === "gather")).toMatchObject({ path: "model.input" });
    expect(rows.map(({ op }) => op)).toContain("batchNormGrad");
    expect(rows.every((row) => row.microseconds >= 0 && Number.isFinite(row.microseconds))).toBe(true);
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
    expect(rows.reduce((sum, row) => sum + row.microseconds, 0)).toBeCloseTo(microseconds, 6);
  });

  it("shows that penalties, averages and accuracy take no pass more than they need", async () => {
    const regularized = sequential([dense(30, { weightRegularizer: l2(0.1) }), dense(3)], { inputShape: [20] });
    const { rows } = await regularized
      .compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy"] })
      .profile(data, { steps: 1 });
    const overWeights = rows.filter(({ shape }) => shape.join() === "20,30").map(({ op }) => op);
    expect(overWeights).toEqual(["matmul", "addScaled", "adam"]);
    expect(rows.map(({ op }) => op)).toContain("argmax");
    expect(rows.map(({ op }) => op)).not.toContain("softmax");
  });

  it("can be aborted, and trains nothing then either", async () => {
    const before = model.getWeights();
    const stop = new AbortController();
    const profiling = model.profile(data, { steps: 1e9, signal: stop.signal });
    setTimeout(() => stop.abort("enough"), 20);
    await expect(profiling).rejects.toBe("enough");
    expect(model.getWeights()).toEqual(before);
    expect(model.optimizer.iterations.item()).toBe(0);
    await expect(model.profile(data, { signal: "soon" as never })).rejects.toThrow(
      failure("OptionError", /AbortSignal/),
    );
  });

  it("trains nothing", async () => {
    const before = model.getWeights();
    const passes = model.passes.item();
    await model.profile(data, { steps: 2 });
    expect(model.getWeights()).toEqual(before);
    expect(model.passes.item()).toBe(passes);
    expect(model.optimizer.iterations.item()).toBe(0);
  });

  it("prints a table", async () => {
    const text = String(await model.profile(data, { steps: 1, threads: 1 }));
    expect(text).toMatch(/^op +layer or tensor +shape +µs +share +rate +of peak\n/);
    expect(text).toMatch(/\ndense +model\.dense1 +\[32, 30\] .* GFLOP\/s +\d+ %\n/);
    expect(text).toMatch(/\n\d+\.\d µs per step$/);
  });

  it("checks its options", async () => {
    await expect(model.profile(data, { batchSize: 65 })).rejects.toThrow("at most 64");
    await expect(model.profile(data, { step: 3 } as object)).rejects.toThrow('did you mean "steps"?');
    const raw = sequential([dense(1)], { inputShape: [20] });
    await expect(raw.profile(data)).rejects.toMatchObject({ code: "StateError" });
  });
});
