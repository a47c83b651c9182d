// Label smoothing against PyTorch 1.13 (`cross_entropy(label_smoothing=0.1)`; for one output by targets 0.9 and 0.1), options and files.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  dataset,
  dense,
  gradients,
  loadModel,
  parameter,
  sequential,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  tensor,
  type TensorData,
} from "simdnn";
import { failure } from "../failure.js";

const close = (actual: ArrayLike<number>, expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => expect(Math.abs(actual[i]! - value)).toBeLessThan(1e-14));
};
const f64 = (values: TensorData) => parameter(values, { dtype: "float64" });

test("softmaxCrossEntropy, of class numbers and of rows", () => {
  const z = f64([[0.5, -1, 2, 0.25], [1, 1, 0, -3]]); // prettier-ignore
  const rows = tensor([[0, 0, 1, 0], [0, 0, 0, 1]], { dtype: "float64" }); // prettier-ignore
  for (const y of [tensor([2, 3], { dtype: "int32" }), rows]) {
    const loss = softmaxCrossEntropy(z, y, { labelSmoothing: 0.1 });
    close(loss.data(), [0.5255289984482534, 4.594700080626986]);
    const expected = [
      0.12923482528416222, 0.009414441266120205, -0.23376746925846925, 0.09511820270818683, 0.394077219778184,
      0.394077219778184, 0.12916989341968005, -0.9173243329760481,
    ];
    close(gradients(loss.sum(), [z])[0].data(), expected);
  }
});

test("sigmoidCrossEntropy", () => {
  const z = f64([[0.5], [-2]]);
  const loss = sigmoidCrossEntropy(z, tensor([1, 0], { dtype: "int32" }), { labelSmoothing: 0.2 });
  close(loss.data(), [0.5240769841801067, 0.32692801104297253]);
  close(gradients(loss.sum(), [z])[0].data(), [-0.27754066879814543, 0.01920292202211754]);
});

test("is saved with the model", async () => {
  const folder = await mkdtemp(join(tmpdir(), "simdnn-smoothing-"));
  try {
    const path = join(folder, "a.safetensors");
    const data = dataset([[1, 2], [3, 4]], Int32Array.of(0, 1)); // prettier-ignore
    const model = sequential([dense(2)], { inputShape: [2], seed: 1 });
    const plain = (await model.compile({ loss: "softmaxCrossEntropy" }).evaluate(data)).loss;
    model.compile({ loss: softmaxCrossEntropy({ labelSmoothing: 0.3 }) });
    await model.save(path);
    const { loss } = await (await loadModel(path)).evaluate(data);
    expect(loss).toBe((await model.evaluate(data)).loss);
    expect(loss).not.toBe(plain);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("refuses what is no share", () => {
  expect(() => softmaxCrossEntropy({ labelSmoothing: 1 })).toThrow(failure("OptionError", /for labelSmoothing/));
  expect(() => sigmoidCrossEntropy({ smoothing: 0.1 } as never)).toThrow(failure("OptionError", /"smoothing"/));
});
