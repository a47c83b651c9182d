// Streams that fail before they are read, and sources that do not come to their end.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { checkpoint, dataset, dense, sequential, type Callback, type Model, type StreamItem } from "simdnn";
import { failure } from "../failure.js";

const line = (): Model => sequential([dense(1)], { inputShape: [1], seed: 1 }).compile({ loss: "meanSquaredError" });
const item: StreamItem = { inputs: [[1]], targets: [[2]] };
const whole = dataset([[1], [2]], [[2], [4]]);
const oops = new Error("the database went away");

/** A Node stream from which nothing comes. */
const silent = (): Readable => new Readable({ objectMode: true, read: () => undefined });

describe("a Node stream that fails before it is read", () => {
  test("rejects the fit with its own error: validation data, in the first epoch", async () => {
    const validationData = silent();
    const fail: Callback = {
      onEpochBegin: async () => {
        validationData.destroy(oops);
        await sleep(1); // in which it tells whoever listens
      },
    };
    await expect(line().fit(whole, { epochs: 2, validationData, callbacks: [fail] })).rejects.toBe(oops);
  });

  test("also one of old, which is not destroyed by its failure", async () => {
    const validationData = new Readable({ objectMode: true, autoDestroy: false, read: () => undefined });
    const fail: Callback = { onEpochBegin: () => void validationData.emit("error", oops) };
    await expect(line().fit(whole, { validationData, callbacks: [fail] })).rejects.toBe(oops);
    expect(validationData.destroyed).toBe(true);
  });

  test("rejects it while a checkpoint's folder is opened, also to go on with what is there", async () => {
    const dir = await mkdtemp(join(tmpdir(), "simdnn-stream-ends-"));
    const callbacks = [checkpoint({ dir, resume: true })];
    try {
      await expect(line().fit(silent().destroy(oops), { callbacks })).rejects.toBe(oops);
      await line().fit(() => [item], { callbacks });
      await expect(line().fit(silent().destroy(oops), { epochs: 2, callbacks })).rejects.toBe(oops);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test("is closed by a fit that has no need of it", async () => {
    const [data, validationData] = [silent(), silent()];
    const signal = AbortSignal.abort(oops);
    await expect(line().fit(data, { validationData, signal })).rejects.toBe(oops);
    expect([data.destroyed, validationData.destroyed]).toEqual([true, true]);
    const file = { dir: import.meta.filename }; // in which no checkpoint can be
    const unopened = silent();
    await expect(line().fit(unopened, { callbacks: [checkpoint(file)] })).rejects.toThrow(failure("FileError", /directory/)); // prettier-ignore
    expect(unopened.destroyed).toBe(true);
  });
});

describe("a source that never comes to its end", () => {
  const endless = (closing: () => Promise<void>) =>
    async function* (): AsyncGenerator<StreamItem> {
      try {
        for (;;) yield item;
      } finally {
        await closing();
      }
    };

  test("holds up no abort", async () => {
    const stop = new AbortController();
    const stuck = endless(() => new Promise(() => undefined));
    const onEpochEnd = (epoch: number): void => {
      if (epoch === 1) stop.abort(oops);
    };
    const model = line();
    const fitting = model.fit(stuck, { epochs: 9, stepsPerEpoch: 2, callbacks: [{ onEpochEnd }], signal: stop.signal });
    await expect(fitting).rejects.toBe(oops);
    expect(model.optimizer.iterations.item()).toBe(4);
    await expect(model.evaluate(stuck, { steps: 2, signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: "TimeoutError" }); // prettier-ignore
    await model.fit(whole); // nothing stays locked
  });

  test("at once has time to", async () => {
    const stop = new AbortController();
    let ended = false;
    const slow = endless(async () => {
      await sleep(20);
      ended = true;
    });
    const callbacks: Callback[] = [{ onEpochEnd: () => stop.abort(oops) }];
    const fitting = line().fit(slow, { epochs: 9, stepsPerEpoch: 2, callbacks, signal: stop.signal });
    await expect(fitting).rejects.toBe(oops);
    expect(ended).toBe(true);
  });
});

test("what is no validation data is refused before any work", async () => {
  for (const validationData of [false, 0, "", null, [], {}]) {
    const model = line();
    await expect(model.fit(whole, { validationData: validationData as never })).rejects.toThrow(
      failure("OptionError", /a Dataset; .* for validationData/),
    );
    expect(model.optimizer.iterations.item()).toBe(0);
  }
  const { curves } = await line().fit(whole, { validationData: undefined as never });
  expect(curves.valLoss).toBeUndefined();
});
