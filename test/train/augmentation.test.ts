// Augmentation of batches, by mixUp and by a function of one's own: what it does to inputs and targets, and what fit makes of it.
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import {
  dataset,
  datasets,
  dense,
  mixUp,
  sequential,
  sgd,
  tensor,
  type Augmentation,
  type Dataset,
  type FitOptions,
  type Model,
  type Shape,
  type Tensor,
} from "simdnn";
import { smallerShares } from "#lib/train/mix-up.js";
import { failure } from "../failure.js";

const golden = JSON.parse(readFileSync(new URL("../golden/significance.json", import.meta.url), "utf8")) as {
  readonly betaQuantiles: readonly (readonly [alpha: number, p: number, x: number])[];
};

const batch = 64;
/** Examples that say which one they are. */
const identity = tensor(
  Float32Array.from({ length: batch * batch }, (_, i) => (i % (batch + 1) === 0 ? 1 : 0)),
  { shape: [batch, batch] },
);
const context = (outputShape: Shape, step: number) => ({
  outputShape,
  random: { seed: 9, stream: 2, step: tensor(step, { dtype: "int32" }) },
});

/** For each example of a batch: whom it was mixed with, and that one's share. */
function mixtures(alpha: number, step: number): { other: number; share: number }[] {
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i));
  const { inputs } = mixUp({ alpha })({ inputs: identity, targets: labels }, context([batch], step));
  return Array.from({ length: batch }, (_, i) => {
    const row = inputs.data().slice(i * batch, (i + 1) * batch);
    const others = [...row.keys()].filter((j) => j !== i && row[j] !== 0);
    expect(others.length).toBeLessThanOrEqual(1);
    const other = others[0] ?? i;
    if (other !== i) expect(row[i]! + row[other]!).toBeCloseTo(1, 6);
    return { other, share: other === i ? NaN : row[other]! };
  });
}

describe("mixUp", () => {
  test("the shares are quantiles of the Beta distribution", () => {
    for (const [alpha, p, x] of golden.betaQuantiles) {
      const shares = smallerShares(alpha, 1024);
      // p of x is 2 p of the smaller share; between the two neighbours of that quantile.
      const at = 2 * p * 1024 - 0.5;
      expect(x).toBeGreaterThanOrEqual(shares[Math.floor(at)]! - 1e-6);
      expect(x).toBeLessThanOrEqual(shares[Math.ceil(at)]! + 1e-6);
    }
  });

  it("mixes each example with another one at random, which gets the smaller share", () => {
    const drawn = Array.from({ length: 60 }, (_, step) => mixtures(1, step)).flat();
    const shares = drawn.map(({ share }) => share).filter((share) => !Number.isNaN(share));
    // Beta(1, 1) is uniform, and so is the smaller share, up to a half. All examples but one in 64 meet another one.
    expect(Math.abs(shares.length - drawn.length * (1 - 1 / batch))).toBeLessThan(5 * Math.sqrt(drawn.length / batch));
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.5);
    const mean = shares.reduce((a, b) => a + b) / shares.length;
    expect(Math.abs(mean - 0.25)).toBeLessThan((5 * 0.5) / Math.sqrt(12 * shares.length));
    const times = new Array<number>(batch).fill(0);
    for (const { other } of drawn) times[other]!++;
    const chiSquare = times.reduce((sum, count) => sum + (count - 60) ** 2 / 60, 0);
    expect(chiSquare).toBeLessThan(126); // the 99.9999th percentile for 63 degrees
    expect(mixtures(1, 3)).toEqual(mixtures(1, 3));
    expect(mixtures(1, 3)).not.toEqual(mixtures(1, 4));
  });

  test.each([
    ["class numbers", tensor(Int32Array.from({ length: batch }, (_, i) => i)), [batch], identity],
    ["rows of probabilities", identity, [batch], identity],
    ["class numbers for one output", tensor(Int32Array.from({ length: batch }, (_, i) => i % 2)), [1], undefined],
    ["values", tensor(Float32Array.from({ length: batch }, (_, i) => i / 7)), [1], undefined],
  ] as const)("mixes %s as it mixes inputs", (_, targets, outputShape, rows) => {
    const mixed = mixUp({ alpha: 0.4 })({ inputs: identity, targets }, context(outputShape, 1));
    expect(mixed.targets.shape).toEqual(rows ? [batch, batch] : targets.shape);
    if (rows) {
      expect(mixed.targets.data()).toEqual(mixed.inputs.data());
      return;
    }
    const [x, y, given] = [mixed.inputs.data(), mixed.targets.data(), Array.from(targets.data())];
    for (let i = 0; i < batch; i++) {
      const expected = given.reduce((sum, target, j) => sum + target * x[i * batch + j]!, 0);
      expect(y[i]).toBeCloseTo(expected, 5);
    }
  });

  it("refuses what it cannot mix by", () => {
    expect(() => mixUp({ alpha: 0 })).toThrow(failure("OptionError", "mixUp: expected a positive number for alpha but received 0 (number)")); // prettier-ignore
    expect(() => mixUp({ alfa: 1 } as object)).toThrow('did you mean "alpha"?');
  });
});

describe("fit with augment", () => {
  const moons = datasets.moons({ count: 200, noise: 0.1, seed: 1 });
  const make = (units = 2, loss: "softmaxCrossEntropy" | "sigmoidCrossEntropy" = "softmaxCrossEntropy"): Model =>
    sequential([dense(16, { activation: "tanh" }), dense(units)], { inputShape: [2], seed: 1 }).compile({
      loss,
      optimizer: "adam",
      metrics: ["accuracy"],
    });
  const weightsAfter = async (options: FitOptions, data: Dataset = moons) => {
    const model = make();
    await model.fit(data, { epochs: 2, batchSize: 64, ...options });
    return model.getWeights();
  };

  it("gives the same weights for any number of threads, and others than without", async () => {
    const mixed = await weightsAfter({ augment: mixUp(), threads: 1 });
    expect(await weightsAfter({ augment: mixUp(), threads: 3 })).toEqual(mixed);
    expect(await weightsAfter({})).not.toEqual(mixed);
  });

  test.each([
    ["softmaxCrossEntropy", 2],
    ["sigmoidCrossEntropy", 1],
  ] as const)("learns by %s, with accuracy of what the examples were", async (loss, units) => {
    const model = make(units, loss);
    const apart = datasets.blobs({ count: 200, centers: [[-3, 0], [3, 0]], seed: 1 }); // prettier-ignore
    const { curves } = await model.fit(apart, { epochs: 100, batchSize: 50, augment: mixUp({ alpha: 0.2 }) });
    expect(curves.accuracy!.at(-1)).toBeGreaterThan(0.75); // of mixtures, some of them half of the one and half of the other
    expect((await model.evaluate(apart)).accuracy).toBeGreaterThan(0.99);
  });

  it("trains on what a function of one's own makes of the batch", async () => {
    // Targets doubled: the mean of y = 3 is learned as 6.
    const twice: Augmentation = ({ inputs, targets }) => ({ inputs, targets: targets.mul(2) });
    const model = sequential([dense(1, { weightInitializer: "zeros" })], { inputShape: [1], seed: 1 });
    model.compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate: 0.5 }), metrics: ["meanAbsoluteError"] });
    const data = dataset([[0], [0]], [3, 3]); // prettier-ignore
    const { curves } = await model.fit(data, { epochs: 60, augment: twice });
    expect((await model.predict([[0]])).item()).toBeCloseTo(6, 5);
    expect(curves.meanAbsoluteError!.at(-1)).toBeCloseTo(3, 5);
  });

  it("refuses what is no augmentation, or makes no batch of a batch", async () => {
    await expect(make().fit(moons, { augment: 0.2 as never })).rejects.toThrow(
      failure("OptionError", "fit: expected a function of a batch such as mixUp() for augment but received 0.2 (number)"),
    ); // prettier-ignore
    await expect(
      make().fit(moons, { augment: ((shown: { inputs: Tensor }) => shown.inputs) as unknown as Augmentation }),
    ).rejects.toThrow(failure("OptionError", /augment: expected \{ inputs, targets \}, both tensors, for its result/));
    const half: Augmentation = ({ inputs, targets }) => ({ inputs, targets: targets.slice([0], [1]) });
    await expect(make().fit(moons, { augment: half })).rejects.toThrow(
      failure("ShapeError", /augment: expected as many targets as there were/),
    );
    const strange = dataset([[1, 2], [3, 4]], Int32Array.of(0, 5)); // prettier-ignore
    await expect(make().fit(strange, { augment: mixUp() })).rejects.toThrow(failure("IndexError", /\[1\] is 5, but there are 2/)); // prettier-ignore
  });
});
