// Methods of tensors are the functions of the same names, and gradients() through them works as for functions.
import { expect, test } from "vitest";
import { capture } from "#lib/capture.js";
import * as ops from "#lib/ops/index.js";
import "#lib/ops/methods.js";
import { parameter, tensor, Tensor } from "#lib/tensor.js";

const x = tensor([[0.5, -1], [2, 1]]); // prettier-ignore
const y = tensor([[1, 2], [3, -1]]); // prettier-ignore

test("a method does what its function does", () => {
  expect(x.add(y).data()).toEqual(ops.add(x, y).data());
  expect(x.sub(1).data()).toEqual(ops.sub(x, 1).data());
  expect(x.pow(2).data()).toEqual(ops.pow(x, 2).data());
  expect(x.leakyRelu({ slope: 0.5 }).data()).toEqual(ops.leakyRelu(x, { slope: 0.5 }).data());
  expect(x.clip(0, 1).data()).toEqual(ops.clip(x, 0, 1).data());
  expect(x.matmul(y, { transposeB: true }).data()).toEqual(ops.matmul(x, y, { transposeB: true }).data());
  expect(x.sum({ axes: 1, keepDims: true }).shape).toEqual([2, 1]);
  expect(x.transpose().data()).toEqual(ops.transpose(x).data());
  expect(x.slice([0, 1], [-1, 1]).data()).toEqual(new Float32Array([-1, 1]));
  expect(x.gather(tensor([1], { dtype: "int32" })).data()).toEqual(new Float32Array([2, 1]));
  expect(x.argmax().data()).toEqual(new Int32Array([0, 0]));
});

test("every function of one tensor that is not for layers alone is a method", () => {
  const methods = Object.getOwnPropertyNames(Tensor.prototype);
  for (const name of [
    "neg",
    "exp",
    "log",
    "sqrt",
    "square",
    "abs",
    "sign",
    "relu",
    "elu",
    "sigmoid",
    "tanh",
    "softplus",
    "swish",
    "gelu",
    "softmax",
    "logSoftmax",
    "mean",
    "max",
    "squaredNorm",
    "reshape",
    "pad",
    "broadcastTo",
    "cast",
    "stopGradient",
  ])
    // prettier-ignore
    expect(methods, name).toContain(name);
});

test("methods do not show up when a tensor's properties are listed", () => {
  const listed: string[] = [];
  for (const key in x) listed.push(key);
  expect(listed).not.toContain("add");
});

// 5 · 0.98¹⁰⁰⁰ is 8e-9; float32 stops where 0.01 · 2 (5 - w) is below half the spacing of numbers near 5.
test.each([
  ["float64", 1e-8],
  ["float32", 1.2e-5],
] as const)("w² - 10w + 25 has its minimum at 5 in %s", (dtype, error) => {
  const w = parameter(0, { dtype });
  const step = capture(() => {
    const cost = w.square().sub(w.mul(10)).add(25);
    const [dw] = ops.gradients(cost, [w]);
    ops.sgd(w, dw, tensor(0.01, { dtype: "float64" }));
    return cost;
  });
  expect(step().item()).toBe(25);
  for (let i = 1; i < 1000; i++) step();
  expect(Math.abs(w.item() - 5)).toBeLessThan(error);
});

test("a tensor that is used twice gets the sum of both gradients", () => {
  const w = parameter(3);
  expect(ops.gradients(w.mul(w).add(w), [w])[0].item()).toBe(7);
});

test("gradients of gradients", () => {
  const w = parameter(2);
  const [dw] = ops.gradients(w.square().mul(w), [w]);
  expect(ops.gradients(dw, [w])[0].item()).toBe(12);
});

test("a batch norm may be applied twice before gradients are taken", () => {
  const [gamma, beta] = [parameter([1, 1]), parameter([0, 0])];
  const [runningMean, runningVariance] = [tensor([0, 0]), tensor([1, 1])];
  const norm = (input: Tensor): Tensor => ops.batchNorm(input, gamma, beta, runningMean, runningVariance, { momentum: 0.9, epsilon: 1e-5 }); // prettier-ignore
  const loss = norm(norm(x).mul(2)).square().mean();
  expect(ops.gradients(loss, [gamma])[0].shape).toEqual([2]);
});

test("more tensors than one instruction takes can be joined", () => {
  const parts = Array.from({ length: 150 }, (_, i) => tensor([i]));
  expect([...ops.concat(parts).data()]).toEqual(parts.map((_, i) => i));
});
