// Regularizers: penalties and gradients by hand, training against the same descent in plain numbers, the cost's curve, and files.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  dataset,
  dense,
  gradients,
  l1,
  l1l2,
  l2,
  loadModel,
  ops,
  parameter,
  sequential,
  sgd,
  type Model,
  type Regularizer,
  type Tensor,
} from "simdnn";
import { failure } from "./failure.js";

const weights = [3, -0.5, 0, 2];
const m = 8;

// Penalty and gradient of λ = 0.25, written out. Keras: λ Σ; per example: λ/(2m) Σ.
const sign = [1, -1, 0, 1];
const forms: [string, Regularizer, number, number[]][] = [
  ["l2", l2(0.25), 0.25 * 13.25, weights.map((w) => 0.5 * w)],
  ["l2 per example", l2(0.25, { perExample: true }), (0.25 / 16) * 13.25, weights.map((w) => (0.25 / 8) * w)],
  ["l1", l1(0.25), 0.25 * 5.5, sign.map((s) => 0.25 * s)],
  ["l1 per example", l1(0.25, { perExample: true }), (0.25 / 16) * 5.5, sign.map((s) => (0.25 / 16) * s)],
  ["l1l2", l1l2({ l1: 0.5, l2: 0.25 }), 0.5 * 5.5 + 0.25 * 13.25, weights.map((w, i) => 0.5 * sign[i]! + 0.5 * w)],
  [
    "l1l2 per example",
    l1l2({ l1: 0.5, l2: 0.25, perExample: true }),
    (0.5 * 5.5 + 0.25 * 13.25) / 16,
    weights.map((w, i) => (0.5 * sign[i]! + 0.5 * w) / 16),
  ],
];

describe("penalty and gradient", () => {
  test.each(forms)("%s", (_, regularizer, penalty, gradient) => {
    const w = parameter(weights, { dtype: "float64" });
    const computed = regularizer.penalty(w, m);
    expect(computed.item()).toBeCloseTo(penalty, 14);
    const [dw] = gradients(computed, [w]);
    dw.data().forEach((value, i) => expect(value).toBeCloseTo(gradient[i]!, 14));
  });
});

const inputs = [[1, 2], [-1, 0.5], [0.25, -2], [3, 1], [-2, -1]]; // prettier-ignore
const targets = [3, 0.5, -1, 2, -4];
const start = { weight: [0.5, -1], bias: 0.25 };

function linear(weightRegularizer?: Regularizer, biasRegularizer?: Regularizer): Model {
  const options = { ...(weightRegularizer && { weightRegularizer }), ...(biasRegularizer && { biasRegularizer }) };
  const model = sequential([dense(1, options)], { inputShape: [2], seed: 1 });
  model.setWeights(
    new Map([
      ["dense1.weight", Float32Array.from(start.weight)],
      ["dense1.bias", Float32Array.of(start.bias)],
    ]),
  );
  return model.compile({ loss: "halfSquaredError", optimizer: sgd({ learningRate: 0.1 }) });
}

describe("fit", () => {
  test("descends along loss and penalty, the bias left out, and reports both", async () => {
    const lambda = 0.7;
    const model = linear(l2(lambda, { perExample: true }));
    const { curves } = await model.fit(dataset(inputs, targets), { epochs: 20, batchSize: 5, shuffle: false });
    // The same in plain numbers, as on paper: J = 1/m Σ ½(ŷ - y)² + λ/(2m) Σ w², w -= α (1/m Σ (ŷ - y) x + λ/m w).
    let [w, b] = [[...start.weight], start.bias];
    for (let epoch = 0; epoch < 20; epoch++) {
      const errors = inputs.map((x, i) => x[0]! * w[0]! + x[1]! * w[1]! + b - targets[i]!);
      const loss = errors.reduce((sum, e) => sum + e * e, 0) / 10;
      const cost = loss + (lambda / 10) * (w[0]! ** 2 + w[1]! ** 2);
      expect(curves.loss![epoch]).toBeCloseTo(loss, 5);
      expect(curves.cost![epoch]).toBeCloseTo(cost, 5);
      if (epoch > 0) expect(curves.cost![epoch]).toBeLessThan(curves.cost![epoch - 1]!);
      const gradient = (of: (i: number) => number): number => errors.reduce((sum, e, i) => sum + e * of(i), 0) / 5;
      const dw = [0, 1].map((j) => gradient((i) => inputs[i]![j]!) + (lambda / 5) * w[j]!);
      const db = gradient(() => 1);
      w = w.map((value, j) => value - 0.1 * dw[j]!);
      b -= 0.1 * db;
    }
    const trained = model.getWeights();
    w.forEach((value, j) => expect(trained.get("dense1.weight")![j]).toBeCloseTo(value, 5));
    expect(trained.get("dense1.bias")![0]).toBeCloseTo(b, 5);
  });

  test("without a regularizer there is no cost beside the loss; evaluation has none either way", async () => {
    const data = dataset(inputs, targets);
    expect(Object.keys((await linear().fit(data)).curves)).not.toContain("cost");
    const model = linear(undefined, l1(0.5));
    const { curves } = await model.fit(data, { batchSize: 5 });
    expect(curves.cost![0]! - curves.loss![0]!).toBeCloseTo(0.5 * start.bias, 6);
    expect(Object.keys(await model.evaluate(data))).toEqual(["loss"]);
  });

  test("each step weighs the penalty by its own examples, the short last one too", async () => {
    const model = linear(l2(1, { perExample: true })).compile({
      loss: "halfSquaredError",
      optimizer: sgd({ learningRate: 1e-30 }),
    });
    const { curves } = await model.fit(dataset(inputs, targets), { batchSize: 4 });
    const squares = 0.5 ** 2 + 1;
    expect(curves.cost![0]! - curves.loss![0]!).toBeCloseTo((4 * (squares / 8) + 1 * (squares / 2)) / 5, 5);
  });

  test("is saved with the model, except one of the user's own", async () => {
    const folder = await mkdtemp(join(tmpdir(), "simdnn-regularizers-"));
    try {
      const own: Regularizer = { type: "own", options: {}, penalty: (w) => w.sum() };
      const path = join(folder, "a.safetensors");
      await linear(l1l2({ l1: 0.1, l2: 0.2, perExample: true }), own).save(path);
      const loaded = await loadModel(path);
      expect(loaded.layers[0]!.options.weightRegularizer).toEqual({
        type: "l1l2",
        options: { l1: 0.1, l2: 0.2, perExample: true },
      });
      expect(loaded.layers[0]!.options).not.toHaveProperty("biasRegularizer");
      expect(loaded.penalty(5)!.item()).toBeCloseTo((0.1 * 1.5 + 0.2 * 1.25) / 10, 6);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

// prettier-ignore
test.each([
  [() => l2(-1), "l2: expected a number >= 0 for lambda but received -1 (number)"],
  [() => l1(NaN), /^l1: .* for lambda but received NaN/],
  [() => l2(1, { perexample: true } as object), 'l2: unknown option "perexample"; did you mean "perExample"?'],
  [() => l1l2({ l1: 1 } as never), /^l1l2: expected a number >= 0 for l2 but received undefined/],
  [() => dense(1, { weightRegularizer: 0.01 as never }), /^dense: expected a regularizer such as l2\(0\.01\) for weightRegularizer but received 0.01/],
  [() => dense(1, { weightRegularizer: { type: "l3", options: {} } as never }), /one of "l1", "l2", "l1l2" for weightRegularizer/],
])("refuses %#", (make, message) => {
  expect(make).toThrow(failure("OptionError", message));
});

test("contributions that are products add up, whatever comes first", () => {
  const w = parameter([3, -1]);
  const scaled = (factor: number) => ops.mul(ops.squaredNorm(w), factor); // 2 · factor · w
  const plain = () => ops.sum(w);
  const cases: [Tensor, number[]][] = [
    [scaled(0.5), [3, -1]],
    [ops.add(scaled(0.5), scaled(1)), [9, -3]],
    [ops.add(scaled(0.5), plain()), [4, 0]],
    [ops.add(plain(), scaled(0.5)), [4, 0]],
    [ops.add(ops.add(scaled(0.5), plain()), scaled(1)), [10, -2]],
    [ops.squaredNorm(ops.mul(w, 2)), [24, -8]],
  ];
  for (const [cost, expected] of cases) expect([...gradients(cost, [w])[0].data()]).toEqual(expected);
});
