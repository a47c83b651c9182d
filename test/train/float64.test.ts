// Models in double precision: a run against plain JavaScript numbers to the last digits, and every way in and out of a model.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { averageWeights, batchNorm, constant, dataset, dense, dropout, ensemble, l2, loadModel, relu, sequential, sgd, tensor, type SequentialOptions } from "simdnn"; // prettier-ignore
import { failure } from "../failure.js";

const dtype = "float64";
const xs = [0.1, -0.7, 1.3, 2.9];
const ys = [0.3, 1.1, -0.2, 0.7];
const line = dataset(tensor(xs, { shape: [4, 1], dtype }), tensor(ys, { shape: [4, 1], dtype }), { sampleWeights: [1, 2, 0.5, 1] }); // prettier-ignore

test("gradient descent is that of double numbers", async () => {
  const layer = dense(1, { weightInitializer: constant(1 / 3), weightRegularizer: l2(0.1) });
  const model = sequential([layer], { inputShape: [1], dtype });
  model.compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate: 0.1 }) });
  const { curves } = await model.fit(line, { epochs: 30, batchSize: 4, shuffle: false });
  const weights = [1, 2, 0.5, 1];
  let [w, b, cost] = [1 / 3, 0, 0];
  for (let step = 0; step < 30; step++) {
    const errors = xs.map((x, i) => w * x + b - ys[i]!);
    cost = errors.reduce((sum, e, i) => sum + weights[i]! * e * e, 0) / 4 + 0.1 * w * w;
    const dw = errors.reduce((sum, e, i) => sum + (weights[i]! * 2 * e * xs[i]!) / 4, 0) + 0.2 * w;
    const db = errors.reduce((sum, e, i) => sum + (weights[i]! * 2 * e) / 4, 0);
    [w, b] = [w - 0.1 * dw, b - 0.1 * db];
  }
  expect(model.parameters.map((parameter) => parameter.dtype)).toEqual([dtype, dtype]);
  expect(model.parameters[0]!.item()).toBeCloseTo(w, 14);
  expect(model.parameters[1]!.item()).toBeCloseTo(b, 14);
  expect(curves.cost!.at(-1)).toBeCloseTo(cost, 14);
  const prediction = await model.predict([[0.1]]);
  expect(prediction.dtype).toBe(dtype);
  expect(prediction.item()).toBeCloseTo(model.parameters[0]!.item() * Math.fround(0.1) + b, 14);
});

test("all of training, evaluation and files", async () => {
  const layers = [dense(6, { bias: false }), batchNorm(), relu(), dropout(0.2), dense(3)];
  const data = dataset(Uint8Array.from({ length: 40 }, (_, i) => (i * 37) % 11), Int32Array.from({ length: 10 }, (_, i) => i % 3), { inputShape: [4] }); // prettier-ignore
  const model = sequential(layers, { inputShape: [4], seed: 1, dtype });
  model.compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy", "topK", "f1", "auc", "perplexity"] });
  await model.fit(data, { epochs: 3, batchSize: 5, validationData: data, classWeight: { 1: 2 }, callbacks: [averageWeights()] }); // prettier-ignore
  const folder = await mkdtemp(join(tmpdir(), "simdnn-float64-"));
  await model.save(join(folder, "double.safetensors"));
  const loaded = await loadModel(join(folder, "double.safetensors"));
  await rm(folder, { recursive: true });
  expect(loaded.dtype).toBe(dtype);
  expect([...loaded.getWeights()]).toEqual([...model.getWeights()]);
  expect(await loaded.evaluate(data)).toEqual(await model.evaluate(data));
  expect(model.clone().dtype).toBe(dtype);

  const single = model.clone({ dtype: "float32" });
  expect((await single.evaluate(data)).loss).toBeCloseTo((await model.evaluate(data)).loss!, 5);
  expect(() => ensemble([model, single])).toThrow(failure("OptionError", /models that all compute in float64/));
});

test("an initializer that knows float32 only will do; other dtypes are refused", () => {
  const own = { type: "own", options: {}, make: () => tensor(Float32Array.of(1, 2), { shape: [2, 1] }) };
  const { parameters } = sequential([dense(1, { weightInitializer: own })], { inputShape: [2], dtype });
  expect(parameters[0]!.data()).toEqual(Float64Array.of(1, 2));
  const options = { inputShape: [2], dtype: "float16" } as unknown as SequentialOptions;
  expect(() => sequential([dense(1)], options)).toThrow(failure("OptionError", /"float32", "float64" for dtype/));
});
