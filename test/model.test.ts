// What sequential() and fit() refuse of what JavaScript lets one pass. Training is train/fit.test.ts.
import { expect, it } from "vitest";
import { dataset, dense, relu, sequential, type Callback, type Layer, type Tensor } from "simdnn";

const build = (layers: readonly unknown[], inputShape: unknown = [2]) =>
  sequential(layers as readonly Layer[], { inputShape: inputShape as number[] });

it.each([
  ["a function in place of the layer it makes", () => build([dense(2), relu]), "expected a layer; call the function that makes it, for layers[1] but received [Function"],
  ["no layer", () => build([dense(2), undefined]), "sequential: expected a layer for layers[1] but received undefined"],
  ["a tensor", () => build([{ type: "dense" }]), "sequential: expected a layer for layers[0] but received"],
  ["a number as shape", () => build([dense(2)], 2), "expected the shape of one example, such as [784], for inputShape but received 2 (number)"],
  ["a batch dimension", () => build([dense(2)], [null, 2]), "expected the shape of one example, such as [784], for inputShape but received [ null, 2 ] (array)"],
])("refuses %s", (_, make, message) => {
  expect(make).toThrow(message);
}); // prettier-ignore

it("names a layer whose forward pass returns nothing", () => {
  const forgetful = { type: "forgetful", options: {}, call: (x: Tensor) => void x.neg() };
  expect(() => build([dense(2), forgetful])).toThrow(
    "forgetful1: expected a function that returns a tensor for call but received undefined",
  );
});

it("refuses a function in place of a callback", async () => {
  const model = sequential([dense(1)], { inputShape: [1] }).compile({ loss: "meanSquaredError" });
  const callbacks = [() => undefined] as unknown as Callback[];
  await expect(model.fit(dataset([[1]], [1]), { callbacks })).rejects.toThrow(
    "fit: expected an object with hooks for callbacks[0] but received",
  );
});
