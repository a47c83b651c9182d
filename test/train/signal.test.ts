// What an AbortSignal may cost, and how soon a training ends by it.
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { dataset, dense, sequential, type Model, type StreamedBatch } from "simdnn";

const data = dataset([[1], [2]], [[2], [4]]);
const line = (): Model => sequential([dense(1)], { inputShape: [1], seed: 1 }).compile({ loss: "meanSquaredError" });

/** How much it holds on to: those who listen, and signals that AbortSignal.any() made of it, of which Node 20 keeps something for ever. */
function heldBy(signal: AbortSignal): { dependent: number; listeners: number } {
  const key = Object.getOwnPropertySymbols(signal).find(({ description }) => description === "kDependantSignals");
  const dependent = key && (signal as unknown as Record<symbol, { size: number } | undefined>)[key];
  return { dependent: dependent?.size ?? 0, listeners: getEventListeners(signal, "abort").length };
}

describe("a signal that outlives its trainings", () => {
  test("keeps nothing of them, nor of their epochs", async () => {
    const { signal } = new AbortController();
    const model = line();
    for (let i = 0; i < 3; i++) {
      await model.fit(data, { epochs: 3, validationData: data, signal });
      await model.fit(() => [{ inputs: [[1]], targets: [[1]] }], { epochs: 3, signal });
      await model.trainOnBatch([[1]], [[1]], { signal });
      await model.evaluate(data, { signal });
      await model.predict([[1]], { signal });
      await model.profile(data, { signal });
    }
    expect(heldBy(signal)).toEqual({ dependent: 0, listeners: 0 });
  });

  test("nor where something fails", async () => {
    const { signal } = new AbortController();
    const model = line();
    const failing = function* (): Generator<StreamedBatch> {
      yield { inputs: [[1]], targets: [[1]] };
      throw new Error("oops");
    };
    const onProgress = (): never => {
      throw new Error("oops");
    };
    for (const work of [
      () => model.fit(failing, { signal }),
      () => model.evaluate(failing, { signal }),
      () => model.fit(data, { signal, callbacks: [{ onProgress }] }),
      () => model.trainOnBatch([[1]], [[NaN]], { signal }),
      () => model.predict([[1, 2]], { signal }),
    ])
      await expect(work()).rejects.toThrow();
    expect(heldBy(signal)).toEqual({ dependent: 0, listeners: 0 });
  });
});

describe("after an abort", () => {
  const reason = new Error("enough");
  // A step of a good many milliseconds: what is not looked at between two of them shows.
  const large = (): Model =>
    sequential([dense(1024), dense(1024), dense(1)], { inputShape: [64], seed: 1 }).compile({ loss: "meanSquaredError" }); // prettier-ignore
  const rows = dataset(new Float32Array(64 * 2048).fill(0.1), new Float32Array(2048), { inputShape: [64] });
  const batch = { inputs: rows.inputs, targets: rows.targets };

  test.each([
    ["fit", (model: Model, signal: AbortSignal) => model.fit(rows, { epochs: 1e6, batchSize: 512, signal })],
    ["fit with a stream", (model: Model, signal: AbortSignal) => model.fit(() => [batch], { epochs: 1e6, signal })],
  ])("%s makes one step more at most, and the one that was begun counts as whole", async (_, train) => {
    for (const delay of [1, 60]) {
      const model = large();
      const stop = new AbortController();
      let then = NaN;
      setTimeout(() => {
        stop.abort(reason);
        then = model.optimizer.iterations.storage![0]!; // item() would throw while it is being counted up
      }, delay);
      await expect(train(model, stop.signal)).rejects.toBe(reason);
      expect(model.optimizer.iterations.item() - then).toBeLessThanOrEqual(1);
    }
  });

  test("a step that waits for others before it is not made at all", async () => {
    const model = large();
    const stop = new AbortController();
    const first = model.trainOnBatch(batch.inputs, batch.targets);
    const second = model.trainOnBatch(batch.inputs, batch.targets, { signal: stop.signal });
    stop.abort(reason);
    await expect(second).rejects.toBe(reason);
    await first;
    expect(model.optimizer.iterations.item()).toBe(1);
  });
});
