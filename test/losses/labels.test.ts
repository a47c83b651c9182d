// Labels out of range: whoever meets one first says who it is, which label, and what there may be; in every kind of work.
import { describe, expect, test } from "vitest";
import { auc, binaryCrossEntropy, categoricalCrossEntropy, dataset, dense, f1, mixUp, precision, recall, sequential, sigmoidCrossEntropy, softmaxCrossEntropy, tensor, topK, type Dataset, type Loss, type Model } from "simdnn"; // prettier-ignore
import { failure } from "../failure.js";

type Options = Parameters<Model["compile"]>[0];

/** A loss that looks at no labels, so that metrics meet them first. */
const blind: Loss = { name: "blind", call: (outputs) => outputs.mean({ axes: [1] }) };

const cases: [who: string, units: number, options: Options][] = [
  ["softmaxCrossEntropy", 3, { loss: "softmaxCrossEntropy" }],
  ["softmaxCrossEntropy", 3, { loss: softmaxCrossEntropy({ labelSmoothing: 0.1 }) }],
  ["categoricalCrossEntropy", 3, { loss: "categoricalCrossEntropy" }],
  ["sigmoidCrossEntropy", 1, { loss: "sigmoidCrossEntropy" }],
  ["binaryCrossEntropy", 1, { loss: "binaryCrossEntropy" }],
  ["binaryAccuracy", 1, { loss: blind, metrics: ["accuracy"] }],
  ["binaryCrossEntropy", 1, { loss: blind, metrics: ["logLoss"] }],
  ["categoricalCrossEntropy", 3, { loss: blind, metrics: ["perplexity"] }],
  ["accuracy", 3, { loss: blind, metrics: ["accuracy"] }],
  ["topK", 3, { loss: blind, metrics: [topK({ k: 2 })] }],
  ...[1, 3].flatMap((units) =>
    [precision(), recall(), f1(), auc()].map((metric): [string, number, Options] => [metric.name, units, { loss: blind, metrics: [metric] }]),
  ),
]; // prettier-ignore

describe.each(cases)("%s, %i outputs, %j", (who, units, options) => {
  const classes = Math.max(units, 2);
  const activation = options.loss === who && !who.startsWith("s") ? (units === 1 ? "sigmoid" : "softmax") : "linear";
  const model = (): Model => sequential([dense(units, { activation })], { inputShape: [1], seed: 1 }).compile(options);
  const sound = dataset([[1], [2], [3], [4], [5]], Int32Array.of(0, 1, 0, 1, 0));

  test.each([classes, -1])("label %i", async (label) => {
    const targets = Int32Array.of(0, 1, 0, label, 1);
    const data = dataset([[1], [2], [3], [4], [5]], targets);
    const message = `${who}: targets[3] is ${label}, but there are ${classes} classes: expected an integer from 0 to ${classes - 1}`; // prettier-ignore
    const works: Record<string, () => Promise<unknown>> = {
      fit: () => model().fit(data, { batchSize: 2 }),
      validation: () => model().fit(sound, { validationData: data }),
      evaluate: () => model().evaluate(data, { batchSize: 3 }),
      trainOnBatch: () => model().trainOnBatch([[1], [2], [3], [4], [5]], targets),
    };
    for (const [name, work] of Object.entries(works))
      await expect(work(), name).rejects.toThrow(failure("IndexError", message));
  });
});

test("a column of labels counts as one label each", async () => {
  const data = (targets: number[][]): Dataset => dataset([[1], [2]], tensor(targets, { dtype: "int32" }));
  const model = sequential([dense(3)], { inputShape: [1], seed: 1 });
  model.compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy"] });
  await model.fit(data([[0], [2]]));
  await expect(model.fit(data([[0], [3]]))).rejects.toThrow(/^softmaxCrossEntropy: targets\[1\] is 3, but there are 3/);
});

test("classWeight and mixUp tell of them, too", async () => {
  const model = sequential([dense(3)], { inputShape: [1], seed: 1 }).compile({ loss: blind });
  const data = dataset([[1], [2]], Int32Array.of(0, 3));
  await expect(model.fit(data, { classWeight: { 1: 2 } })).rejects.toThrow(/^classWeight: targets\[1\] is 3, but/);
  model.compile({ loss: "softmaxCrossEntropy" });
  await expect(model.fit(data, { augment: mixUp() })).rejects.toThrow(/^mixUp: targets\[1\] is 3, but there are 3/);
});

test("eager losses name themselves", () => {
  const labels = (...values: number[]) => tensor(values, { dtype: "int32" });
  const three = tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
  const one = tensor([0.5, 0.5]);
  const sentence = (who: string, label: number, classes: number): unknown =>
    failure("IndexError", `${who}[1] is ${label}, but there are ${classes} classes: expected an integer from 0 to ${classes - 1}`); // prettier-ignore
  expect(() => categoricalCrossEntropy(three, labels(0, 3))).toThrow(
    sentence("categoricalCrossEntropy: targets", 3, 3),
  );
  expect(() => softmaxCrossEntropy(three, labels(0, -1))).toThrow(sentence("softmaxCrossEntropy: labels", -1, 3));
  expect(() => sigmoidCrossEntropy(one, labels(0, 2))).toThrow(sentence("sigmoidCrossEntropy: targets", 2, 2));
  expect(() => binaryCrossEntropy(one, labels(0, 2))).toThrow(sentence("binaryCrossEntropy: targets", 2, 2));
});
