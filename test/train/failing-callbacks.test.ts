// What fit() takes as callbacks, and what it does when they fail.
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { dataset, dense, sequential, type Callback, type Model } from "simdnn";
import { failure } from "../failure.js";

const network = (): Model =>
  sequential([dense(2)], { inputShape: [2], seed: 1 }).compile({ loss: "softmaxCrossEntropy" });
const xor = dataset([[0, 0], [0, 1], [1, 0], [1, 1]], Int32Array.of(0, 1, 1, 0)); // prettier-ignore

const hooks = ["onTrainBegin", "onEpochBegin", "onProgress", "onBatchEnd", "onEpochEnd", "onTrainEnd"] as const;

describe("a callback that throws", () => {
  test.each(hooks)("in %s ends the fit with its error, and every onTrainEnd is called", async (hook) => {
    const model = network();
    let ended = 0;
    const end: Callback = {
      onTrainEnd: () => {
        ended++;
      },
    };
    const failing: Callback = {
      [hook]: () => {
        throw new Error(`from ${hook}`);
      },
    };
    await expect(model.fit(xor, { epochs: 3, callbacks: [end, failing, end] })).rejects.toThrow(`from ${hook}`);
    expect(ended).toBe(2);
    await model.fit(xor); // nothing stays locked
  });

  test.each(hooks)("what is no error in %s ends it, too", async (hook) => {
    for (const thrown of [undefined, null, 0, "text"]) {
      const failing: Callback = {
        [hook]: () => {
          throw thrown; // eslint-disable-line @typescript-eslint/only-throw-error -- that is the case
        },
      };
      const ended = network().fit(xor, { callbacks: [failing] });
      await expect(ended.then(() => "resolved", (error: unknown) => ({ error }))).resolves.toEqual({ error: thrown }); // prettier-ignore
    }
  });

  test("in onTrainEnd does not hide what ended the training", async () => {
    const failing: Callback = {
      onTrainEnd: () => {
        throw new Error("second");
      },
    };
    await expect(
      network().fit(xor, { callbacks: [failing], epochs: 2, signal: AbortSignal.abort(new Error("first")) }),
    ).rejects.toThrow("first");
  });

  test("in onProgress ends a long epoch at once", async () => {
    const rows = 4_000_000;
    const long = dataset(new Float32Array(rows), new Int32Array(rows), { inputShape: [1] });
    const model = sequential([dense(2)], { inputShape: [1], seed: 1 }).compile({ loss: "softmaxCrossEntropy" });
    const failing: Callback = {
      onProgress: () => {
        throw new Error("enough");
      },
    };
    await expect(model.fit(long, { batchSize: 1, shuffle: false, callbacks: [failing] })).rejects.toThrow("enough");
    expect(model.optimizer.iterations.item()).toBeLessThan(rows);
  });

  test("an async onProgress is refused, and its own failure crashes nothing", async () => {
    const callback: Callback = { onProgress: () => Promise.reject(new Error("nobody waits for this")) as never };
    await expect(network().fit(xor, { callbacks: [callback] })).rejects.toThrow(
      failure("OptionError", /a function that is not async for onProgress/),
    );
  });
});

describe("a callback that does not end", () => {
  const awaited = ["onTrainBegin", "onEpochBegin", "onEpochEnd", "onTrainEnd"] as const;
  test.each(awaited)("in %s holds up no abort", async (hook) => {
    const stop = new AbortController();
    const model = network();
    const stuck: Callback = {
      [hook]: async () => {
        void setTimeout(10).then(() => stop.abort("enough"));
        await new Promise(() => undefined);
      },
    };
    await expect(model.fit(xor, { callbacks: [stuck], signal: stop.signal })).rejects.toBe("enough");
    await model.fit(xor); // nothing stays locked
  });

  test("at once has time to", async () => {
    const stop = new AbortController();
    const ended: string[] = [];
    const slow: Callback = {
      onEpochEnd: async () => {
        stop.abort("enough");
        await setTimeout(20);
        ended.push("onEpochEnd");
      },
    };
    const next: Callback = {
      onEpochEnd: () => void ended.push("next"),
      onTrainEnd: () => void ended.push("onTrainEnd"),
    };
    await expect(network().fit(xor, { epochs: 2, callbacks: [slow, next], signal: stop.signal })).rejects.toBe(
      "enough",
    );
    expect(ended).toEqual(["onEpochEnd", "next", "onTrainEnd"]);
  });
});

describe("what is no callback is refused before any work", () => {
  test.each([
    [null, /an object with hooks for callbacks\[0\]/],
    [() => undefined, /an object with hooks for callbacks\[0\]/],
    [{ onEpochEnd: 5 }, "callbacks[0]: expected a function for onEpochEnd but received 5 (number)"],
    [{ onEpochend: () => undefined }, /did you mean "onEpochEnd"/],
  ])("%o", async (callback, message) => {
    await expect(network().fit(xor, { callbacks: [callback as Callback] })).rejects.toThrow(
      failure("OptionError", message),
    );
  });

  test("but it may hold what it likes beside its hooks", async () => {
    const counting = { once: true, epochs: 0, onEpochEnd: () => ++counting.epochs };
    await network().fit(xor, { epochs: 2, callbacks: [counting as object] });
    expect(counting.epochs).toBe(2);
  });
});
