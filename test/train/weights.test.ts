// Sample weights and class weights against the weighted mean by hand, and against examples that occur more than once; the warnings of fit.
import { describe, expect, test, vi } from "vitest";
import {
  constant,
  dataset,
  dense,
  relu,
  sequential,
  sgd,
  sigmoid,
  softmax,
  type ClassWeight,
  type Dataset,
  type FitOptions,
  type Layer,
  type LossName,
  type LossOption,
  type Model,
} from "simdnn";
import { failure } from "../failure.js";

const inputs = [[1, 0.5], [-1, 2], [0.25, -0.5], [2, 1]]; // prettier-ignore
const labels = Int32Array.of(0, 2, 1, 2);

function classifier(units = 3, loss: LossOption = "softmaxCrossEntropy"): Model {
  const model = sequential([dense(units)], { inputShape: [2], seed: 1 });
  return model.compile({ loss, optimizer: sgd({ learningRate: 0.1 }), metrics: ["accuracy"] });
}

const numbers = (model: Model): number[] => [...model.getWeights().values()].flatMap((values) => [...values]);

/** Weights and loss after three steps with all examples. */
async function trained(model: Model, data: Dataset, options: FitOptions = {}) {
  const { curves } = await model.fit(data, { epochs: 3, batchSize: data.size, shuffle: false, ...options });
  return { weights: numbers(model), curves };
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6));
}

describe("sample weights", () => {
  // The first occurs twice and the second does not count: as many as there are, so that the weighted mean is the plain one of `repeated`.
  const weights = [2, 0, 1, 1];
  const repeated = dataset([inputs[0]!, inputs[0]!, inputs[2]!, inputs[3]!], Int32Array.of(0, 0, 1, 2));

  test("count examples as often as they say, in training and evaluation", async () => {
    const weighted = dataset(inputs, labels, { sampleWeights: weights });
    const [a, b] = [classifier(), classifier()];
    const [first, second] = [await trained(a, weighted), await trained(b, repeated)];
    expectClose(first.weights, second.weights);
    expectClose(first.curves.loss!, second.curves.loss!);
    expect((await a.evaluate(weighted)).loss).toBeCloseTo((await b.evaluate(repeated)).loss!, 6);
    expect((await a.evaluate(dataset(inputs, labels))).loss).not.toBeCloseTo((await b.evaluate(repeated)).loss!, 2);
  });

  test("give 1/m Σ weight · loss; metrics are not weighted", async () => {
    const model = classifier(1, "meanSquaredError").compile({
      loss: "meanSquaredError",
      metrics: ["meanSquaredError"],
    });
    model.setWeights(new Map([["dense1.weight", new Float32Array(2)]]));
    const data = dataset(inputs, [1, 2, 3, 4], { sampleWeights: Float64Array.of(0.5, 3, 0, 1) });
    expect(await model.evaluate(data, { batchSize: 2 })).toEqual({
      loss: (0.5 * 1 + 3 * 4 + 16) / 4,
      meanSquaredError: (1 + 4 + 9 + 16) / 4,
    });
    const [part] = data.split([0.5], { shuffle: false });
    expect((await model.evaluate(part)).loss).toBe((0.5 * 1 + 3 * 4) / 2);
    expect((await model.evaluate(data.take(1))).loss).toBe(0.5);
  });

  test("are refused when they do not fit", async () => {
    expect(() => dataset(inputs, labels, { sampleWeights: [1] })).toThrow(
      failure("ShapeError", /^dataset: expected 4 sampleWeights, one per example/),
    );
    expect(() => dataset(inputs, labels, { sampleWeights: [1, 1, -1, 1] })).toThrow(
      failure("OptionError", "dataset: expected numbers >= 0 for sampleWeights but received -1 (number)"),
    );
    expect(() => dataset(inputs, labels, { sampleWeights: [1, NaN, 1, 1] })).toThrow(
      expect.objectContaining({ code: "NonFiniteError" }),
    );
    const whole = classifier().compile({ loss: (outputs) => outputs.mean() });
    const fit = whole.fit(dataset(inputs, labels, { sampleWeights: [1, 1, 1, 1] }));
    await expect(fit).rejects.toEqual(failure("ShapeError", /weights need a loss for each of 4 examples/));
  });
});

describe("class weights", () => {
  const same = async (
    classWeight: ClassWeight | "balanced",
    sampleWeights: number[],
    targets: Int32Array | number[][] = labels,
  ) => {
    const byClass = await trained(classifier(), dataset(inputs, targets), { classWeight });
    const bySample = await trained(classifier(), dataset(inputs, targets, { sampleWeights }));
    expectClose(byClass.weights, bySample.weights);
    expectClose(byClass.curves.loss!, bySample.curves.loss!);
  };

  test("are the sample weights of their classes; classes left out count 1", async () => {
    await same([0.5, 2, 3], [0.5, 3, 2, 3]);
    await same({ 2: 3 }, [1, 3, 1, 3]);
    const oneHot = [...labels].map((label) => [0, 1, 2].map((k) => (k === label ? 1 : 0)));
    await same({ 0: 4, 2: 3 }, [4, 3, 1, 3], oneHot);
  });

  // sklearn.utils.class_weight.compute_class_weight("balanced") gives 4/3, 4/3, 2/3 for the labels 0 2 1 2, and 3/2, 3/4 for 0 2 2.
  test("balanced, all classes that occur count alike", async () => {
    await same("balanced", [4 / 3, 2 / 3, 4 / 3, 2 / 3]);
    const [, part] = dataset(inputs, Int32Array.of(1, 0, 2, 2)).split([0.25, 0.75], { shuffle: false });
    const balanced = await trained(classifier(), part, { classWeight: "balanced" });
    const byHand = await trained(classifier(), dataset(inputs.slice(1), Int32Array.of(0, 2, 2), { sampleWeights: [3 / 2, 3 / 4, 3 / 4] })); // prettier-ignore
    expectClose(balanced.weights, byHand.weights);
  });

  test("balanced is refused where there are no class numbers to count", async () => {
    const refused = (targets: string): unknown =>
      failure("OptionError", `fit: classWeight "balanced" counts class numbers (int32 [n]) but the targets are ${targets}; give weights by class`);
    const rows = dataset(inputs, [...labels].map((label) => [0, 1, 2].map((k) => (k === label ? 1 : 0)))); // prettier-ignore
    await expect(classifier().fit(rows, { classWeight: "balanced" })).rejects.toEqual(refused("float32 [4, 3]"));
    async function* stream() {
      await Promise.resolve();
      yield { inputs, targets: labels };
    }
    await expect(classifier().fit(stream, { classWeight: "balanced" })).rejects.toEqual(refused("in a stream, not yet seen")); // prettier-ignore
    await expect(classifier().fit(dataset(inputs, labels), { classWeight: "even" as never })).rejects.toEqual(
      failure("OptionError", 'fit: expected weights by class such as { 3: 10 }, or "balanced", for classWeight but received "even" (string)'),
    );
  }); // prettier-ignore

  test("of one output are those of 0 and 1", async () => {
    const targets = Int32Array.of(0, 1, 1, 0);
    const make = () => classifier(1, "sigmoidCrossEntropy");
    const a = await trained(make(), dataset(inputs, targets), { classWeight: [1, 5] });
    const b = await trained(make(), dataset(inputs, targets, { sampleWeights: [1, 5, 5, 1] }));
    expectClose(a.weights, b.weights);
  });

  test("multiply with sample weights, and leave validation alone", async () => {
    const data = dataset(inputs, labels);
    const weighted = dataset(inputs, labels, { sampleWeights: [1, 2, 3, 4] });
    const a = await trained(classifier(), weighted, { classWeight: { 2: 3 }, validationData: data });
    const b = await trained(classifier(), dataset(inputs, labels, { sampleWeights: [1, 6, 3, 12] }), {
      validationData: data,
    });
    expectClose(a.weights, b.weights);
    expectClose(a.curves.valLoss!, b.curves.valLoss!);
    const plain = classifier();
    plain.setWeights(new Map([...plain.weights.keys()].map((name, i) => [name, Float32Array.from(i === 0 ? a.weights.slice(0, 6) : a.weights.slice(6))]))); // prettier-ignore
    expect(a.curves.valLoss!.at(-1)).toBeCloseTo((await plain.evaluate(data)).loss!, 6);
  });

  test.each([
    [{ 3: 2 }, /expected classes below 3, the number of classes, for classWeight but received 3/],
    [{ 1: -2 }, /expected a number >= 0 for classWeight but received -2/],
    [{ cat: 2 }, /expected an integer >= 0 for classWeight but received NaN/],
  ])("%j is refused", async (classWeight, message) => {
    const fit = classifier().fit(dataset(inputs, labels), { classWeight: classWeight as ClassWeight });
    await expect(fit).rejects.toEqual(failure("OptionError", message));
  });
});

async function warningsOf(loss: LossOption, layers: readonly Layer[], data = dataset(inputs, labels)): Promise<string[]> {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  try {
    await sequential(layers, { inputShape: [2], seed: 1 }).compile({ loss }).fit(data);
    return emit.mock.calls.map(([message]) => String(message));
  } finally {
    emit.mockRestore();
  }
} // prettier-ignore

describe("a last layer and a loss that do not belong together", () => {
  const binary = dataset(inputs, Float32Array.from(labels, (label) => label % 2)); // prettier-ignore
  test.each<[LossName, Layer[], RegExp | undefined]>([
    ["softmaxCrossEntropy", [dense(3, { activation: "softmax" })], /^softmaxCrossEntropy takes logits and applies softmax itself, but the outputs of "dense1" have been through one; leave it out, or use categoricalCrossEntropy$/],
    ["softmaxCrossEntropy", [dense(3), softmax()], /^softmaxCrossEntropy takes logits .* of "softmax1"/],
    ["sigmoidCrossEntropy", [dense(1), sigmoid()], /^sigmoidCrossEntropy takes logits and applies sigmoid itself.* of "sigmoid1" .* or use binaryCrossEntropy$/],
    ["categoricalCrossEntropy", [dense(3)], /^categoricalCrossEntropy takes probabilities, but those of "dense1" have been through no softmax; add one, or use softmaxCrossEntropy$/],
    ["binaryCrossEntropy", [relu(), dense(1)], /^binaryCrossEntropy takes probabilities, but those of "dense1" have been through no sigmoid; add one, or use sigmoidCrossEntropy$/],
    ["softmaxCrossEntropy", [dense(3)], undefined],
    ["sigmoidCrossEntropy", [dense(1)], undefined],
    ["categoricalCrossEntropy", [dense(3, { activation: "softmax" })], undefined],
    ["binaryCrossEntropy", [dense(1), sigmoid()], undefined],
    ["meanSquaredError", [dense(1), sigmoid()], undefined],
    ["meanSquaredError", [dense(1)], undefined],
  ])("%s %#", async (loss, layers, message) => {
    const data = /softmax|categorical/.test(loss) ? undefined : binary;
    const warnings = await warningsOf(loss, layers, data);
    expect(warnings).toHaveLength(message ? 1 : 0);
    if (message) expect(warnings[0]).toMatch(message);
  }); // prettier-ignore
});

describe("weights that are all alike", () => {
  const warnings = (...layers: Layer[]): Promise<string[]> => warningsOf("softmaxCrossEntropy", layers);
  const zeros = { weightInitializer: "zeros" } as const;

  test("are warned of where units in between can never differ", async () => {
    expect(await warnings(dense(4, zeros), relu(), dense(3, zeros))).toEqual([
      'the 4 units of "dense1.weight" all have the same weights in front and behind, so they will stay alike; ' +
        'use an initializer such as "heNormal" or "glorotUniform"',
    ]);
    expect(await warnings(dense(4, zeros), dense(5, zeros), dense(3, zeros))).toHaveLength(2);
  });

  test("are fine in one layer, for one unit, or beside weights that differ", async () => {
    expect(await warnings(dense(3, zeros))).toEqual([]);
    expect(await warnings(dense(1, zeros), dense(3, zeros))).toEqual([]);
    expect(await warnings(dense(4, zeros), dense(3))).toEqual([]);
    expect(await warnings(dense(4), dense(3, zeros))).toEqual([]);
  });
});

test("units that were warned of do stay alike", async () => {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const alike = { weightInitializer: constant(0.5) };
  const model = sequential([dense(4, { activation: "tanh", ...alike }), dense(3, alike)], { inputShape: [2], seed: 1 });
  await model.compile({ loss: "softmaxCrossEntropy", optimizer: "sgd" }).fit(dataset(inputs, labels), { epochs: 20 });
  emit.mockRestore();
  const weight = [...model.getWeights().get("dense1.weight")!];
  expect(weight[0]).not.toBe(0.5);
  expect(weight).toEqual(weight.map((_, i) => weight[i < 4 ? 0 : 4]));
});
