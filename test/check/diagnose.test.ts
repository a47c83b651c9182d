// Learning curves and diagnoses: the numbers are those of models trained by hand, and nets made to be too small or to memorize are told apart.
import { describe, expect, test } from "vitest";
import {
  adam,
  biasVariance,
  dataset,
  dense,
  diagnose,
  learningCurve,
  normalization,
  sequential,
  sgd,
  type Dataset,
  type History,
  type MetricOption,
  type Model,
} from "simdnn";
import { readTraining } from "#lib/check/training-curves.js";
import { randomStream } from "#lib/random.js";
import { failure } from "../failure.js";

/** Points in a square, of class 1 where the signs of both coordinates are equal; `noise` is the share of labels drawn anew. */
function checkers(count: number, seed: number, noise = 0): Dataset {
  const random = randomStream(seed);
  const points = Array.from({ length: count }, () => [2 * random.uniform() - 1, 2 * random.uniform() - 1]);
  const label = ([x, y]: number[]): number => (random.uniform() < noise ? random.integer(2) : x! * y! > 0 ? 1 : 0);
  return dataset(points, Int32Array.from(points, label));
}

const net = (units: number, metrics: readonly MetricOption[] = ["accuracy"]): Model =>
  sequential([dense(units, { activation: "tanh" }), dense(2)], { inputShape: [2], seed: 1 }).compile({
    loss: "softmaxCrossEntropy",
    optimizer: adam({ learningRate: 0.03 }),
    metrics,
  });
const line = (metrics: readonly MetricOption[] = ["accuracy"]): Model =>
  sequential([dense(2)], { inputShape: [2], seed: 1 }).compile({ loss: "softmaxCrossEntropy", metrics });

describe("learningCurve", () => {
  const [train, dev] = [checkers(120, 1, 0.1), checkers(200, 2, 0.1)];

  test("gives the errors of models trained on parts that contain one another", async () => {
    const seen: Dataset[] = [];
    const fit = { epochs: 3, batchSize: 16 };
    const build = (examples: Dataset): Model => {
      seen.push(examples);
      return sequential([normalization(examples.statistics()), dense(2)], { inputShape: [2], seed: 1 }).compile({
        loss: "softmaxCrossEntropy",
        optimizer: sgd({ learningRate: 0.5 }),
        metrics: ["accuracy"],
      });
    };
    const { points, error } = await learningCurve(build, train, dev, { sizes: [20, 50, 120], seed: 3, fit });
    expect(error).toBe("1 - accuracy");
    expect(seen.map(({ size }) => size)).toEqual([20, 50, 120]);
    expect([...seen[1]!.rows.subarray(0, 20)]).toEqual([...seen[0]!.rows]);
    expect([...seen[2]!.rows].sort((a, b) => a - b)).toEqual([...train.rows]);
    expect([...seen[2]!.rows]).not.toEqual([...train.rows]);
    for (const [i, examples] of [...seen].entries()) {
      const model = build(examples);
      await model.fit(examples, fit);
      expect(points[i]).toEqual({
        examples: examples.size,
        trainError: 1 - (await model.evaluate(examples)).accuracy!,
        devError: 1 - (await model.evaluate(dev)).accuracy!,
      });
    }
  });

  test("sizes are shares of what there is unless given; the loss is the error where there is no metric", async () => {
    const curve = await learningCurve(() => line([]), train, dev);
    expect(curve.points.map(({ examples }) => examples)).toEqual([12, 24, 48, 84, 120]);
    expect(curve.error).toBe("loss");
    expect(curve.biasVariance.tolerance).toBeCloseTo(0.1 * curve.points.at(-1)!.devError, 15);
    expect((await learningCurve(() => line(), train, dev, { sizes: [9], metric: "loss" })).error).toBe("loss");
  });

  test("more data helps a net that memorizes, and not a line through a chess board", async () => {
    const memorizing = await learningCurve(() => net(40), checkers(60, 1), checkers(200, 2), {
      sizes: [15, 60],
      fit: { epochs: 150, batchSize: 16 },
    });
    expect(memorizing.biasVariance.verdict).toBe("high variance");
    const [few, many] = memorizing.points;
    expect(few!.devError).toBeGreaterThan(many!.devError);
    expect(memorizing.gainPerDoubling).toBeCloseTo((few!.devError - many!.devError) / 2, 12);
    expect(memorizing.moreDataHelps).toBe(true);
    expect(String(memorizing)).toMatch(/^learning curve: more data should help; the last doubling of the data took 0\.\d+ off the dev error\n/); // prettier-ignore

    const straight = await learningCurve(() => line(), train, dev, { sizes: [60, 120], fit: { epochs: 30 } });
    expect(straight.biasVariance.verdict).toBe("high bias");
    expect(straight.moreDataHelps).toBe(false);
    expect(String(straight)).toContain("more data alone should not help");
  });

  test("wrong use", async () => {
    const refused = (promise: Promise<unknown>, text: RegExp) =>
      expect(promise).rejects.toThrow(failure("OptionError", text));
    await refused(
      learningCurve(() => line(), train, dev, { sizes: [10, 121] }),
      /at most 120, .* for sizes/,
    );
    await refused(
      learningCurve(() => line(), train, dev, { sizes: [20, 10] }),
      /rising numbers for sizes/,
    );
    await refused(
      learningCurve(() => line(), train, dev, { sizes: [] }),
      /an array of numbers of examples/,
    );
    await refused(learningCurve(() => line(), train, dev, { sizes: [10], metric: "acuracy" }), /did you mean "accuracy"/); // prettier-ignore
    await refused(
      learningCurve(() => null as never, train, dev),
      /a function that returns a model/,
    );
    await refused(learningCurve(null as never, train, dev), /a function that makes a model/);
    await refused(
      learningCurve(() => line(), train, undefined as never),
      /a Dataset for dev/,
    );
    await expect(learningCurve(() => sequential([dense(2)], { inputShape: [2] }), train, dev)).rejects.toThrow(failure("StateError", /call compile/)); // prettier-ignore
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(learningCurve(() => line(), train, dev, { fit: { signal } })).rejects.toBe(reason);
  });
});

describe("diagnose", () => {
  const [train, dev] = [checkers(40, 1, 0.2), checkers(300, 2, 0.2)];

  test("measures both sets, reads the history and the flow", async () => {
    const model = net(60);
    const history = await model.fit(train, { epochs: 400, batchSize: 8, validationData: dev, watch: ["gradients"] });
    const diagnosis = await diagnose(model, { train, dev, history, baseline: 0.01, tolerance: 0.05 });
    const trainError = 1 - (await model.evaluate(train)).accuracy!;
    const devError = 1 - (await model.evaluate(dev)).accuracy!;
    expect(diagnosis.biasVariance).toEqual(biasVariance({ trainError, devError, baseline: 0.01, tolerance: 0.05 }));
    expect(diagnosis.biasVariance.verdict).toBe("high variance");
    expect(diagnosis.training).toMatchObject({ overfitting: true });
    expect(diagnosis.gradientFlow.layers[0]!.gradients).toHaveLength(400);
    expect(diagnosis.learningCurve).toBeUndefined();
    expect(String(diagnosis)).toMatch(/^bias and variance: high variance\n[^]*\(error: 1 - accuracy\)\n\ntraining\n- [^]*has risen since epoch \d+[^]*\n\ngradient flow: /); // prettier-ignore
  });

  test("without a history the flow is that of one batch; a learning curve is passed on", async () => {
    const model = line(["f1", "accuracy"]);
    const curve = await learningCurve(() => line(), train, dev, { sizes: [20, 40] });
    const diagnosis = await diagnose(model, { train, dev, learningCurve: curve, metric: "accuracy" });
    expect(diagnosis).toMatchObject({ training: undefined, learningCurve: curve, error: "1 - accuracy" });
    expect(diagnosis.biasVariance.verdict).toBe("high bias");
    expect(diagnosis.gradientFlow.layers).toMatchObject([{ layer: "dense1", activations: [expect.any(Number)] }]);
    expect(String(diagnosis)).toContain(String(curve));
  });

  test("a regression is judged by what it leaves unexplained", async () => {
    const points = Array.from({ length: 30 }, (_, i) => [i / 30]);
    const data = dataset(points, points.map(([x]) => 3 * x! + 1)); // prettier-ignore
    const model = sequential([dense(1)], { inputShape: [1], seed: 1 });
    model.compile({ loss: "meanSquaredError", optimizer: adam({ learningRate: 0.1 }), metrics: ["r2"] });
    await model.fit(data, { epochs: 200 });
    const { error, biasVariance: found } = await diagnose(model, { train: data, dev: data });
    expect({ error, verdict: found.verdict }).toEqual({ error: "1 - r2", verdict: "fine" });
  });

  test("wrong use", async () => {
    const refused = (promise: Promise<unknown>, text: RegExp) =>
      expect(promise).rejects.toThrow(failure("OptionError", text));
    await refused(diagnose(line(), { train } as never), /a Dataset; .* for dev/);
    await refused(diagnose(line(), { train, dev, metric: "f1" }), /"loss", "accuracy" for metric/);
    await refused(diagnose(line(), { train, dev, baselin: 1 } as never), /did you mean "baseline"/);
    await refused(diagnose(line(), { train, dev, learningCurve: {} as never }), /what learningCurve\(\) returned/);
    await refused(diagnose(line(), { train, dev, history: { curves: {} } as History }), /after some epochs/);
    await refused(diagnose(line(), undefined as never), /an object with train and dev/);
    await refused(diagnose(null as never, { train, dev }), /a model/);
    await expect(diagnose(sequential([dense(2)], { inputShape: [2] }), { train, dev })).rejects.toThrow(failure("StateError", /call compile/)); // prettier-ignore
  });
});

describe("what curves say", () => {
  const reading = (curves: Record<string, number[]>) => readTraining("test", { curves });
  const halving = (from: number, count: number, factor: number): number[] =>
    Array.from({ length: count }, (_, i) => from * factor ** i);

  test("a cost that falls, stands or rises", () => {
    const falling = reading({ loss: halving(1, 9, 0.9) });
    expect(falling.fallPerEpoch).toBeCloseTo(0.1, 12);
    expect(falling).toMatchObject({ stillFalling: true, bestEpoch: undefined, overfitting: false });
    expect(falling.remarks).toEqual(["the cost was still falling, by 10.0 % per epoch: train longer, or with a higher learning rate"]); // prettier-ignore
    expect(reading({ loss: halving(1, 9, 0.999) }).remarks).toEqual(["the cost had levelled off"]);
    expect(reading({ loss: halving(1, 9, 1.05) }).remarks[0]).toMatch(/^the cost was rising, by 5\.0 % per epoch/);
    expect(reading({ loss: [1] }).remarks[0]).toMatch(/^one epoch is not enough/);
    expect(reading({ loss: halving(1, 9, 0.9), cost: [3, 3, 3, 3, 3, 3, 3, 3, 3] }).stillFalling).toBe(false);
    expect(reading({ loss: [1, 0] }).fallPerEpoch).toBe(1);
  });

  test("a dev loss that turns while the cost falls", () => {
    const turned = reading({ loss: halving(1, 5, 0.8), valLoss: [1, 0.8, 0.7, 0.75, 0.9] });
    expect(turned).toMatchObject({ bestEpoch: 2, overfitting: true });
    expect(turned.remarks[1]).toMatch(/has risen since epoch 2, from 0\.700 to 0\.900/);
    expect(reading({ loss: halving(1, 3, 0.8), valLoss: [1, 0.8, 0.81] }).overfitting).toBe(false);
    expect(reading({ loss: [1, 1.1, 1.3], valLoss: [1, 1.1, 1.3] }).overfitting).toBe(false);
  });
});
