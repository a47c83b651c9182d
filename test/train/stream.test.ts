// Streams as data: what may be streamed, back-pressure, ends, errors and aborts.
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { dataset, dense, sequential, sgd, type Model, type StreamedBatch, type StreamItem } from "simdnn";
import { failure } from "../failure.js";

const line = (): Model =>
  sequential([dense(1)], { inputShape: [2], seed: 1 }).compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate: 0.01 }) }); // prettier-ignore

const inputs = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
const targets = Float32Array.from({ length: 20 }, (_, i) => Math.cos(i));
const whole = dataset(inputs, targets, { inputShape: [2] });

/** The 20 examples in batches of these sizes. */
function* batches(...sizes: number[]): Generator<StreamedBatch> {
  let first = 0;
  for (const size of sizes) {
    yield { inputs: inputs.slice(2 * first, 2 * (first + size)), targets: targets.slice(first, first + size) };
    first += size;
  }
}

async function* slowly<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) {
    await sleep(1);
    yield item;
  }
}

async function trainedOn(data: Parameters<Model["fit"]>[0], options: object = {}): Promise<Model> {
  const model = line();
  await model.fit(data, options);
  return model;
}

describe("a stream", () => {
  it("of batches gives the bits of a dataset in the same order", async () => {
    const expected = (await trainedOn(whole, { epochs: 3, batchSize: 8, shuffle: false })).getWeights();
    const sizes = [8, 8, 4];
    for (const data of [
      () => batches(...sizes),
      () => slowly(batches(...sizes)),
      () => Readable.from(batches(...sizes)),
      { [Symbol.asyncIterator]: () => slowly(batches(...sizes)) },
    ])
      expect((await trainedOn(data, { epochs: 3 })).getWeights()).toEqual(expected);
  });

  it("of examples is put together to batches", async () => {
    const items = function* (): Generator<StreamItem> {
      for (let i = 0; i < 20; i++) yield { input: inputs.slice(2 * i, 2 * i + 2), target: [targets[i]!] };
    };
    const expected = (await trainedOn(whole, { epochs: 2, batchSize: 8, shuffle: false })).getWeights();
    expect((await trainedOn(items, { epochs: 2, batchSize: 8 })).getWeights()).toEqual(expected);
  });

  it("of examples with labels, of datasets, of integers and weights", async () => {
    const classifier = (): Model => sequential([dense(3)], { inputShape: [2], seed: 1 }).compile({ loss: "softmaxCrossEntropy" }); // prettier-ignore
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const labels = Int32Array.of(0, 2, 1);
    const sampleWeights = [1, 2, 0.5];
    const data = dataset(bytes, labels, { inputShape: [2], sampleWeights });
    const losses = [];
    for (const item of [data, { inputs: bytes, targets: labels, sampleWeights }])
      losses.push((await classifier().fit(() => [item])).curves.loss![0]);
    expect(losses[1]).toBe(losses[0]);
    expect(losses[0]).toBe((await classifier().fit(data, { shuffle: false })).curves.loss![0]);
    const [a, b] = [classifier(), classifier()];
    await a.fit(() => [0, 1, 2].map((i) => ({ input: [...bytes.subarray(2 * i, 2 * i + 2)], label: labels[i]! })));
    await b.fit(dataset(bytes, labels, { inputShape: [2] }), { shuffle: false });
    expect(a.getWeights()).toEqual(b.getWeights());
  });

  it("may have batches of any sizes; figures are means over examples", async () => {
    const model = sequential([dense(1, { weightInitializer: "zeros" })], { inputShape: [1] });
    model.compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate: 1e-30 }) });
    const sizes = Array.from({ length: 40 }, (_, i) => (i % 20) + 1); // more than there are recordings kept
    const stream = function* (): Generator<StreamedBatch> {
      for (const size of sizes) yield { inputs: new Float32Array(size), targets: new Float32Array(size).fill(size) };
    };
    const { curves } = await model.fit(stream);
    const [sum, count] = sizes.reduce(([sum, count], size) => [sum + size ** 3, count + size], [0, 0]);
    expect(curves.loss![0]).toBeCloseTo(sum / count, 3);
  });

  it("goes on from epoch to epoch with stepsPerEpoch, and is opened anew at its end", async () => {
    const opened: number[] = [];
    const steps: (number | undefined)[] = [];
    const data = (): Generator<StreamedBatch> => {
      opened.push(opened.length);
      return batches(4, 4, 4, 4, 4);
    };
    const model = line();
    await model.fit(data, { epochs: 4, stepsPerEpoch: 3, callbacks: [{ onEpochEnd: (_, __, { steps: s }) => void steps.push(s) }] }); // prettier-ignore
    expect(model.optimizer.iterations.item()).toBe(12);
    expect(opened).toHaveLength(3);
    expect(steps).toEqual([3, 3, 3, 3]);
    const flat = await trainedOn(() => [...batches(4, 4, 4, 4, 4), ...batches(4, 4, 4, 4, 4), ...batches(4, 4)]);
    expect(model.getWeights()).toEqual(flat.getWeights());
  });

  it("that is used up says so", async () => {
    const once = slowly(batches(10, 10));
    await expect(trainedOn(once, { epochs: 2 })).rejects.toThrow(failure("StateError", /pass a function that opens it anew/)); // prettier-ignore
    await expect(trainedOn(slowly([]))).rejects.toThrow(failure("StateError", /gives no more batches/));
    await expect(trainedOn(slowly(batches(10)), { stepsPerEpoch: 2 })).rejects.toThrow(failure("StateError", /anew/));
  });

  it("serves validation and evaluation", async () => {
    const model = line();
    const stream = (): Generator<StreamedBatch> => batches(7, 13);
    const expected = await model.evaluate(whole);
    expect((await model.evaluate(stream)).loss).toBeCloseTo(expected.loss!, 6);
    expect((await model.evaluate(slowly(stream()))).loss).toBeCloseTo(expected.loss!, 6);
    const { curves } = await model.fit(stream, { epochs: 2, validationData: stream });
    expect(curves.valLoss![1]).toBeCloseTo((await model.evaluate(whole)).loss!, 6);
    const endless = function* (): Generator<StreamedBatch> {
      for (;;) yield* batches(5, 5, 5, 5);
    };
    const { curves: first } = await model.fit(endless, { epochs: 2, stepsPerEpoch: 3, validationData: endless, validationSteps: 4 }); // prettier-ignore
    expect(first.valLoss).toHaveLength(2);
    expect((await model.evaluate(endless, { steps: 8 })).loss).toBeCloseTo(first.valLoss![1]!, 6);
  });
});

describe("back-pressure", () => {
  it("reads no further ahead than prefetch", async () => {
    for (const prefetch of [0, 1, 5]) {
      let [made, most] = [0, 0];
      const source = function* (): Generator<StreamedBatch> {
        for (let i = 0; i < 30; i++) {
          made++;
          yield* batches(4);
        }
      };
      const onBatchEnd = (step: number): void => void (most = Math.max(most, made - step - 1));
      await trainedOn(source, { prefetch, callbacks: [{ onBatchEnd }] });
      expect(made).toBe(30);
      expect(most).toBeLessThanOrEqual(prefetch);
      if (prefetch > 0) expect(most).toBeGreaterThan(0);
    }
  });

  it("asks no iterator twice at a time, and takes no processor while it waits", async () => {
    let [asking, worst, count] = [0, 0, 0];
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: async (): Promise<IteratorResult<StreamItem>> => {
          worst = Math.max(worst, ++asking);
          await sleep(40);
          asking--;
          return count++ < 5 ? { done: false, value: [...batches(4)][0]! } : { done: true, value: undefined };
        },
      }),
    };
    const model = line();
    const before = process.cpuUsage();
    const start = performance.now();
    await model.fit(source, { prefetch: 4 });
    const { user, system } = process.cpuUsage(before);
    expect(worst).toBe(1);
    // Six waits of 40 ms: whoever spins takes as much of a processor as time goes by.
    expect((user + system) / 1000).toBeLessThan(0.8 * (performance.now() - start));
  });
});

describe("a source", () => {
  it("that throws rejects the fit with its own error, and leaves a whole step's weights", async () => {
    const oops = new Error("disk on fire");
    const source = async function* (): AsyncGenerator<StreamedBatch> {
      yield* batches(10);
      await sleep(1);
      throw oops;
    };
    const model = line();
    await expect(model.fit(source)).rejects.toBe(oops);
    expect(model.getWeights()).toEqual((await trainedOn(() => batches(10))).getWeights());
    await expect(model.fit(() => Readable.from(batches(5)).destroy(oops))).rejects.toBe(oops);
    await expect(model.evaluate(source)).rejects.toBe(oops);
    const ahead = async function* (): AsyncGenerator<StreamedBatch> {
      yield* batches(4, 4);
      await Promise.resolve();
      throw oops; // read before the batches have been trained on: nothing may be left unhandled
    };
    await expect(model.fit(ahead)).rejects.toBe(oops);
    await expect(
      model.fit(() => {
        throw oops;
      }),
    ).rejects.toBe(oops);
    await model.fit(whole);
  });

  it("is closed by an abort, though it never answers again", async () => {
    const reason = new Error("enough");
    const ended = vi.fn(() => Promise.resolve({ done: true as const, value: undefined }));
    let first = true;
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: (): Promise<IteratorResult<StreamItem>> => {
          const value = [...batches(4)][0]!;
          return first ? ((first = false), Promise.resolve({ done: false, value })) : new Promise(() => undefined);
        },
        return: ended,
      }),
    };
    await expect(trainedOn(source, { signal: AbortSignal.any([AbortSignal.timeout(30)]) })).rejects.toMatchObject({ name: "TimeoutError" }); // prettier-ignore
    expect(ended).toHaveBeenCalledOnce();
    const silent = new Readable({ objectMode: true, read: () => undefined });
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 20);
    await expect(trainedOn(silent, { signal: controller.signal })).rejects.toBe(reason);
    expect(silent.destroyed).toBe(true);
  });

  it("is closed when fit needs no more of it, and when a callback throws", async () => {
    for (const callbacks of [[], [{ onEpochEnd: () => Promise.reject(new Error("oops")) }]]) {
      let closed = false;
      const source = function* (): Generator<StreamedBatch> {
        try {
          for (;;) yield* batches(5);
        } finally {
          closed = true;
        }
      };
      await trainedOn(source, { stepsPerEpoch: 2, callbacks }).catch(() => undefined);
      expect(closed).toBe(true);
    }
  });

  it("must give what the model takes", async () => {
    const wrong = async (item: unknown, code: "OptionError" | "ShapeError" | "NonFiniteError", text: RegExp) =>
      expect(trainedOn(() => [item] as StreamItem[])).rejects.toThrow(failure(code, text));
    await wrong(Buffer.from("1,2,3"), "OptionError", /a stream of \{ inputs, targets \}/);
    await wrong(undefined, "OptionError", /a stream of/);
    await wrong(
      { inputs: [[1, 2, 3]], targets: [1] },
      "ShapeError",
      /examples have shape \[3\], but model takes \[2\]/,
    );
    await wrong({ inputs: new Float32Array(5), targets: [1] }, "ShapeError", /cannot be cut/);
    await wrong({ inputs: [[1, NaN]], targets: [1] }, "NonFiniteError", /inputs\[0\]/);
    await wrong(whole.take(3), "OptionError", /whole datasets/);
    const mixed = () => [{ input: [1, 2], target: 1 }, ...batches(2)];
    await expect(trainedOn(mixed)).rejects.toThrow(failure("OptionError", /either examples or batches/));
    const some = () => [{ input: [1, 2], target: 1 }, { input: [1, 2], label: 1 }]; // prettier-ignore
    await expect(trainedOn(some)).rejects.toThrow(failure("OptionError", /either a label or a target/));
  });

  it("is told from what is none, and from options of datasets", async () => {
    const refused = async (data: unknown, options: object, text: RegExp): Promise<void> =>
      expect(trainedOn(data as never, options)).rejects.toThrow(failure("OptionError", text));
    await refused([[1, 2]], {}, /a Dataset/);
    await refused("text", {}, /a Dataset/);
    await refused(() => 5, {}, /a function that returns a stream/);
    await refused(() => batches(5), { shuffle: true }, /false with a stream/);
    await refused(() => batches(5), { prefetch: -1 }, /prefetch/);
    await refused(whole, { stepsPerEpoch: 2 }, /nothing with a dataset/);
  });
});

it("holds a bounded part of a stream in memory", async () => {
  const size = 2 << 20;
  const model = sequential([dense(1)], { inputShape: [size], seed: 1 });
  model.compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate: 1e-9 }) });
  let most = 0;
  const source = async function* (): AsyncGenerator<StreamedBatch> {
    for (let i = 0; i < 60; i++) {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
      yield { inputs: new Float32Array(size), targets: [i] };
      await sleep(0);
    }
  };
  const before = process.memoryUsage().arrayBuffers;
  await model.fit(source, { prefetch: 1 });
  expect(most - before).toBeLessThan(40 * size * 4); // of the 60 batches; garbage is collected when it likes
});
