// Checkpoints: what is in them, going on from any of them to the same bits, and places where they cannot be written. Killed processes are
// test/checkpoint-kill.test.ts.
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adam,
  averageWeights,
  batchNorm,
  checkpoint,
  cosineDecay,
  csvLog,
  dataset,
  dense,
  dropout,
  earlyStopping,
  keepBest,
  loadModel,
  modelCheckpoint,
  reduceOnPlateau,
  relu,
  sequential,
  sgd,
  snapshots,
  stochasticWeightAverage,
  terminateOnNaN,
  type Callback,
  type CheckpointOptions,
  type FitOptions,
  type History,
  type Model,
  type StreamedBatch,
} from "simdnn";
import { readSafetensors } from "#lib/data/safetensors.js";
import { randomStream } from "#lib/random.js";
import { failure } from "../failure.js";
import { withoutChecksum } from "../without-checksum.js";

let folder: string;
let folders = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-checkpoint-"));
});
afterAll(() => rm(folder, { recursive: true }));
const fresh = (): string => join(folder, `run-${folders++}`);

const random = randomStream(1);
const inputs = Float32Array.from({ length: 53 * 4 }, () => random.normal());
const labels = Int32Array.from({ length: 53 }, (_, i) => (inputs[4 * i]! > 0 ? 1 : 0));
const train = dataset(inputs, labels, { inputShape: [4] });
const dev = train.take(20);

function network(seed: number | null = 3, learningRate: Parameters<typeof adam>[0] = { learningRate: 0.02 }): Model {
  const layers = [dense(8, { bias: false }), batchNorm(), relu(), dropout(0.3), dense(2)];
  return sequential(layers, { inputShape: [4], ...(seed !== null && { seed }) }).compile({
    loss: "softmaxCrossEntropy",
    optimizer: adam(learningRate),
    metrics: ["accuracy", "auc"],
  });
}

const bits = (model: Model): string =>
  [...model.getWeights()].map(([name, { buffer }]) => `${name} ${Buffer.from(buffer).toString("hex")}`).join("\n");

interface Run {
  readonly model: Model;
  readonly history: History;
}

async function run(options: FitOptions, model = network()): Promise<Run> {
  const history = await model.fit(train, { epochs: 3, batchSize: 8, validationData: dev, ...options });
  return { model, history };
}

/** What is in a directory beside the lock of a training that goes on. */
const listed = async (dir: string): Promise<string[]> => (await readdir(dir)).filter((name) => !name.endsWith(".lock"));

const result = ({ model, history }: Run): object => ({
  weights: bits(model),
  history,
  passes: model.passes.item(),
  iterations: model.optimizer.iterations.item(),
  rate: model.optimizer.learningRate.item(),
  epoch: model.optimizer.epoch,
});

/** Trains with a checkpoint after every step, then goes on from each of them. Returns how many there were. */
async function resumeEverywhere(
  callbacksIn: (dir: string) => Callback[],
  make = network,
  extra: FitOptions = {},
): Promise<number> {
  const expected = result(await run({ ...extra, callbacks: [...callbacksIn(fresh()), noCheckpoint] }, make()));
  const all = fresh();
  const every = { epochs: 1, steps: 1 };
  const whole = await run({ ...extra, callbacks: [...callbacksIn(fresh()), checkpoint({ dir: all, every, keep: 1000 })] }, make()); // prettier-ignore
  expect(result(whole)).toEqual(expected);
  const files = await readdir(all);
  for (const file of files) {
    const dir = fresh();
    await mkdir(dir);
    await copyFile(join(all, file), join(dir, file));
    const callbacks = [...callbacksIn(fresh()), checkpoint({ dir, resume: true })];
    expect(result(await run({ ...extra, callbacks }, make())), file).toEqual(expected);
  }
  return files.length;
}

const noCheckpoint: Callback = {};

describe("going on from a checkpoint", () => {
  it("gives the bits of the uninterrupted training, wherever it was cut", async () => {
    expect(await resumeEverywhere(() => [])).toBeGreaterThanOrEqual(20);
  });

  it("also with callbacks that remember", async () => {
    await resumeEverywhere((dir) => [
      averageWeights({ beta: 0.9 }),
      reduceOnPlateau({ patience: 1, factor: 0.5, monitor: "valLoss" }),
      csvLog(join(dir, "log.csv")),
      modelCheckpoint({ path: join(dir, "best.safetensors"), bestOnly: true }),
      keepBest({ monitor: "valAccuracy" }),
    ]);
    await resumeEverywhere(() => [stochasticWeightAverage({ from: 1 })]);
    await resumeEverywhere(() => [earlyStopping({ patience: 1, monitor: "loss", mode: "max" })]);
  });

  it("also with a schedule, in the examples' own order, and after a rate was set by hand", async () => {
    const schedule = (): Model =>
      network(3, { learningRate: cosineDecay({ initial: 0.05, over: 15 }), globalClipNorm: 1 });
    await resumeEverywhere(() => [], schedule, { shuffle: false });
    await resumeEverywhere(() => [{ onEpochEnd: (_, __, { model }) => model.optimizer.setLearningRate(0.01) }], schedule); // prettier-ignore
    await resumeEverywhere(() => [{ onEpochBegin: (_, { model: { optimizer } }) => optimizer.setLearningRate(optimizer.learningRate.item() / 2) }]); // prettier-ignore
  });

  it("keeps snapshots and the rows of a log", async () => {
    const [dir, log] = [fresh(), join(fresh(), "log.csv")];
    const options = { dir, resume: true };
    const kept = snapshots({ every: 1 });
    await run({ epochs: 2, callbacks: [kept, csvLog(log), checkpoint(options)] });
    const again = snapshots({ every: 1 });
    await run({ epochs: 3, callbacks: [again, csvLog(log), checkpoint(options)] });
    expect(again.models).toHaveLength(3);
    expect(again.models.slice(0, 2).map(bits)).toEqual(kept.models.map(bits));
    expect((await readFile(log, "utf8")).split("\n").map((line) => line.split(",")[0])).toEqual(["epoch", "0", "1", "2", ""]); // prettier-ignore
  });

  it("needs no seeds, though dropout and the order of examples go by them", async () => {
    const dir = fresh();
    const model = network(null);
    const expected = model.clone();
    await run({ callbacks: [noCheckpoint] }, expected);
    await run({ epochs: 1, callbacks: [checkpoint({ dir })] }, model);
    const other = network(null);
    expect(other.seed).not.toBe(model.seed);
    const resumed = await run({ callbacks: [checkpoint({ dir, resume: true })] }, other);
    expect(bits(resumed.model)).toBe(bits(expected));
  });

  it("of a training that is done resolves at once with its history", async () => {
    const dir = fresh();
    const first = await run({ callbacks: [checkpoint({ dir })] });
    let steps = 0;
    const more: Callback = { onBatchEnd: () => void (steps += 1) };
    const second = await run({ callbacks: [more, checkpoint({ dir, resume: true })] }).catch(String);
    expect(second).toMatch(/callbacks/); // there is one more than before
    const third = await run({ callbacks: [checkpoint({ dir, resume: true })] });
    expect(result(third)).toEqual(result(first));
    expect(steps).toBe(0);
    const longer = await run({ epochs: 4, callbacks: [checkpoint({ dir, resume: true })] });
    expect(result(longer)).toEqual(result(await run({ epochs: 4, callbacks: [noCheckpoint] })));
  });

  it("of a stream skips what has been trained on", async () => {
    const batches = function* (): Generator<StreamedBatch> {
      for (let i = 0; i < 6; i++) yield { inputs: inputs.slice(32 * i, 32 * i + 32), targets: labels.slice(8 * i, 8 * i + 8) }; // prettier-ignore
    };
    for (const extra of [{}, { stepsPerEpoch: 4 }]) {
      const fit = async (callbacks: Callback[]): Promise<object> => {
        const model = network();
        const history = await model.fit(batches, { epochs: 3, ...extra, callbacks });
        return result({ model, history });
      };
      const expected = await fit([]);
      const all = fresh();
      await fit([checkpoint({ dir: all, every: { steps: 1 }, keep: 1000 })]);
      for (const file of await readdir(all)) {
        const dir = fresh();
        await mkdir(dir);
        await copyFile(join(all, file), join(dir, file));
        expect(await fit([checkpoint({ dir, resume: true })])).toEqual(expected);
      }
    }
  });

  it("is possible after an abort, in the middle of an epoch, of a step's batch, and of a validation", async () => {
    const expected = result(await run({ callbacks: [noCheckpoint, noCheckpoint] }));
    // With the second interval the epoch comes in pieces, and the abort in the middle of it.
    for (const [every, at] of [100, { steps: 2 }].flatMap((every) =>
      Array.from({ length: 24 }, (_, i) => [every, i + 1] as const),
    )) {
      // prettier-ignore
      const dir = fresh();
      for (let round = 0; round < 2; round++) {
        const controller = new AbortController();
        const reason = new Error("shutdown");
        let calls = 0;
        const stop = (): void => {
          if (round === 0 && ++calls === at) controller.abort(reason);
        };
        const shutdown: Callback = { onBatchEnd: stop, onEpochEnd: stop };
        const callbacks = [shutdown, checkpoint({ dir, every, resume: true })];
        const fitted = run({ callbacks, signal: controller.signal });
        if (round === 0 && at < 24) await expect(fitted).rejects.toBe(reason);
        else expect(result(await fitted)).toEqual(expected);
      }
    }
  });
});

describe("a checkpoint", () => {
  it("is written when it is due, and so many are kept", async () => {
    const dir = fresh();
    const seen: string[][] = [];
    const look: Callback = { onEpochBegin: async () => void seen.push(await listed(dir)) };
    await run({ epochs: 5, callbacks: [look, checkpoint({ dir, every: 2, keep: 2 })] });
    const names = (...numbers: number[]): string[] => numbers.map((n) => `checkpoint-00000${n}.safetensors`);
    expect(seen).toEqual([[], [], names(1), names(1), names(1, 2)]);
    expect(await readdir(dir)).toEqual(names(2, 3)); // one more for the end
    await run({ epochs: 1, callbacks: [checkpoint({ dir, every: { steps: 3 }, keep: 100 })] });
    expect(await readdir(dir)).toEqual(names(2, 3, 4, 5, 6)); // steps 3, 6, and the 7th, which is the last
  });

  it("is a model that can be loaded, with the optimizer's state beside it", async () => {
    const dir = fresh();
    const { model } = await run({ callbacks: [checkpoint({ dir, keep: 1 })] });
    const [file] = await readdir(dir);
    const loaded = await loadModel(join(dir, file!));
    expect(bits(loaded)).toBe(bits(model));
    const { tensors } = await readSafetensors(join(dir, file!));
    expect(tensors.get("training.optimizer.iterations")!.data).toEqual(Int32Array.of(21));
    expect(tensors.get("training.passes")!.data).toEqual(Int32Array.of(21));
    expect([...tensors.keys()]).toContain("training.optimizer.secondMoment.dense1.weight");
  });

  it("can be written by several, and takes away what a crash has left", async () => {
    const [a, b] = [fresh(), fresh()];
    await mkdir(a);
    await writeFile(join(a, ".checkpoint-000007.safetensors.1234.tmp"), "half");
    await writeFile(join(a, ".notes.tmp"), "mine");
    await run({ callbacks: [checkpoint({ dir: a, keep: 1 }), checkpoint({ dir: b, every: { steps: 5 }, keep: 1 })] });
    expect(await readdir(a)).toEqual([".notes.tmp", "checkpoint-000003.safetensors"]);
    expect(await readdir(b)).toHaveLength(1);
  });

  it("of another training is refused", async () => {
    const dir = fresh();
    await run({ callbacks: [checkpoint({ dir })] });
    const resumed = (options: FitOptions, model = network()): Promise<Run> =>
      run({ callbacks: [checkpoint({ dir, resume: true })], ...options }, model);
    await expect(resumed({ batchSize: 9 })).rejects.toThrow(failure("OptionError", /expected 8, with which the training began that is to be resumed, for batchSize/)); // prettier-ignore
    await expect(resumed({ seed: 12 })).rejects.toThrow(failure("OptionError", /for seed/));
    await expect(resumed({ shuffle: false })).rejects.toThrow(failure("OptionError", /for shuffle/));
    await expect(network().fit(dev, { batchSize: 8, callbacks: [checkpoint({ dir, resume: true })] })).rejects.toThrow(failure("OptionError", /expected 53/)); // prettier-ignore
    const narrower = sequential([dense(2)], { inputShape: [4] }).compile({ loss: "softmaxCrossEntropy" });
    await expect(resumed({}, narrower)).rejects.toThrow(failure("FileError", /expected dense1.weight as F32 \[4, 2\]/));
    const other = network().compile({ loss: "softmaxCrossEntropy", optimizer: "adagrad" });
    await expect(resumed({}, other)).rejects.toThrow(failure("FileError", /training.optimizer/));
    const [file] = await readdir(dir);
    const model = network();
    const before = bits(model);
    for (const name of await readdir(dir)) if (name !== file) await rm(join(dir, name));
    for (const damage of [Buffer.from("junk"), (await readFile(join(dir, file!))).subarray(0, 900)]) {
      await writeFile(join(dir, file!), damage);
      await expect(resumed({}, model)).rejects.toThrow(failure("FileError", new RegExp(file!)));
    }
    await network().save(join(dir, file!));
    await expect(resumed({}, model)).rejects.toThrow(failure("FileError", /a checkpoint of a training/));
    expect(bits(model)).toBe(before);
  });

  it("falls back to the newest one that is whole, and names those that are not", async () => {
    const expected = result(await run({}));
    const dir = fresh();
    await run({ epochs: 2, callbacks: [checkpoint({ dir, keep: 9, every: { steps: 3 } })] });
    const names = await listed(dir);
    const damage = async (name: string, content: string | Buffer): Promise<void> => writeFile(join(dir, name), content);
    const flipped = await readFile(join(dir, names.at(-1)!));
    flipped[flipped.length - 5]! ^= 16;
    await damage(names.at(-1)!, flipped);
    await damage(names.at(-2)!, "");
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on("warning", note);
    const resumed = await run({ callbacks: [checkpoint({ dir, resume: true, keep: 3 })] });
    process.off("warning", note);
    expect(result(resumed)).toEqual(expected);
    expect(warnings.map(({ name }) => name)).toEqual(["CheckpointWarning", "CheckpointWarning"]);
    expect(warnings[0]!.message).toContain(names.at(-1));
    expect(warnings[1]!.message).toContain(names.at(-2));
    for (const { message } of warnings) expect(message).toContain(`Going on with ${join(dir, names.at(-3)!)}`);
    const left = await listed(dir);
    expect(left).toHaveLength(3);
    for (const name of names.slice(-2)) expect(left).not.toContain(name); // damaged ones are the first to go
    await damage(left.at(-1)!, "junk");
    const told: unknown[] = [];
    const telling = checkpoint({ dir, resume: true, onError: (error) => told.push(error) });
    expect(result(await run({ callbacks: [telling] }))).toEqual(expected);
    expect(told).toEqual([expect.objectContaining({ code: "FileError", message: expect.stringContaining(left.at(-1)!) as string })]); // prettier-ignore
    for (const name of await listed(dir)) await damage(name, "junk");
    await expect(run({ callbacks: [checkpoint({ dir, resume: true })] })).rejects.toThrow(failure("FileError", /checkpoint-0000/)); // prettier-ignore
  });

  it("directory has one training at a time", async () => {
    const dir = fresh();
    const busy = failure("BusyError", `"${dir}" is in use by a training of this process; wait until it has ended, or choose another directory`); // prettier-ignore
    let second: Promise<unknown> | undefined;
    const meanwhile: Callback = {
      onEpochBegin: () => {
        second ??= expect(run({ callbacks: [checkpoint({ dir, onError: () => undefined })] })).rejects.toThrow(busy);
      },
    };
    const first = checkpoint({ dir, keep: 9 });
    await run({ callbacks: [meanwhile, first] });
    await second;
    expect(await readdir(dir)).toHaveLength(3);
    await run({ callbacks: [first] });
    await expect(run({ callbacks: [first, checkpoint({ dir })] })).rejects.toThrow(busy);
    const failing: Callback = { onEpochEnd: () => Promise.reject(new Error("mine")) };
    await expect(run({ callbacks: [failing, first] })).rejects.toThrow("mine");
    await expect(run({ batchSize: 9, callbacks: [checkpoint({ dir, resume: true })] })).rejects.toThrow("batchSize");
    expect(await readdir(dir)).toEqual(await listed(dir));
  });

  it("with a damaged state gives a FileError and nothing else", async () => {
    const dir = fresh();
    await run({ callbacks: [keepBest(), averageWeights(), checkpoint({ dir, every: { steps: 4 }, keep: 1 })] });
    const [name] = (await readdir(dir)) as [string];
    const good = withoutChecksum(await readFile(join(dir, name)));
    const length = Number(good.readBigUInt64LE());
    const header = good.toString("utf8", 8, 8 + length);
    const begin = header.indexOf('"training":"');
    const damaged = randomStream(5);
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(good);
      for (let i = 0; i < 1 + damaged.integer(3); i++)
        bytes[8 + begin + 12 + damaged.integer(1500)] = 32 + damaged.integer(94);
      await writeFile(join(dir, name), bytes);
      const callbacks = [keepBest(), averageWeights(), checkpoint({ dir, resume: true })];
      const outcome = await run({ epochs: 1, callbacks }).catch((error: unknown) => error);
      if (!(outcome instanceof Error)) continue;
      refused++;
      expect(["FileError", "OptionError", "ShapeError"]).toContain((outcome as { code?: string }).code);
    }
    expect(refused).toBeGreaterThan(100);
  });

  it("checks its options", () => {
    const wrong = (options: unknown, text: RegExp): void =>
      expect(() => checkpoint(options as CheckpointOptions)).toThrow(failure("OptionError", text));
    wrong(undefined, /a path for dir/);
    wrong({ dir: "x", evry: 1 }, /did you mean "every"/);
    wrong({ dir: "x", every: 0 }, /positive integer for every/);
    wrong({ dir: "x", every: {} }, /epochs, steps/);
    wrong({ dir: "x", every: { step: 1 } }, /did you mean "steps"/);
    wrong({ dir: "x", keep: 0 }, /keep/);
    wrong({ dir: "x", onError: true }, /a function for onError/);
  });
});

describe("where a checkpoint cannot be written", () => {
  it("a training does not begin, or goes on if it was asked to", async () => {
    const dir = "/proc/simdnn-checkpoints";
    const model = network();
    const before = bits(model);
    await expect(run({ callbacks: [checkpoint({ dir })] }, model)).rejects.toThrow(failure("FileError", /\/proc\/simdnn/)); // prettier-ignore
    expect(bits(model)).toBe(before);
    const errors: unknown[] = [];
    const told = checkpoint({ dir, onError: (error) => errors.push(error) });
    expect(result(await run({ callbacks: [told] }))).toEqual(result(await run({ callbacks: [noCheckpoint] })));
    expect(errors).toHaveLength(5); // at the beginning, for each epoch, and once more in the end
    expect(errors[3]).toMatchObject({ code: "FileError" });
    const rejecting = checkpoint({ dir, onError: () => Promise.reject(new Error("no place to go")) });
    await expect(run({ callbacks: [rejecting] })).rejects.toThrow("no place to go");
  });

  it("any more, the last one stays as it is", async () => {
    for (const onError of [undefined, () => undefined]) {
      const dir = fresh();
      const spoil: Callback = {
        onEpochEnd: async (epoch) => {
          if (epoch !== 1) return;
          await rename(dir, `${dir}-moved`);
          await writeFile(dir, "in the way");
        },
      };
      const fitted = run({ callbacks: [spoil, checkpoint({ dir, ...(onError && { onError }) })] });
      if (onError) await fitted;
      else await expect(fitted).rejects.toThrow(failure("FileError", /no directory/));
      const [file, ...others] = await listed(`${dir}-moved`);
      expect(others).toEqual([]);
      const { tensors } = await readSafetensors(join(`${dir}-moved`, file!));
      expect(tensors.get("training.passes")!.data).toEqual(Int32Array.of(7));
    }
  });
});

it("a training that ended for its NaN is not taken for done", async () => {
  const dir = fresh();
  const model = (rate: number): Model =>
    sequential([dense(1)], { inputShape: [4], seed: 1 }).compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate: rate }) }); // prettier-ignore
  const data = dataset(inputs, Float32Array.from(labels), { inputShape: [4] });
  const callbacks = (): Callback[] => [terminateOnNaN(), checkpoint({ dir, resume: true })];
  const { stopped, epochs } = await model(1e6).fit(data, { epochs: 50, callbacks: callbacks() });
  expect(stopped).toBe("terminateOnNaN");
  const again = await model(1e6).fit(data, { epochs: 50, callbacks: callbacks() });
  expect([again.stopped, again.epochs]).toEqual(["terminateOnNaN", epochs]);
});
