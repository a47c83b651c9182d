// Inference: what predict() and evaluate() prepare once, and that nobody can tell except by rounding and time.
import { describe, expect, it, test } from "vitest";
import {
  batchNorm,
  dataset,
  dense,
  dropout,
  gelu,
  normalization,
  relu,
  sequential,
  tanh,
  tensor,
  type Layer,
  type Model,
  type Tensor,
} from "simdnn";
import { Constants, Inference } from "#lib/inference.js";
import { Tape, withTape } from "#lib/tape.js";
import { zeros } from "#lib/tensor.js";

const inputs = 5;
const images = Float32Array.from({ length: 7 * inputs }, (_, i) => Math.sin(3 * i) * 2);

/** Every weight some other number, variances positive. */
function scrambled(model: Model, seed = 1): Model {
  let n = seed;
  const values = [...model.weights].map(([name, { size }]) => {
    const draw = (): number => Math.sin(++n * 12.9898) * 0.9;
    return [name, Float32Array.from({ length: size }, name.endsWith("Variance") ? () => 1.1 + draw() : draw)] as const;
  });
  model.setWeights(new Map(values));
  return model;
}

const networks: Readonly<Record<string, () => Layer[]>> = {
  "dense without bias, batch norm, relu": () => [dense(4, { bias: false }), batchNorm(), relu(), dense(3)],
  "dense with bias, batch norm, tanh": () => [dense(4), batchNorm({ epsilon: 1e-3 }), tanh(), dense(3)],
  "batch norm first and last": () => [batchNorm(), dense(3), batchNorm()],
  "batch norm behind an activation": () => [dense(4, { activation: "relu" }), batchNorm(), dense(3)],
  "two batch norms": () => [dense(3), batchNorm(), batchNorm()],
  "dropout between": () => [dense(4), dropout(0.5), batchNorm(), gelu(), dropout(0.5), dense(3)],
  "normalization first": () => [normalization({ mean: 100, deviation: 3 }), dense(3), batchNorm()],
};

const network = (layers: Layer[]): Model => sequential(layers, { inputShape: [inputs], seed: 1 });

/** The largest difference relative to the largest value. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const pairs = Array.from(a, (value, i) => [value, b[i]!] as const);
  return Math.max(...pairs.map(([x, y]) => Math.abs(x - y))) / Math.max(...pairs.map(([, y]) => Math.abs(y)));
}

const plainly = (model: Model): Tensor => model.forward(tensor(images, { shape: [7, inputs] }));
/** A few roundings of float32. */
const rounding = 2e-6;

describe.each(Object.entries(networks))("%s", (_, layers) => {
  it("predicts what forward() gives, and follows its weights", async () => {
    const model = scrambled(network(layers()));
    for (const seed of [1, 50, 99]) {
      scrambled(model, seed);
      const expected = plainly(model).data();
      for (const threads of [1, 2]) {
        const found = (await model.predict(images, { threads })).data();
        expect(difference(found, expected)).toBeLessThan(rounding);
      }
    }
  });

  it("gives the same however many examples come at a time, and from whichever thread", async () => {
    const model = scrambled(network(layers()));
    const first = (await model.predict(images)).data(); // prepares on the engine thread
    const again = (await model.predict(images)).data(); // computes here
    const many = new Float32Array(200 * images.length);
    for (let i = 0; i < 200; i++) many.set(images, i * images.length);
    const of = (await model.predict(many)).data();
    expect(again).toEqual(first);
    expect(of.subarray(0, first.length)).toEqual(first);
    expect(of.subarray(-first.length)).toEqual(first);
  });
});

describe("training", () => {
  const data = dataset(images, Int32Array.of(0, 1, 2, 0, 1, 2, 0), { inputShape: [inputs] });

  it("is seen by validation in every epoch, and by what comes afterwards", async () => {
    const model = network([dense(4, { bias: false }), batchNorm(), relu(), dense(3)]);
    model.compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy"] });
    const before = (await model.predict(images)).data();
    const weights: Model[] = [];
    const { curves } = await model.fit(data, {
      epochs: 3,
      batchSize: 7,
      seed: 1,
      validationData: data,
      callbacks: [{ onEpochEnd: (_epoch, _logs, { model }) => void weights.push(model.clone()) }],
    });
    expect(new Set(curves.valLoss).size).toBe(3);
    for (const [epoch, copy] of weights.entries())
      expect((await copy.evaluate(data)).loss).toBe(curves.valLoss![epoch]);
    const after = (await model.predict(images)).data();
    expect(difference(after, before)).toBeGreaterThan(1e-4);
    expect(after).toEqual((await model.clone().predict(images)).data());
  });
});

describe("preparation", () => {
  const input = zeros({ shape: [2, inputs], dtype: "float32" });
  const instructions = (layers: Layer[]): number => {
    const model = network(layers);
    const tape = new Tape();
    const output = withTape(tape, () => model.forward(input));
    return Inference.of(tape, [output], [input], new Constants()).instructionCount;
  };

  test.each([
    ["a batch norm and an activation go into the dense layer before", [dense(4), batchNorm(), relu()], 1],
    ["not into one that has an activation already", [dense(4, { activation: "relu" }), batchNorm()], 2],
    ["not an activation that dense does not know", [dense(4), gelu()], 2],
    ["nor anything that comes first", [normalization({ mean: 1, deviation: 2 }), batchNorm(), dense(4)], 4],
  ])("%s", (_, layers, count) => {
    expect(instructions(layers)).toBe(count);
  });

  it("leaves a sum alone that is used twice", async () => {
    const twice: Layer<{ weight: Tensor; bias: Tensor; scale: Tensor }> = {
      type: "twice",
      options: {},
      build: ({ inputShape, parameter }) => {
        const [inner, norm] = [dense(3).build!({ inputShape, parameter, state: parameter }), batchNorm()];
        return { ...inner, ...norm.build!({ inputShape: [3], parameter, state: parameter }) } as never;
      },
      call: (x, weights, context) => {
        const sums = dense(3).call(x, weights, context);
        return sums.add(batchNorm().call(sums, weights as never, context));
      },
    };
    expect(instructions([twice])).toBe(3);
    const model = scrambled(network([twice]));
    expect((await model.predict(images)).data()).toEqual(plainly(model).data());
  });

  it("is shared by all sizes of batches", async () => {
    const model = scrambled(network([dense(4), batchNorm()])).compile({ loss: "meanSquaredError" });
    const one = images.subarray(0, inputs);
    const [several, single] = await Promise.all([model.predict(images), model.predict(one)]);
    expect(single.data()).toEqual(several.data().subarray(0, 4));
    await model.evaluate(dataset(images, new Float32Array(7 * 4), { inputShape: [inputs], targetShape: [4] }));
    const { constants } = model as unknown as { constants: { kept: Set<Tensor> } };
    expect(constants.kept.size).toBe(2); // a weight and a bias
  });
});

describe("predict()", () => {
  const model = scrambled(network([dense(4), batchNorm(), relu(), dense(3)]));

  it("has copied its inputs when it returns", async () => {
    const expected = (await model.predict(images)).data();
    for (const copies of [1, 100, 1000]) {
      const mine = new Float32Array(copies * images.length);
      for (let i = 0; i < copies; i++) mine.set(images, i * images.length);
      const prediction = model.predict(mine);
      mine.fill(NaN);
      expect((await prediction).data().subarray(-expected.length)).toEqual(expected);
    }
  });

  it("keeps those apart that are under way together", async () => {
    const rows = Array.from({ length: 7 }, (_, i) => images.subarray(i * inputs, (i + 1) * inputs));
    const wide = scrambled(network([dense(2000), batchNorm(), relu(), dense(2000), dense(3)]));
    const alone = [];
    for (const row of rows) alone.push((await wide.predict(row)).data());
    scrambled(wide, 7);
    scrambled(wide, 1);
    const together = await Promise.all(rows.map((row) => wide.predict(row)));
    expect(together.map((prediction) => prediction.data())).toEqual(alone);
  });

  it("lets other events have their turn, however often it is awaited", async () => {
    let turn = false;
    setImmediate(() => (turn = true));
    for (let i = 0; i < 1e6 && !turn; i++) await model.predict(images);
    expect(turn).toBe(true);
  });
});
