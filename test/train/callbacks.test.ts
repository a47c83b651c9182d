// Callbacks: when each is called and with what, and those of the library by the files and rates they leave behind.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  csvLog,
  dataset,
  dense,
  earlyStopping,
  keepBest,
  l2,
  learningRateScheduler,
  loadModel,
  modelCheckpoint,
  ops,
  reduceOnPlateau,
  relu,
  sequential,
  sgd,
  terminateOnNaN,
  type Callback,
  type FitOptions,
  type LearningRate,
  type Logs,
  type Model,
} from "simdnn";
import { failure } from "../failure.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-callbacks-"));
});
afterAll(() => rm(folder, { recursive: true }));

const data = dataset([[1], [2], [3], [4], [5]], [2, 4, 6, 8, 10]); // prettier-ignore

function line(learningRate: LearningRate = 0.01): Model {
  const model = sequential([dense(1, { weightInitializer: "zeros" })], { inputShape: [1], seed: 1 });
  return model.compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate }), metrics: ["meanAbsoluteError"] });
}

/** A stand-in for a curve: overwrites `valLoss` in the logs, which later callbacks see. */
const script = (values: readonly number[]): Callback => ({
  onEpochEnd: (epoch, logs) => {
    (logs as Record<string, number>).valLoss = values[epoch]!;
  },
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

test("the life cycle, in order, async calls awaited", async () => {
  const calls: string[] = [];
  const slow = (name: string) => async (): Promise<void> => {
    await pause();
    calls.push(name);
  };
  const callback: Callback = {
    recordStep: () => void calls.push("recordStep"),
    onTrainBegin: slow("onTrainBegin"),
    onEpochBegin: slow("onEpochBegin"),
    onBatchEnd: (step) => void calls.push(`onBatchEnd ${step}`),
    onEpochEnd: slow("onEpochEnd"),
    onTrainEnd: slow("onTrainEnd"),
  };
  await line().fit(data, { epochs: 2, batchSize: 2, callbacks: [callback] });
  const epoch = ["onEpochBegin", "onBatchEnd 0", "onBatchEnd 1", "onBatchEnd 2", "onEpochEnd"];
  // Recorded once per size of batch: two, and the one that is left over.
  expect(calls).toEqual(["recordStep", "recordStep", "onTrainBegin", ...epoch, ...epoch, "onTrainEnd"]);
});

test("onBatchEnd has the figures of each batch, onEpochEnd those of all examples", async () => {
  const batches: Logs[] = [];
  const model = line(1e-30);
  const callback: Callback = { onBatchEnd: (_, logs) => void batches.push(logs) };
  const { curves } = await model.fit(data, { batchSize: 2, shuffle: false, callbacks: [callback] });
  expect(batches).toEqual([
    { loss: 10, meanAbsoluteError: 3 },
    { loss: 50, meanAbsoluteError: 7 },
    { loss: 100, meanAbsoluteError: 10 },
  ]);
  expect(curves.loss).toEqual([44]);
  expect(curves.meanAbsoluteError).toEqual([6]);
});

test("onBatchEnd that throws ends the fit", async () => {
  const oops = new Error("oops");
  const callback: Callback = {
    onBatchEnd: () => {
      throw oops;
    },
  };
  await expect(line().fit(data, { callbacks: [callback] })).rejects.toBe(oops);
});

test("ops of recordStep run at the end of every step, on the updated weights", async () => {
  const model = line(0.01);
  const weight = model.weights.get("dense1.weight")!;
  const seen: number[] = [];
  const halve: Callback = {
    recordStep: (trained) => {
      const kept = trained.weights.get("dense1.weight")!;
      ops.assign(kept, kept.mul(0.5));
    },
    onEpochEnd: () => void seen.push(weight.item()),
  };
  await model.fit(data, { epochs: 2, batchSize: 5, callbacks: [halve] });
  // By hand: w is halved after each update, b is not. dL/dw = 2/5 Σ (w x + b - 2x) x, dL/db = 2/5 Σ (w x + b - 2 x).
  let [w, b] = [0, 0];
  for (let epoch = 0; epoch < 2; epoch++) {
    const errors = [1, 2, 3, 4, 5].map((x) => w * x + b - 2 * x);
    const dw = (2 / 5) * errors.reduce((sum, e, i) => sum + e * (i + 1), 0);
    b -= 0.01 * (2 / 5) * errors.reduce((sum, e) => sum + e);
    w = (w - 0.01 * dw) / 2;
    expect(seen[epoch]).toBeCloseTo(w, 6);
  }
});

describe("reduceOnPlateau", () => {
  const rates = async (options: Parameters<typeof reduceOnPlateau>[0], values: number[]): Promise<number[]> => {
    const after: number[] = [];
    const record: Callback = {
      onEpochEnd: (_, __, { model }) => void after.push(Number(model.optimizer.learningRate.item().toPrecision(12))),
    };
    const callbacks = [script(values), reduceOnPlateau(options), record];
    const { curves } = await line(1e-6).fit(data, { epochs: values.length, validationData: data, callbacks });
    // A rate holds from the next epoch on.
    expect(curves.learningRate!.slice(1).map((rate) => Number(rate.toPrecision(12)))).toEqual(after.slice(0, -1));
    return after;
  };

  test("reduces after `patience` epochs without improvement, and again", async () => {
    expect(await rates({ factor: 0.5, patience: 2 }, [5, 4, 4, 4, 4, 4, 3, 3])).toEqual(
      [1e-6, 1e-6, 1e-6, 5e-7, 5e-7, 2.5e-7, 2.5e-7, 2.5e-7], // prettier-ignore
    );
  });

  test("takes less than minDelta for none, waits during the cooldown, and ends at minRate", async () => {
    expect(await rates({ factor: 0.5, patience: 1, minDelta: 0.5 }, [5, 4.6, 4.2])).toEqual([1e-6, 5e-7, 5e-7]);
    expect(await rates({ factor: 0.5, patience: 1, cooldown: 2 }, [5, 5, 5, 5, 5])).toEqual([1e-6, 5e-7, 5e-7, 2.5e-7, 2.5e-7]); // prettier-ignore
    expect(await rates({ factor: 0.5, patience: 1, minRate: 4e-7 }, [5, 5, 5, 5])).toEqual([1e-6, 5e-7, 4e-7, 4e-7]);
    expect(await rates({ factor: 0.5, patience: 1, mode: "max" }, [5, 6, 6])).toEqual([1e-6, 1e-6, 5e-7]);
  });

  test("refuses a schedule and wrong options", async () => {
    const fit = line(() => 0.1).fit(data, { validationData: data, callbacks: [reduceOnPlateau()] });
    await expect(fit).rejects.toEqual(failure("StateError", /follows a schedule; give sgd a number/));
    expect(() => reduceOnPlateau({ factor: 1 })).toThrow(failure("OptionError", /between 0 and 1 for factor/));
    expect(() => reduceOnPlateau({ mode: "least" as never })).toThrow(failure("OptionError", /for mode/));
    expect(() => reduceOnPlateau({ patiense: 1 } as never)).toThrow(failure("OptionError", /did you mean "patience"/));
  });
});

describe("the curve to watch", () => {
  const watchers: [string, (options?: { monitor: string }) => Callback][] = [
    ["earlyStopping", earlyStopping],
    ["keepBest", keepBest],
    ["reduceOnPlateau", reduceOnPlateau],
    ["modelCheckpoint", (options) => modelCheckpoint({ path: join(folder, "watched.safetensors"), bestOnly: true, ...options })],
  ]; // prettier-ignore

  test.each(watchers)("%s refuses one that there will not be, before the training", async (name, make) => {
    const model = line();
    const fit = (callback: Callback, options: FitOptions): Promise<unknown> =>
      model.fit(data, { ...options, callbacks: [callback] });
    await expect(fit(make({ monitor: "valMeanAbsoluteEror" }), { validationData: data })).rejects.toThrow(
      failure("OptionError", `${name}: expected one of loss, meanAbsoluteError, valLoss, valMeanAbsoluteError, learningRate for monitor but received "valMeanAbsoluteEror" (string); did you mean "valMeanAbsoluteError"?`), // prettier-ignore
    );
    const unvalidated = /expected one of loss, meanAbsoluteError, learningRate \(fit was given no validationData\) for monitor but received "valLoss" \(string\)$/; // prettier-ignore
    await expect(fit(make(), {})).rejects.toThrow(failure("OptionError", unvalidated));
    expect(model.weights.get("dense1.weight")!.item()).toBe(0);
    await fit(make({ monitor: "loss" }), {});
    await fit(make(), { validationData: data });
  });

  test("is one of those that the history will have, with every option", async () => {
    const model = sequential([dense(2, { weightRegularizer: l2(0.1) }), relu(), dense(1)], {
      inputShape: [1],
      seed: 1,
    });
    model.compile({ loss: "meanSquaredError", metrics: ["r2", "meanAbsoluteError"] });
    let promised: readonly string[] = [];
    const record: Callback = { onTrainBegin: ({ curves }) => void (promised = curves) };
    const options: FitOptions = { callbacks: [record], watch: ["activations", "gradients"], nonFinite: "skip" };
    for (const validationData of [undefined, data]) {
      const { curves } = await model.fit(data, validationData ? { ...options, validationData } : options);
      expect([...promised].sort()).toEqual(Object.keys(curves).sort());
    }
  });
});

test("learningRateScheduler sets the rate before each epoch", async () => {
  const given: [number, number][] = [];
  const callback = learningRateScheduler((epoch, current) => {
    given.push([epoch, current]);
    return current / 2;
  });
  const { curves } = await line(0.008).fit(data, { epochs: 3, callbacks: [callback] });
  expect(curves.learningRate).toEqual([0.004, 0.002, 0.001]);
  expect(given).toEqual([[0, 0.008], [1, 0.004], [2, 0.002]]); // prettier-ignore
  for (const wrong of [NaN, -1, undefined]) {
    const model = line();
    const failed = model.fit(data, { callbacks: [learningRateScheduler(() => wrong!)] });
    await expect(failed).rejects.toMatchObject({ code: "OptionError" });
    expect(model.weights.get("dense1.weight")!.item()).toBe(0);
  }
  expect(() => learningRateScheduler(0.1 as unknown as () => number)).toThrow(failure("OptionError", /a function of the epoch for rate but received 0.1/)); // prettier-ignore
});

describe("modelCheckpoint", () => {
  test("saves every so many epochs under their numbers", async () => {
    const path = join(folder, "every", "{epoch}.safetensors");
    const model = line();
    await model.fit(data, { epochs: 5, callbacks: [modelCheckpoint({ path, every: 2 })] });
    expect((await readdir(join(folder, "every"))).sort()).toEqual(["2.safetensors", "4.safetensors"]);
  });

  test("saves the best only, with the weights of its epoch", async () => {
    const weights: number[] = [];
    const model = line();
    const path = (epoch: number, logs: Logs): string => join(folder, `best-${epoch}-${logs.valLoss}`);
    const record: Callback = { onEpochEnd: (_, __, training) => void weights.push(training.model.getWeights().get("dense1.weight")![0]!) }; // prettier-ignore
    await model.fit(data, { epochs: 4, validationData: data, callbacks: [script([5, 6, 3, 4]), modelCheckpoint({ path, bestOnly: true }), record] }); // prettier-ignore
    const saved = (await readdir(folder)).filter((name) => name.startsWith("best"));
    expect(saved.sort()).toEqual(["best-0-5", "best-2-3"]);
    expect((await loadModel(join(folder, "best-2-3"))).weights.get("dense1.weight")!.item()).toBe(weights[2]);
  });

  test("finds out before the training that it cannot write", async () => {
    await writeFile(join(folder, "file"), "");
    let epochs = 0;
    const count: Callback = { onEpochBegin: () => void (epochs += 1) };
    const callbacks = [modelCheckpoint({ path: join(folder, "file", "a") }), count];
    await expect(line().fit(data, { callbacks })).rejects.toMatchObject({ code: "FileError" });
    expect(epochs).toBe(0);
    expect(() => modelCheckpoint({} as never)).toThrow(failure("OptionError", /for path but received undefined/));
  });
});

describe("csvLog", () => {
  test("writes a row per epoch, and goes on with a log", async () => {
    const path = join(folder, "new", "log.csv");
    const model = line();
    const { curves } = await model.fit(data, { epochs: 2, validationData: data, callbacks: [csvLog(path)] });
    const rows = (first: number) => curves.loss!.map((_, i) => [first + i, ...Object.values(curves).map((c) => c[i])].join()); // prettier-ignore
    const header = "epoch,loss,meanAbsoluteError,valLoss,valMeanAbsoluteError,learningRate";
    expect(await readFile(path, "utf8")).toBe(`${[header, ...rows(0)].join("\n")}\n`);
    await model.fit(data, { validationData: data, callbacks: [csvLog(path, { append: true })] });
    expect((await readFile(path, "utf8")).trim().split("\n")).toHaveLength(4);
    const other = model.fit(data, { callbacks: [csvLog(path, { append: true })] });
    await expect(other).rejects.toEqual(failure("FileError", /expected the columns epoch,loss,/));
    await model.fit(data, { callbacks: [csvLog(path)] });
    expect((await readFile(path, "utf8")).trim().split("\n")).toHaveLength(2);
  });

  test("quotes names with commas and quotes", async () => {
    const path = join(folder, "quoted.csv");
    const model = line();
    model.compile({ loss: "meanSquaredError", metrics: [{ name: 'a "b", c', call: ({ outputs }) => outputs }] });
    await model.fit(data, { callbacks: [csvLog(path)] });
    expect((await readFile(path, "utf8")).split("\n")[0]).toBe('epoch,loss,"a ""b"", c",learningRate');
  });
});

test("terminateOnNaN ends the training in order, with the weights of the last whole step", async () => {
  const ended: string[] = [];
  const end: Callback = {
    onTrainEnd: () => void ended.push("end"),
    onEpochEnd: (epoch) => void ended.push(`${epoch}`),
  };
  const model = line((_, epoch) => (epoch < 2 ? 0.01 : 1e30));
  const { stopped, epochs, curves } = await model.fit(data, { epochs: 9, batchSize: 1, callbacks: [terminateOnNaN(), end] }); // prettier-ignore
  expect({ stopped, epochs }).toEqual({ stopped: "terminateOnNaN", epochs: 2 });
  expect(curves.loss).toHaveLength(2);
  expect(ended).toEqual(["0", "1", "end"]);
  expect([...model.getWeights().values()].flatMap((values) => [...values]).every(Number.isFinite)).toBe(true);
});

test("a curve that begins with NaN still has a best epoch", async () => {
  const { epochs } = await line().fit(data, {
    epochs: 6,
    validationData: data,
    callbacks: [script([NaN, 4, 3, 3, 3, 3]), earlyStopping({ patience: 2 })],
  });
  expect(epochs).toBe(5);
});
