// Numbers gone bad, wherever they come from: fit stops, or leaves the step out as if its batch did not exist.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { adagrad, adam, adamw, batchNorm, capture, checkpoint, dataset, dense, dropout, lion, momentum, nadam, nesterov, parameter, relu, rmsprop, sequential, sgd, terminateOnNaN, type FitOptions, type History, type Loss, type Model, type StreamedBatch, type Tensor, type TrainOnBatchOptions } from "simdnn"; // prettier-ignore
import { failure } from "../failure.js";

const size = 4;
const batches = 10;
const inOrder = { batchSize: size, shuffle: false };
const skip = { ...inOrder, nonFinite: "skip" } as const;

function network(): Model {
  const layers = [dense(6), batchNorm(), relu(), dropout(0.2), dense(3)];
  const optimizer = adam({ learningRate: (step) => 0.02 / (1 + step) });
  return sequential(layers, { inputShape: [4], seed: 1 }).compile({ loss: "softmaxCrossEntropy", optimizer });
}

/** Ten batches, of which those named overflow in the first layer. */
function examples({ bad = [], without = [] }: { bad?: number[]; without?: number[] }): StreamedBatch[] {
  return Array.from({ length: batches }, (_, batch) => {
    const inputs = Float32Array.from({ length: size * 4 }, (_, i) => Math.sin(7 * (16 * batch + i)));
    if (bad.includes(batch)) inputs.fill(3e38);
    return { inputs, targets: Int32Array.from({ length: size }, (_, i) => (batch + i) % 3) };
  }).filter((_, batch) => !without.includes(batch));
}

function joined(parts: readonly StreamedBatch[]): ReturnType<typeof dataset> {
  const inputs = parts.flatMap((part) => [...(part.inputs as Float32Array)]);
  const targets = parts.flatMap((part) => [...(part.targets as Int32Array)]);
  return dataset(Float32Array.from(inputs), Int32Array.from(targets), { inputShape: [4] });
}

function stateOf(model: Model): unknown {
  const { optimizer, parameters, passes } = model;
  const slots = parameters.flatMap((parameter) => optimizer.slotsOf(parameter).map((slot) => slot.data()));
  return [model.getWeights(), slots, optimizer.iterations.item(), passes.item()];
}

/** y = w x, with a loss of which only the gradient is not finite where x is 0: |y| as a root has the slope 0 / 0. */
function kinked(): Model {
  const loss: Loss = (outputs: Tensor) => outputs.square().sqrt();
  return sequential([dense(1, { bias: false })], { inputShape: [1], seed: 1 }).compile({
    loss,
    optimizer: sgd({ learningRate: 0.01 }),
  });
}
const kinkedData = (zeroAt: number): ReturnType<typeof dataset> =>
  dataset(Float32Array.from({ length: 8 }, (_, i) => (i === zeroAt ? 0 : 1)), new Float32Array(8), { inputShape: [1], targetShape: [1] }); // prettier-ignore

describe("skipped steps", () => {
  for (const bad of [[0], [6], [9], [2, 3, 7]])
    test(`leave no trace: ${bad.join()} of ${batches}`, async () => {
      const [expected, skipping] = [network(), network()];
      const { curves } = await expected.fit(joined(examples({ without: bad })), { ...inOrder, epochs: 3 });
      const skipped = await skipping.fit(joined(examples({ bad })), { ...skip, epochs: 3 });
      expect(stateOf(skipping)).toEqual(stateOf(expected));
      expect(skipped.curves.loss).toEqual(curves.loss);
      expect(skipped.curves.skipped).toEqual([bad.length, bad.length, bad.length]);
    });

  test("nor in streams", async () => {
    const [expected, skipping] = [network(), network()];
    await expected.fit(() => examples({ without: [4] }));
    const { curves } = await skipping.fit(() => examples({ bad: [4] }), { nonFinite: "skip" });
    expect(curves.skipped).toEqual([1]);
    expect(stateOf(skipping)).toEqual(stateOf(expected));
  });

  for (const key of ["inputs", "targets", "sampleWeights"] as const)
    test(`nor do batches with NaN in their ${key}`, async () => {
      const classifier = (): Model => network().compile({ loss: "softmaxCrossEntropy", optimizer: adam() });
      const data = (bad: boolean): StreamedBatch[] =>
        examples({ without: bad ? [] : [0, 4] }).map(({ inputs }, batch) => {
          const made = {
            inputs: (inputs as Float32Array).slice(),
            targets: new Float32Array(size * 3).fill(1 / 3),
            sampleWeights: Float32Array.from({ length: size }, () => 1),
          };
          if (bad && [0, 4].includes(batch)) made[key][1] = NaN;
          return { ...made, targetShape: [3] };
        });
      const [expected, skipping, online] = [classifier(), classifier(), classifier()];
      await expected.fit(() => data(false), { epochs: 2 });
      const { curves } = await skipping.fit(() => data(true), { epochs: 2, nonFinite: "skip" });
      expect(curves.skipped).toEqual([2, 2]);
      expect(stateOf(skipping)).toEqual(stateOf(expected));
      const told = [];
      for (const { inputs, targets, ...options } of [...data(true), ...data(true)])
        told.push(await online.trainOnBatch(inputs, targets, { ...options, nonFinite: "skip" }));
      expect(told.filter(({ skipped }) => skipped === 1)).toEqual(Array.from({ length: 4 }, () => ({ skipped: 1 })));
      expect(stateOf(online)).toEqual(stateOf(expected));
      const [{ inputs, targets, ...options }] = data(true) as [StreamedBatch];
      const message = new RegExp(String.raw`^trainOnBatch: ${key}\[\d\].* became NaN$`);
      await expect(online.trainOnBatch(inputs, targets, options)).rejects.toThrow(failure("NonFiniteError", message));
      await expect(online.fit(() => data(true).slice(0, 1), { nonFinite: "skip" })).rejects.toThrow(failure("NonFiniteError", /epoch 0, step 0/)); // prettier-ignore
    });

  test("are not told of, and keep their number", async () => {
    const told: number[] = [];
    const callbacks = [{ onBatchEnd: (step: number) => void told.push(step) }];
    await network().fit(joined(examples({ bad: [2, 9] })), { ...skip, callbacks });
    expect(told).toEqual([0, 1, 3, 4, 5, 6, 7, 8]);
  });

  test("are found by the gradients alone, too", async () => {
    const [expected, skipping] = [kinked(), kinked()];
    await expected.fit(kinkedData(-1).take(6), { batchSize: 2, shuffle: false });
    const { curves } = await skipping.fit(kinkedData(7), { ...skip, batchSize: 2 });
    expect(curves.skipped).toEqual([1]);
    expect(stateOf(skipping)).toEqual(stateOf(expected));
  });

  test("an epoch of nothing else stops all the same, with the weights as they were", async () => {
    const model = network();
    const before = model.getWeights();
    const all = Array.from({ length: batches }, (_, batch) => batch);
    const error = failure(
      "NonFiniteError",
      "loss became NaN at epoch 0, step 0; first non-finite tensor: dense1.output",
    );
    await expect(model.fit(joined(examples({ bad: all })), skip)).rejects.toThrow(error);
    expect(model.getWeights()).toEqual(before);
    const { stopped } = await model.fit(joined(examples({ bad: all })), { ...skip, callbacks: [terminateOnNaN()] });
    expect(stopped).toBe("terminateOnNaN");
  });

  test("one by one, online", async () => {
    const [expected, skipping] = [network(), network()];
    for (const { inputs, targets } of examples({ without: [2] })) await expected.trainOnBatch(inputs, targets);
    const told = [];
    for (const { inputs, targets } of examples({ bad: [2] }))
      told.push(await skipping.trainOnBatch(inputs, targets, { nonFinite: "skip" }));
    expect(stateOf(skipping)).toEqual(stateOf(expected));
    expect(told[2]).toEqual({ skipped: 1 });
    expect(told[3]).toEqual({ loss: expect.any(Number) as number, skipped: 0 });
    const { inputs, targets } = examples({ bad: [0] })[0]!;
    await expect(skipping.trainOnBatch(inputs, targets)).rejects.toThrow(failure("NonFiniteError", /^loss became NaN/));
    expect(stateOf(skipping)).toEqual(stateOf(expected));
    const wrong = { nonFinite: "ignore" } as unknown as TrainOnBatchOptions;
    await expect(skipping.trainOnBatch(inputs, targets, wrong)).rejects.toThrow(failure("OptionError", /nonFinite/));
  });

  test("other faults are not among them", async () => {
    const data = examples({ bad: [1] });
    (data[5]!.targets as Int32Array)[2] = 9;
    await expect(network().fit(joined(data), skip)).rejects.toThrow(failure("IndexError", /targets\[22\] is 9/));
  });

  test("are counted on from a checkpoint", async () => {
    const dir = await mkdtemp(join(tmpdir(), "simdnn-non-finite-"));
    const data = joined(examples({ bad: [1, 8] }));
    const train = (model: Model, signal?: AbortSignal, onBatchEnd?: () => void): Promise<History> => {
      const callbacks = [checkpoint({ dir, every: { steps: 3 }, resume: true }), { onBatchEnd }] as NonNullable<
        FitOptions["callbacks"]
      >;
      return model.fit(data, { ...skip, epochs: 4, callbacks, ...(signal && { signal }) });
    };
    try {
      const whole = network();
      const { curves } = await whole.fit(data, { ...skip, epochs: 4 });
      const stop = new AbortController();
      let seen = 0;
      const cut = train(network(), stop.signal, () => {
        if (++seen === 12) stop.abort(new Error("cut"));
      });
      await expect(cut).rejects.toThrow("cut");
      const resumed = network();
      expect((await train(resumed)).curves).toEqual(curves);
      expect(stateOf(resumed)).toEqual(stateOf(whole));
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test("wrong choices are refused", async () => {
    const options = { nonFinite: "ignore" } as unknown as FitOptions;
    await expect(network().fit(joined(examples({})), options)).rejects.toThrow(failure("OptionError", /nonFinite/));
  });
});

describe("by default the step is the last", () => {
  for (const value of [NaN, Infinity, -Infinity])
    test(`with ${value} in the weights`, async () => {
      const model = network();
      const weight = [...model.weights.values()][0]!;
      weight.write()[3] = value;
      await expect(model.fit(joined(examples({})), inOrder)).rejects.toThrow(
        failure("NonFiniteError", /^loss became NaN at epoch 0, step 0; first non-finite tensor: dense1\.weight$/),
      );
    });

  test("with NaN in a stream, and the model is as it was", async () => {
    const nan = examples({});
    (nan[6]!.inputs as Float32Array)[9] = NaN;
    const [expected, model] = [network(), network()];
    await expected.fit(() => [...examples({}), ...examples({}).slice(0, 6)]);
    let opened = 0;
    const stop = model.fit(() => (opened++ === 0 ? examples({}) : nan), { epochs: 3 });
    await expect(stop).rejects.toThrow(failure("NonFiniteError", "inputs[2] (value 1) became NaN at epoch 1, step 6"));
    expect(model.getWeights()).toEqual(expected.getWeights());
    const { stopped } = await model.fit(() => nan, { callbacks: [terminateOnNaN()] });
    expect(stopped).toBe("terminateOnNaN");
    await expect(model.fit(() => examples({}), { validationData: () => nan })).rejects.toThrow(
      failure("NonFiniteError", "fit: validationData: inputs[2] (value 1) became NaN"),
    );
    await expect(model.evaluate(() => nan)).rejects.toThrow(failure("NonFiniteError", /^evaluate: inputs\[2\]/));
    const own = function* (): Generator<StreamedBatch> {
      yield* examples({});
      dataset([[NaN]], [[1]]);
    };
    await expect(model.fit(own)).rejects.toThrow(failure("NonFiniteError", "dataset: inputs[0] became NaN"));
  });

  test("with losses that are infinite", async () => {
    const loss: Loss = (outputs: Tensor, targets: Tensor) => outputs.mul(0).add(targets).log().neg();
    const model = sequential([dense(1)], { inputShape: [1], seed: 1 }).compile({ loss });
    const data = dataset([[1], [1], [1]], [[1], [0], [1]]);
    await expect(model.fit(data, { batchSize: 1, shuffle: false })).rejects.toThrow(
      failure("NonFiniteError", /^loss became Infinity at epoch 0, step 1/),
    );
  });

  test("with running statistics alone", async () => {
    const inputs = Float32Array.from({ length: 40 }, (_, i) => (i === 25 ? 3e38 : i));
    const data = dataset(inputs, new Float32Array(40), { inputShape: [1], targetShape: [1] });
    const model = sequential([batchNorm(), dense(1)], { inputShape: [1], seed: 1 }).compile({
      loss: "meanSquaredError",
    });
    const before = model.getWeights();
    const message = /^batchNorm1\.runningVariance became Infinity at epoch 0, step 0/;
    await expect(model.fit(data, { batchSize: 40 })).rejects.toThrow(failure("NonFiniteError", message));
    expect(model.getWeights()).toEqual(before);
  });

  for (const [zeroAt, step] of [
    [2, 1],
    [7, 3],
  ] as const)
    // prettier-ignore
    test(`with gradients of step ${step}, which leave the weights as they were`, async () => {
      const [expected, stopped] = [kinked(), kinked()];
      await expected.fit(kinkedData(-1).take(2 * step), { batchSize: 2, shuffle: false });
      await expect(stopped.fit(kinkedData(zeroAt), { batchSize: 2, shuffle: false })).rejects.toThrow(
        failure(
          "NonFiniteError",
          `gradient of dense1.weight became NaN at epoch 0, step ${step}; first non-finite tensor: output of div, float32 [2, 1]`,
        ),
      );
      expect(stateOf(stopped)).toEqual(stateOf(expected));
    });

  test("with gradients of some outputs, which leave the weights of the others as they were, too", async () => {
    const kinks: Loss = (outputs: Tensor, targets: Tensor) => outputs.abs().sqrt().add(targets); // no slope at 0
    const model = sequential([dense(4)], { inputShape: [1], seed: 1 }).compile({ loss: kinks });
    model.weights.get("dense1.weight")!.write()[2] = 0;
    const before = stateOf(model);
    await expect(
      model.trainOnBatch(
        [[1], [2]],
        [
          [0, 0, 0, 0],
          [0, 0, 0, 0],
        ],
      ),
    ).rejects.toThrow(
      failure("NonFiniteError", /^gradient of dense1.bias became NaN; first non-finite tensor: output of div/),
    );
    expect(stateOf(model)).toEqual(before);
  });

  test("with weights that the layers hide", async () => {
    const layers = [dense(2, { bias: false, activation: "relu" }), dense(1)];
    const model = sequential(layers, { inputShape: [1], seed: 1 }).compile({ loss: "meanSquaredError" });
    model.weights.get("dense1.weight")!.write()[1] = -Infinity; // relu makes it 0, forwards and backwards
    await expect(model.fit(dataset([[1], [1]], [[1], [0]]), { batchSize: 1 })).rejects.toThrow(
      failure(
        "NonFiniteError",
        "dense1.weight became -Infinity at epoch 0, step 0; first non-finite tensor: dense1.weight",
      ),
    );
  });

  test("with updates that are too large, and no weight becomes infinite", async () => {
    const optimizer = sgd({ learningRate: 1e38 });
    const model = sequential([dense(1)], { inputShape: [1], seed: 1 }).compile({ loss: "meanSquaredError", optimizer });
    await expect(model.fit(dataset([[100]], [[100]]), { nonFinite: "skip" })).rejects.toThrow(
      failure("NonFiniteError", /^dense1.weight became Infinity at epoch 0, step 0/),
    );
    for (const values of model.getWeights().values())
      for (const value of values) expect(value).toSatisfy(Number.isFinite);
  });

  const optimizers = { sgd, momentum, nesterov, rmsprop, adam, adamw, adagrad, nadam, lion };
  for (const [name, optimizer] of Object.entries(optimizers))
    test(`with a gradient that ${name} is given, at once and captured`, () => {
      for (const captured of [false, true]) {
        const [w, made] = [parameter([1, 0, 4], { name: "w" }), optimizer()];
        const step = (): Tensor => {
          const cost = w.sqrt().sum(); // whose slope at 0 is infinite
          made.minimize(cost, [w]);
          return cost;
        };
        const error = failure("NonFiniteError", /^gradient of w became Infinity; first non-finite tensor: /);
        expect(captured ? capture(step) : step).toThrow(error);
        expect(w.data()[1]).toSatisfy(Number.isFinite);
        expect(made.iterations.item()).toBe(captured ? 0 : 1);
      }
    });
});
