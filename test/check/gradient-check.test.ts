// Gradient checking: figures and verdicts against closed forms, planted bugs found by name, corners, randomness, and what it leaves alone.
import { describe, expect, test } from "vitest";
import {
  batchNorm,
  categoricalCrossEntropy,
  constant,
  dataset,
  dense,
  dropout,
  elu,
  flatten,
  gelu,
  gradientCheck,
  l1,
  l1l2,
  l2,
  leakyRelu,
  normalization,
  ops,
  relu,
  reshape,
  sequential,
  sgd,
  sigmoid,
  softmax,
  softplus,
  swish,
  tanh,
  tensor,
  type Dataset,
  type Layer,
  type LossName,
  type Model,
  type Tensor,
} from "simdnn";
import { randomStream } from "#lib/random.js";
import { failure } from "../failure.js";

const double = { dtype: "float64" } as const;
const normals = (count: number, seed = 1): number[] => {
  const random = randomStream(seed);
  return Array.from({ length: count }, () => random.normal());
};
const rows = (count: number, width: number, seed?: number): number[][] =>
  Array.from({ length: count }, (_, i) => normals(count * width, seed).slice(i * width, (i + 1) * width));

const labels = Int32Array.from({ length: 24 }, (_, i) => (i * 7) % 3);
const threeClasses = dataset(rows(24, 4), labels);

function classifier(layers: readonly Layer[], inputShape = [4], loss: LossName = "softmaxCrossEntropy"): Model {
  return sequential(layers, { inputShape, seed: 1 }).compile({ loss, optimizer: sgd({ learningRate: 0.05 }) });
}

/** Its gradient is `factor` times too large: the value is `x · w`, but part of it comes by a way that gradients do not see. */
const exaggerated = (factor: number): Layer<{ gain: Tensor }> => ({
  type: "exaggerated",
  options: {},
  build: ({ inputShape, parameter }) => ({ gain: parameter("gain", inputShape, constant(1.5)) }),
  call: (x, { gain }) => {
    const right = x.mul(gain);
    const more = ops
      .stopGradient(x)
      .mul(gain)
      .mul(factor - 1);
    return right.add(more).sub(ops.stopGradient(more));
  },
});

describe("a cost by hand", () => {
  test("J = θ x with the gradient x", async () => {
    const x = tensor(2, double);
    const report = await gradientCheck((theta) => theta.mul(x), [4], { gradients: () => [x.add(0)] });
    expect(report).toMatchObject({ verdict: "great", passed: true, cost: 8, checked: 1, elements: 1, epsilon: 1e-7 });
    const approximation = ((4 + 1e-7) * 2 - (4 - 1e-7) * 2) / 2e-7;
    expect(report.figure).toBe(Math.abs(approximation - 2) / (Math.abs(approximation) + 2));
  });

  test("gradients of the library against those on paper: logistic regression", async () => {
    const [x, y] = [rows(5, 2), [0, 1, 1, 0, 1]];
    const [w, b] = [[0.3, -0.7], 0.1];
    const cost = (weight: Tensor, bias: Tensor): Tensor =>
      ops.sigmoidCrossEntropy(tensor(x, double).matmul(weight).add(bias), tensor(y, { shape: [5, 1], dtype: "float64" })).mean(); // prettier-ignore
    const report = await gradientCheck(cost, [tensor(w, { shape: [2, 1], name: "weight", dtype: "float64" }), b]);
    const error = x.map(([p, q], i) => 1 / (1 + Math.exp(-(w[0]! * p! + w[1]! * q! + b))) - y[i]!);
    const expected = [0, 1].map((k) => error.reduce((sum, e, i) => sum + (e * x[i]![k]!) / 5, 0));
    expect(report.parameters.map(({ name }) => name)).toEqual(["weight", "parameter 2"]);
    for (const { index, gradient, difference } of report.parameters[0]!.worst) {
      expect(gradient).toBeCloseTo(expected[index[0]!]!, 14);
      expect(difference).toBeCloseTo(expected[index[0]!]!, 7);
    }
    expect(report.parameters[1]!.worst[0]!.gradient).toBeCloseTo(
      error.reduce((sum, e) => sum + e / 5, 0),
      14,
    );
    expect(report.verdict).toBe("great");
  });

  test("the figure of a wrong gradient is that of the formula", async () => {
    // J = a² + 3b: slopes 2a and 3, but the second is said to be 4.
    const cost = (p: Tensor): Tensor =>
      ops
        .slice(p, [0], [1])
        .square()
        .add(ops.slice(p, [1], [1]).mul(3))
        .sum();
    const report = await gradientCheck(cost, [[2, 5]], { gradients: () => [tensor([4, 4], double)] });
    expect(report.figure).toBeCloseTo(1 / (5 + Math.sqrt(32)), 7);
    expect(report.verdict).toBe("wrong");
    expect(report.parameters[0]!.worst[0]).toMatchObject({ index: [1], gradient: 4 });
    expect(report.parameters[0]!.worst[0]!.difference).toBeCloseTo(3, 6);
    expect(report.parameters[0]!.factor).toBeUndefined();
  });

  test("a small parameter that is wrong does not vanish among large ones", async () => {
    const cost = (large: Tensor, small: Tensor): Tensor => large.mul(1e4).add(small.mul(1e-3)).sum();
    const gradients = (): Tensor[] => [tensor(1e4, double), tensor(2e-3, double)];
    const report = await gradientCheck(cost, [1, 1], { gradients });
    expect(report.figure).toBeLessThan(1e-7);
    expect(report.parameters.map(({ verdict }) => verdict)).toEqual(["great", "wrong"]);
    expect(report.verdict).toBe("wrong");
  });

  test("slopes of 0 agree with rounding", async () => {
    const report = await gradientCheck((w) => w.sub(3).square().add(100), [3]);
    expect(report).toMatchObject({ verdict: "great", parameters: [{ verdict: "great" }] });
  });

  test("each verdict from its bound on", async () => {
    const verdictAt = async (error: number) =>
      (await gradientCheck((w) => w.mul(1), [0.5], { gradients: () => [tensor(1 + 2 * error, double)] })).verdict;
    expect(await verdictAt(5e-7)).toBe("look");
    expect(await verdictAt(5e-5)).toBe("worry");
    expect(await verdictAt(5e-3)).toBe("wrong");
  });
});

const everyActivation: readonly Layer[] = [relu(), leakyRelu(), elu(), sigmoid(), tanh(), softplus(), swish(), gelu(), softmax()]; // prettier-ignore

describe("models pass, at first and after some training", () => {
  const layers: Record<string, () => readonly Layer[]> = {
    ...Object.fromEntries(everyActivation.map((layer) => [layer.type, () => [dense(5), layer, dense(3)]])),
    "fused activations": () => [dense(5, { activation: "leakyRelu", slope: 0.2 }), dense(5, { activation: "tanh" }), dense(4, { activation: "gelu" }), dense(3)],
    "batch norm": () => [dense(6, { bias: false }), batchNorm(), relu(), dense(5), batchNorm({ momentum: 0.5 }), tanh(), dense(3)],
    "a bias that batch norm takes off again": () => [dense(6), batchNorm(), tanh(), dense(3)],
    "dropout of nothing": () => [dense(5, { activation: "tanh" }), dropout({ keepProb: 1 }), dense(3)],
    "shapes and normalization": () => [normalization({ mean: 0.5, variance: 4 }), reshape([2, 2]), dense(3, { activation: "tanh" }), flatten(), dense(3)],
    penalties: () => [
      dense(5, { activation: "tanh", weightRegularizer: l2(0.1), biasRegularizer: l2(0.2, { perExample: true }) }),
      dense(4, { activation: "tanh", weightRegularizer: l1(0.1) }),
      dense(3, { weightRegularizer: l1l2({ l1: 0.3, l2: 0.4, perExample: true }) }),
    ],
  }; // prettier-ignore

  test.each(Object.entries(layers))("%s", async (_, make) => {
    const model = classifier(make());
    for (const epochs of [0, 20]) {
      if (epochs > 0) await model.fit(threeClasses, { epochs, batchSize: 8 });
      const report = await gradientCheck(model, threeClasses);
      expect(String(report)).toContain("gradient check: great");
      expect(report.parameters.map(({ name }) => name)).toEqual(model.parameters.map(({ name }) => name));
      expect(report.checked + report.parameters.reduce((sum, { corners }) => sum + corners, 0)).toBe(model.parameterCount); // prettier-ignore
    }
  });

  const targets: Record<LossName, [units: number, targets: number[] | number[][] | Int32Array, last?: "softmax" | "sigmoid"]> = {
    softmaxCrossEntropy: [3, labels],
    sigmoidCrossEntropy: [1, Array.from(labels, (label) => label % 2)],
    categoricalCrossEntropy: [3, labels, "softmax"],
    binaryCrossEntropy: [2, Array.from(labels, (label) => [label % 2, 0.25]), "sigmoid"],
    meanSquaredError: [2, rows(24, 2, 5)],
    halfSquaredError: [2, rows(24, 2, 5)],
    meanAbsoluteError: [2, rows(24, 2, 5)],
    huber: [2, rows(24, 2, 5)],
  }; // prettier-ignore
  test.each(Object.entries(targets))("%s", async (loss, [units, values, last]) => {
    const model = classifier([dense(5, { activation: "tanh" }), dense(units, { activation: last ?? "linear" })], [4], loss as LossName); // prettier-ignore
    const sampleWeights = Float32Array.from(labels, (label) => 0.5 + label);
    const report = await gradientCheck(model, dataset(rows(24, 4), values, { sampleWeights }));
    expect(String(report)).toContain("gradient check: great");
    expect(report.cost).toBeGreaterThan(0);
  });

  test("the cost is the loss and the penalties, over the batch", async () => {
    const model = classifier([dense(3, { weightRegularizer: l2(0.5, { perExample: true }) })]);
    const weights = [...(model.getWeights().get("dense1.weight") as Float32Array)];
    const penalty = (0.5 / (2 * 10)) * weights.reduce((sum, w) => sum + w * w, 0);
    const { loss } = await model.evaluate(threeClasses.take(10));
    for (const training of [true, false]) {
      const report = await gradientCheck(model, threeClasses, { batchSize: 10, training });
      expect(report.cost).toBeCloseTo(loss! + penalty, 6);
      expect(report.verdict).toBe("great");
    }
  });
});

describe("planted bugs", () => {
  test("a layer whose gradient is twice what it should be is named, with the factor and the numbers", async () => {
    const model = classifier([dense(5, { activation: "tanh" }), exaggerated(2), dense(3)]);
    const report = await gradientCheck(model, threeClasses);
    expect(report).toMatchObject({ verdict: "wrong", passed: false });
    expect(report.parameters.filter(({ verdict }) => verdict !== "great").map(({ name }) => name)).toEqual(["exaggerated1.gain"]); // prettier-ignore
    const { figure, factor, worst } = report.parameters.find(({ name }) => name === "exaggerated1.gain")!;
    expect(figure).toBeCloseTo(1 / 3, 6); // ‖g - 2g‖ / (‖g‖ + ‖2g‖)
    expect(factor).toBeCloseTo(2, 5);
    for (const { gradient, difference } of worst) expect(gradient / difference).toBeCloseTo(2, 4);
    expect(String(report)).toContain("exaggerated1.gain: all of its gradient is 2 times what it should be");
  });

  test("a gradient that never arrives", async () => {
    const stopped: Layer<{ shift: Tensor }> = {
      type: "stopped",
      options: {},
      build: ({ inputShape, parameter }) => ({ shift: parameter("shift", inputShape, constant(0.5)) }),
      call: (x, { shift }) => x.add(ops.stopGradient(shift)),
    };
    const report = await gradientCheck(classifier([stopped, dense(3)]), threeClasses);
    expect(report.parameters[0]).toMatchObject({ name: "stopped1.shift", figure: 1, verdict: "wrong" });
    expect(String(report)).toContain("stopped1.shift: no gradient arrives, but the cost depends on it");
  });

  test("one element of many, behind a loss with its own backward pass", async () => {
    const x = tensor(rows(6, 3), double);
    const cost = (w: Tensor): Tensor => ops.tanh(x.matmul(w)).square().mean();
    const backward = (w: Tensor): Tensor[] => {
      const y = ops.tanh(x.matmul(w));
      const right = x.transpose().matmul(y.mul(2 / 12).mul(y.square().neg().add(1)));
      return [right.add(tensor([[0, 0], [0, 0.01], [0, 0]], double))]; // prettier-ignore
    };
    const report = await gradientCheck(cost, [rows(3, 2, 9)], { gradients: backward });
    expect(report.verdict).toBe("wrong");
    expect(report.parameters[0]!.worst[0]!.index).toEqual([1, 1]);
    const right = await gradientCheck(cost, [rows(3, 2, 9)], { gradients: (w) => [backward(w)[0]!.sub(tensor([[0, 0], [0, 0.01], [0, 0]], double))] }); // prettier-ignore
    expect(right.verdict).toBe("great");
  });

  test("a loss that forgot to divide", async () => {
    const model = sequential([dense(3)], { inputShape: [4], seed: 1 });
    const loss = (outputs: Tensor, targets: Tensor): Tensor => {
      const right = categoricalCrossEntropy(ops.softmax(outputs), targets);
      const more = right.mul(3);
      return right.add(more).sub(ops.stopGradient(more));
    };
    const report = await gradientCheck(model.compile({ loss }), threeClasses);
    expect(report.parameters.map(({ factor }) => Math.round(1e4 * factor!) / 1e4)).toEqual([4, 4]);
  });
});

describe("corners of the cost", () => {
  test("ReLU at exactly 0 is left out and reported", async () => {
    const model = classifier([dense(4, { activation: "relu", weightInitializer: "zeros" }), dense(3)]);
    const report = await gradientCheck(model, threeClasses);
    expect(report.parameters.map(({ corners }) => corners)).toEqual([16, 0, 0, 0]); // as many labels of each class: no slope for biases
    expect(report).toMatchObject({ verdict: "look", passed: true, parameters: [{ checked: 0, verdict: "look" }, { verdict: "great" }, {}, {}] }); // prettier-ignore
    expect(String(report)).toContain("16 elements left out: the cost has a corner there");
  });

  test("where there is nothing else, nothing has passed", async () => {
    const report = await gradientCheck((w) => w.abs().sum(), [[0, 0]], { gradients: () => [tensor([0.5, 7], double)] });
    expect(report).toMatchObject({ verdict: "look", passed: false, checked: 0, parameters: [{ corners: 2 }] });
  });

  test("a wrong gradient beside the corner is wrong, and steep parabolas have none", async () => {
    const gradients = () => [tensor([0.5, 7], double)];
    expect((await gradientCheck((w) => w.abs().sum(), [[1, 2]], { gradients })).verdict).toBe("wrong");
    const steep = await gradientCheck((w) => w.sub(3).mul(1e4).square().sum(), [[3, 3.1, 2]]);
    expect(steep).toMatchObject({ verdict: "great", checked: 3 });
  });
});

describe("randomness", () => {
  const model = classifier([dense(5, { activation: "tanh" }), dropout(0.3), dense(3)]);

  test("dropout is refused by name; in prediction it does nothing", async () => {
    await expect(gradientCheck(model, threeClasses)).rejects.toThrow(
      failure("StateError", /^gradientCheck: model\.dropout1 draws new random numbers .* set its rate to 0 .* \{ training: false \}$/), // prettier-ignore
    );
    expect((await gradientCheck(model, threeClasses, { training: false })).verdict).toBe("great");
  });

  test("so is a layer of one's own, and a cost that differs", async () => {
    const noise: Layer = {
      type: "noise",
      options: {},
      call: (x, _, { random: { seed, stream, counter } }) =>
        x.add(ops.randomNormal(x.shape, { seed, stream, step: counter, dtype: x.dtype as "float64" })),
    };
    await expect(gradientCheck(classifier([dense(3), noise]), threeClasses)).rejects.toThrow(/model\.noise1 draws/);
    const counter = tensor(0, { dtype: "int32" });
    const noisy = (w: Tensor): Tensor => w.mul(ops.randomUniform([], { seed: 1, step: ops.tick(counter), ...double }));
    await expect(gradientCheck(noisy, [1])).rejects.toThrow(
      failure("StateError", /^gradientCheck: the cost is .* at one time and .* at another/),
    );
  });
});

test("leaves the model as it is and the event loop free", async () => {
  const model = classifier([dense(100, { bias: false }), batchNorm(), relu(), dense(40), tanh(), dense(3)]);
  const bytes = (): string => [...model.getWeights().values()].map((values) => Buffer.from(values.buffer).toString("hex")).join(); // prettier-ignore
  const [before, passes] = [bytes(), model.passes.item()];
  let turns = 0;
  let running = true;
  const count = (): void => {
    turns++;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  await gradientCheck(model, threeClasses);
  running = false;
  expect(turns).toBeGreaterThan(0);
  expect(bytes()).toBe(before);
  expect(model.passes.item()).toBe(passes);
  expect(model.optimizer.iterations.item()).toBe(0);
});

test("a sample of a larger net has some of every parameter, the same for the same seed", async () => {
  const model = classifier([dense(40, { activation: "tanh" }), dense(3)]);
  const check = (seed: number) => gradientCheck(model, threeClasses, { elements: 100, seed });
  const report = await check(1);
  expect(report.parameters.map(({ checked }) => checked)).toEqual([50, 12, 37, 3]); // 100 · 160 / 323 and so on; all of dense2.bias
  expect(report.elements).toBe(323);
  expect(report.verdict).toBe("great");
  expect(await check(1)).toEqual(report);
  expect((await check(2)).parameters[0]!.worst).not.toEqual(report.parameters[0]!.worst);
  expect((await gradientCheck(model, threeClasses, { elements: Infinity })).checked).toBe(323);
});

describe("wrong use", () => {
  const refused = (promise: Promise<unknown>, ...expected: Parameters<typeof failure>) =>
    expect(promise).rejects.toThrow(failure(...expected));
  const model = classifier([dense(3)]);

  test("of models", async () => {
    await refused(gradientCheck(sequential([dense(3)], { inputShape: [4] }), threeClasses), "StateError", /^gradientCheck: model has no loss yet/); // prettier-ignore
    await refused(gradientCheck(model, dataset([[1, 2]], [[1]])), "ShapeError", /^gradientCheck: the examples have shape \[2\]/); // prettier-ignore
    await refused(gradientCheck(model, undefined as unknown as Dataset), "OptionError", /expected a Dataset/);
    await refused(gradientCheck(model, threeClasses, { batchsize: 3 } as object), "OptionError", /did you mean "batchSize"/); // prettier-ignore
    await refused(gradientCheck(model, threeClasses, { epsilon: 0 }), "OptionError", /positive number for epsilon/);
    await refused(gradientCheck(model, threeClasses, { elements: 0 }), "OptionError", /positive integer for elements/);
    await refused(gradientCheck(model, threeClasses, { batchSize: 25 }), "OptionError", /at most 24/);
    await refused(gradientCheck(classifier([relu()], [3]), dataset(rows(3, 3), Int32Array.of(0, 1, 2))), "OptionError", /a model with parameters/); // prettier-ignore
    await refused(gradientCheck(null as unknown as Model, threeClasses), "OptionError", /a model or a cost function/);
    const single: Layer = { type: "single", options: {}, call: (x) => x.mul(tensor([1, 2, 3, 4])) };
    await refused(gradientCheck(classifier([single, dense(3)]), threeClasses), "DTypeError", /float64[^]*float32/);
  });

  test("of costs", async () => {
    await refused(gradientCheck((w) => w.square(), [[1, 2]]), "ShapeError", /^gradientCheck: the cost must be a scalar/); // prettier-ignore
    await refused(gradientCheck((w) => w.cast("float32"), [1]), "DTypeError", /^gradientCheck: the cost must be float64/); // prettier-ignore
    await refused(
      gradientCheck((w) => w.log(), [-1]),
      "NonFiniteError",
      /^gradientCheck: the cost became NaN/,
    );
    await refused(
      gradientCheck((w) => w.square(), []),
      "OptionError",
      /at least one tensor/,
    );
    await refused(
      gradientCheck((w) => w.square(), [1], { gradients: () => [] }),
      "ShapeError",
      /expected 1 gradients/,
    );
    await refused(gradientCheck((w) => w.square(), [1], { gradients: () => [tensor([2], double)] }), "ShapeError", /the gradient of "parameter 1" must be float64 \[\]/); // prettier-ignore
    await refused(
      gradientCheck(() => 3 as unknown as Tensor, [1]),
      "OptionError",
      /expected a tensor/,
    );
    await refused(gradientCheck((w) => w.square(), [1], { batchSize: 3 } as object), "OptionError", /unknown option "batchSize"/); // prettier-ignore
  });

  test("an abort ends it", async () => {
    const reason = new Error("enough");
    await expect(gradientCheck(model, threeClasses, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
