// Metrics: what counts as right, by hand, and their lookup by name.
import { describe, expect, test } from "vitest";
import { capture } from "#lib/capture.js";
import { resolveMetric, type MetricName, type MetricOption } from "#lib/metrics/registry.js";
import type { Metric } from "#lib/metrics/metric.js";
import "#lib/ops/methods.js";
import { tensor, type Tensor, type TensorData } from "#lib/tensor.js";
import { dataset, dense, sequential, type LossOption } from "simdnn";
import { failure } from "../failure.js";

const int = (values: TensorData): Tensor => tensor(values, { dtype: "int32" });

function values(name: MetricName, predictions: Tensor, targets: Tensor): number[] {
  const { call } = resolveMetric("compile", name);
  const eager = [...call({ outputs: predictions, predictions, targets }).data()];
  const captured = capture((p: Tensor, t: Tensor) => call({ outputs: p, predictions: p, targets: t }))(
    predictions,
    targets,
  );
  expect([...captured.data()]).toEqual(eager);
  return eager;
}

describe("accuracy", () => {
  const predictions = tensor([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.4, 0.4, 0.2]]); // prettier-ignore

  test("of classes, in every form that labels have; the first of ties counts", () => {
    const oneHot = [[0, 1, 0], [0, 1, 0], [1, 0, 0]]; // prettier-ignore
    for (const targets of [
      int([1, 1, 0]),
      int([[1], [1], [0]]),
      tensor(Uint8Array.of(1, 1, 0)),
      tensor(oneHot),
      int(oneHot),
    ])
      expect(values("accuracy", predictions, targets)).toEqual([1, 0, 1]);
  });

  test("of one output: above 0.5 is 1", () => {
    for (const targets of [int([1, 1, 0, 0]), tensor([[1], [1], [0], [0]])])
      expect(values("accuracy", tensor([[0.6], [0.5], [0.5], [0.9]]), targets)).toEqual([1, 0, 1, 0]);
  });

  test("of several labels is a metric of its own", () => {
    expect(values("binaryAccuracy", tensor([[0.9, 0.1], [0.9, 0.1]]), int([[1, 0], [1, 1]]))).toEqual([1, 0.5]); // prettier-ignore
  });

  test("refuses labels that are not integers", () => {
    expect(() => values("accuracy", predictions, tensor([1, 1, 0]))).toThrow(
      expect.objectContaining({ code: "DTypeError" }),
    );
  });
});

test("errors are the losses of the same name", () => {
  const [predictions, targets] = [tensor([[1, 2], [3, 4]]), tensor([[1, 0], [0, 4]])]; // prettier-ignore
  expect(values("meanAbsoluteError", predictions, targets)).toEqual([1, 1.5]);
  expect(values("meanSquaredError", predictions, targets)).toEqual([2, 4.5]);
});

describe("resolveMetric", () => {
  test("takes an object of one's own", () => {
    const mine: Metric = { name: "largest", call: ({ outputs }) => outputs.max() };
    expect(resolveMetric("compile", mine)).toBe(mine);
  });

  test.each([
    [
      "acuracy",
      /^compile: expected one of "accuracy", .* for metrics but received "acuracy" \(string\); did you mean "accuracy"\?$/,
    ],
    [null, /for metrics but received null$/],
    [{ name: "x" }, /for metrics but received \{ name: 'x' \} \(object\)$/],
  ])("refuses %j", (value, message) => {
    expect(() => resolveMetric("compile", value as MetricOption)).toThrow(failure("OptionError", message));
  });
});

test("accuracy goes through a link that changes the order, and spares one that does not", async () => {
  const model = sequential([dense(2, { bias: false })], { inputShape: [2] });
  model.setWeights(new Map([["dense1.weight", Float32Array.of(1, 0, 0, 1)]]));
  const data = dataset(
    [
      [2, 1],
      [1, 2],
      [5, 1],
    ],
    Int32Array.of(0, 1, 1),
  ); // the outputs are the inputs
  const call = (outputs: Tensor) => outputs.sum({ axes: 1 });
  const figure = async (loss: LossOption) =>
    (await model.compile({ loss, metrics: ["accuracy"] }).evaluate(data)).accuracy;
  expect(await figure({ name: "own", call })).toBeCloseTo(2 / 3, 6);
  expect(await figure({ name: "own", call, link: (outputs: Tensor) => outputs.neg() })).toBeCloseTo(1 / 3, 6);
  expect(await figure("softmaxCrossEntropy")).toBeCloseTo(2 / 3, 6);
});
