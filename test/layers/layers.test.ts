// Layers: what they compute, eager and captured alike to the bit; their descriptions; and what they refuse.
import { describe, expect, test } from "vitest";
import { capture } from "#lib/capture.js";
import { dataset } from "#lib/data/dataset.js";
import { constant, type Initializer } from "#lib/initializers.js";
import {
  leakyRelu,
  elu,
  gelu,
  hardmax,
  relu,
  sigmoid,
  softmax,
  softplus,
  swish,
  tanh,
  type ActivationName,
} from "#lib/layers/activations.js";
import { batchNorm } from "#lib/layers/batch-norm.js";
import { dense, type DenseOptions } from "#lib/layers/dense.js";
import { dropout, type DropoutOptions } from "#lib/layers/dropout.js";
import type { Layer } from "#lib/layers/layer.js";
import { normalization } from "#lib/layers/normalization.js";
import { layerFromConfig, type LayerConfig } from "#lib/layers/registry.js";
import { flatten, reshape } from "#lib/layers/reshape.js";
import { sequential } from "#lib/model.js";
import { gradients } from "#lib/ops/gradient.js";
import { randomStream } from "#lib/random.js";
import { l1, l2 } from "#lib/regularizers.js";
import { Tensor, tensor, type Shape } from "#lib/tensor.js";
import { stack } from "../stack.js";
import { failure } from "../failure.js";

/** The example in the docs of `Layer`. */
const scale = (): Layer<{ factor: Tensor }> => ({
  type: "scale",
  options: {},
  build: ({ inputShape, parameter }) => ({ factor: parameter("factor", inputShape, constant(1)) }),
  call: (input, { factor }) => input.mul(factor),
});

function random(shape: Shape, seed = 1): Tensor {
  const stream = randomStream(seed);
  return tensor(
    Float32Array.from({ length: shape.reduce((size, dim) => size * dim, 1) }, () => stream.normal()),
    { shape },
  );
}

const everyLayer: [string, Shape, () => readonly Layer[]][] = [
  ["dense", [7], () => [dense(5)]],
  ["dense without bias", [7], () => [dense(5, { bias: false, weightInitializer: "orthogonal" })],
  ],
  ["dense on rows of rows", [3, 7], () => [dense(5, { activation: "tanh" })]],
  ["dense, fused", [7], () => [dense(5, { activation: "leakyRelu", slope: 0.3 })]],
  ["dense, not fused", [7], () => [dense(5, { activation: "gelu" }), dense(4, { activation: "swish" }), dense(3, { activation: "softmax" })]],
  ["batchNorm", [7], () => [batchNorm({ momentum: 0.8 })]],
  ["batchNorm of rows of rows", [3, 7], () => [batchNorm()]],
  ["dropout", [70], () => [dropout(0.3), scale()]],
  ["activations", [7], () => [dense(9), relu(), leakyRelu({ slope: 0.2 }), elu({ alpha: 2 }), sigmoid(), tanh(), softplus(), swish(), gelu(), softmax()]],
  ["shapes", [4, 3], () => [flatten(), dense(6), reshape([2, 3]), dense(2), reshape([-1])]],
  ["normalization", [7], () => [normalization({ mean: 0.5, variance: 4 }), dense(2)]],
  ["a layer of one's own", [7], () => [scale()]],
  ["everything in a row", [8], () => [dense(16, { bias: false }), batchNorm(), relu(), dropout(0.2), dense(4)]],
]; // prettier-ignore

describe("eager and captured agree to the bit", () => {
  test.each(everyLayer)("%s", (_, inputShape, make) => {
    const run = (captured: boolean) => {
      const { weights, parameters, forward } = stack(make(), inputShape);
      const train = (input: Tensor, step: Tensor) => {
        const output = forward(input, step);
        return parameters.length === 0 ? [output] : [output, ...gradients(output.square().mean(), parameters)];
      };
      const results = [0, 1].flatMap((step) => {
        const input = random([6, ...inputShape], step);
        return (captured ? capture(train) : train)(input, tensor(step, { dtype: "int32" }));
      });
      const inference = captured ? capture((input: Tensor) => forward(input)) : (input: Tensor) => forward(input);
      return [...results, inference(random([1, ...inputShape], 2)), ...weights.values()].map((value) => [
        ...value.data(),
      ]);
    };
    expect(run(true)).toEqual(run(false));
  });
});

describe("dense", () => {
  test("is input · weight + bias, then the activation", () => {
    const layer = dense(2, { activation: "relu", weightInitializer: constant(0.5), biasInitializer: constant(-3) });
    expect([...stack([layer], [3]).forward(tensor([[1, 2, 3], [1, 2, 4]])).data()]).toEqual([0, 0, 0.5, 0.5]); // prettier-ignore
  });

  test("has weights [in, units] and [units]", () => {
    const { weights } = stack([dense(5), dense(4, { bias: false })], [7]);
    expect([...weights].map(([name, { shape }]) => [name, shape])).toEqual([
      ["layers.0.weight", [7, 5]],
      ["layers.0.bias", [5]],
      ["layers.1.weight", [5, 4]],
    ]);
  });

  const names: ActivationName[] = [
    "linear",
    "relu",
    "leakyRelu",
    "elu",
    "sigmoid",
    "tanh",
    "softplus",
    "swish",
    "gelu",
    "softmax",
  ];
  test.each(names)("with activation %s equals dense and that layer", (activation) => {
    const numbers = activation === "leakyRelu" ? { slope: 0.3 } : activation === "elu" ? { alpha: 1.5 } : {};
    const input = random([5, 7]);
    const fused = stack([dense(6, { activation, ...numbers })], [7]).forward(input);
    const apart =
      activation === "linear" ? [dense(6)] : [dense(6), layerFromConfig({ type: activation, options: numbers })];
    const expected = stack(apart, [7]).forward(input).data();
    fused.data().forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6));
  });

  test.each([
    [() => dense("64" as never), 'dense: expected a positive integer for units but received "64" (string)'],
    [
      () => dense(64, { activaton: "relu" } as DenseOptions),
      'dense: unknown option "activaton"; did you mean "activation"?',
    ],
    [() => dense(64, { activation: "Relu" as "relu" }), /did you mean "relu"\?$/],
    [
      () => dense(64, { activation: "relu", slope: 0.1 }),
      'dense with activation "relu": unknown option "slope"; its options are activation, bias, weightInitializer, biasInitializer, weightRegularizer, biasRegularizer',
    ],
    [
      () => dense(64, { activation: "elu", alpha: 0 }),
      "dense: expected a positive number for alpha but received 0 (number)",
    ],
  ])("refuses %#", (make, message) => {
    expect(make).toThrow(failure("OptionError", message));
  });
});

describe("batchNorm", () => {
  const step = tensor(0, { dtype: "int32" });

  test("uses the batch in training and the running averages after it", () => {
    const { weights, forward } = stack([batchNorm({ momentum: 0.75, epsilon: 1e-12 })], [1]);
    const trained = forward(tensor([[1], [2], [6]]), step); // mean 3, variance 14/3, unbiased 7
    [-2, -1, 3].forEach((error, i) => expect(trained.data()[i]).toBeCloseTo(error / Math.sqrt(14 / 3), 6));
    expect(weights.get("layers.0.runningMean")!.item()).toBe(0.75);
    expect(weights.get("layers.0.runningVariance")!.item()).toBe(0.75 + 0.25 * 7);
    expect(forward(tensor([[4]])).item()).toBeCloseTo((4 - 0.75) / Math.sqrt(2.5), 6);
  });

  test("refuses to train on one row", () => {
    const { forward } = stack([batchNorm()], [3]);
    expect(() => forward(tensor([[1, 2, 3]]), step)).toThrow(failure("ShapeError", /^batchNorm: .*row/));
  });

  test("refuses wrong options", () => {
    expect(() => batchNorm({ momentun: 0.9 } as object)).toThrow(
      'batchNorm: unknown option "momentun"; did you mean "momentum"?',
    );
    expect(() => batchNorm({ momentum: 1 })).toThrow(
      "batchNorm: expected a number from 0 up to, but not including, 1 for momentum",
    );
  });
});

describe("dropout", () => {
  const run = (layer: Layer, step?: number) =>
    stack([layer], [4000]).forward(
      tensor(new Float32Array(4000).fill(3), { shape: [1, 4000] }),
      step === undefined ? undefined : tensor(step, { dtype: "int32" }),
    );

  test("drops its share, scales the rest, and draws anew each step", () => {
    const values = [...run(dropout(0.25), 0).data()];
    expect(new Set(values)).toEqual(new Set([0, 4]));
    const dropped = values.filter((value) => value === 0).length;
    expect(Math.abs(dropped - 1000)).toBeLessThan(5 * Math.sqrt(4000 * 0.25 * 0.75));
    expect([...run(dropout({ rate: 0.25 }), 0).data()]).toEqual(values);
    expect([...run(dropout({ keepProb: 0.75 }), 0).data()]).toEqual(values);
    expect([...run(dropout(0.25), 1).data()]).not.toEqual(values);
  });

  test("does nothing outside of training, or at rate 0", () => {
    for (const output of [run(dropout(0.25)), run(dropout(0), 0), run(dropout({ keepProb: 1 }), 0)])
      expect([...output.data()].every((value) => value === 3)).toBe(true);
  });

  test.each([
    [1, "dropout: expected a number from 0 up to, but not including, 1 for rate but received 1 (number)"],
    [{ keepProb: 0 }, "dropout: expected a number above 0, up to 1, for keepProb but received 0 (number)"],
    [{ keepProp: 0.5 }, 'dropout: unknown option "keepProp"; did you mean "keepProb"?'],
    [
      { rate: 0.1, keepProb: 0.9 },
      "dropout: expected either rate or keepProb, not a value for rate but received 0.1 (number)",
    ],
    [{}, "dropout: expected a number from 0 up to, but not including, 1 for rate but received undefined"],
  ])("refuses %j", (options, message) => {
    expect(() => dropout(options as DropoutOptions)).toThrow(failure("OptionError", message));
  });
});

describe("activations", () => {
  test("compute when called with a tensor, and make a layer when not", () => {
    const x = tensor([[-2, 1]]);
    const pairs: [Tensor, Layer][] = [
      [relu(x), relu()],
      [sigmoid(x), sigmoid()],
      [softmax(x), softmax()],
      [gelu(x), gelu()],
    ];
    for (const [value, layer] of pairs) expect(stack([layer], [2]).forward(x).data()).toEqual(value.data());
    expect([...relu(x).data()]).toEqual([0, 1]);
    expect(relu().type).toBe("relu");
    expect([
      ...stack([leakyRelu({ slope: 0.5 })], [2])
        .forward(x)
        .data(),
    ]).toEqual([-1, 1]);
    expect(
      stack([elu({ alpha: 3 })], [2])
        .forward(x)
        .data()[0],
    ).toBeCloseTo(3 * Math.expm1(-2), 6);
  });

  test("refuse options that they have not", () => {
    expect(() => (relu as (options: object) => Layer)({ slope: 1 })).toThrow(
      'relu: unknown option "slope"; it takes no options',
    );
    expect(() => leakyRelu({ slop: 1 } as object)).toThrow('leakyRelu: unknown option "slop"; did you mean "slope"?');
  });
});

describe("shapes", () => {
  test("flatten and reshape keep the batch and the values", () => {
    const input = random([5, 2, 6]);
    const outputs = [flatten(), reshape([3, 4]), reshape([4, -1])].map((layer) =>
      stack([layer], [2, 6]).forward(input),
    );
    expect(outputs.map(({ shape }) => shape)).toEqual([[5, 12], [5, 3, 4], [5, 4, 3]]); // prettier-ignore
    for (const output of outputs) expect(output.data()).toEqual(input.data());
    expect(reshape(input, [60]).shape).toEqual([60]);
  });

  test("refuse what does not fit", () => {
    expect(() => stack([reshape([5])], [2, 6])).toThrow(expect.objectContaining({ code: "ShapeError" }));
    expect(() => reshape([2.5])).toThrow("reshape: expected a list of dimensions, one of which may be -1, for shape");
  });
});

describe("normalization", () => {
  const forward = (layer: Layer, input: number[][]) => [
    ...stack([layer], [input[0]!.length]).forward(tensor(input)).data(),
  ];

  test("subtracts the mean and divides by the deviation, feature by feature", () => {
    expect(forward(normalization({ mean: [1, 10], variance: [4, 25] }), [[3, 0], [1, 20]])).toEqual([1, -2, 0, 2]); // prettier-ignore
    expect(forward(normalization({ mean: 1, deviation: Float64Array.of(2, 5) }), [[3, 6]])).toEqual([1, 1]);
  });

  test("only centres a feature that does not vary", () => {
    expect(forward(normalization({ mean: [1, 2], deviation: [0, 1] }), [[1, 5]])).toEqual([0, 3]);
    expect(forward(normalization({ mean: [1, 2], deviation: [1e-39, 2 ** -126] }), [[1, 2]])).toEqual([0, 0]);
  });

  test("keeps its numbers as state, one per value", () => {
    const { weights, parameters } = stack([normalization({ mean: [1, 2], deviation: 3 })], [2, 2]);
    expect([...weights].map(([name, value]) => [name, value.shape, [...value.data()]])).toEqual([
      ["layers.0.mean", [2, 2], [1, 2, 1, 2]],
      ["layers.0.deviation", [2, 2], [3, 3, 3, 3]],
    ]);
    expect(parameters).toEqual([]);
  });

  test.each([
    [
      () => normalization({ std: 1 } as object),
      'normalization: unknown option "std"; its options are mean, variance, deviation',
    ],
    [
      () => normalization({ deviation: [1, -1] }),
      "normalization: expected finite numbers >= 0 for deviation but received -1 (number)",
    ],
    [() => normalization({ mean: [NaN] }), "normalization: expected finite numbers for mean but received NaN (number)"],
    [
      () => stack([normalization({ mean: [1, 2, 3] })], [2]),
      /^normalization: expected one number, or one per feature, for mean but received 3\n {2}input {3}\[2\]$/,
    ],
  ])("refuses %#", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("layerFromConfig", () => {
  test.each(everyLayer)("makes %s again from its description", (_, inputShape, make) => {
    const descriptions = JSON.parse(JSON.stringify(make())) as LayerConfig[];
    const again = descriptions.map((description) => layerFromConfig(description, { scale }));
    expect(again.map(({ type, options }) => ({ type, options }))).toEqual(
      descriptions.map(({ type, options }) => ({ type, options })),
    );
    const [first, second] = [stack(make(), inputShape), stack(again, inputShape)];
    expect([...second.weights].map(([name, { shape }]) => [name, shape])).toEqual(
      [...first.weights].map(([name, { shape }]) => [name, shape]),
    );
    for (const [name, weight] of first.weights)
      if (!/mean|deviation/.test(name)) expect(second.weights.get(name)!.data()).toEqual(weight.data());
  });

  test.each([
    [
      { type: "Dense", options: {} },
      'layer: unknown type "Dense"; did you mean "dense"?; pass the maker of a layer of your own as layers: { "Dense": (options) => ... }',
    ],
    [
      { type: "constructor", options: {} },
      'layer: unknown type "constructor"; pass the maker of a layer of your own as layers: { "constructor": (options) => ... }',
    ],
    [{ type: "dense", options: { units: 0 } }, "dense: expected a positive integer for units but received 0 (number)"],
  ])("refuses %j", (config, message) => {
    expect(() => layerFromConfig(config)).toThrow(failure("OptionError", message));
  });

  test("does without an initializer that is not the library's", () => {
    const mine: Initializer = { type: "mine", options: {}, make: (spec, seed) => constant(2).make(spec, seed) };
    const { type, options } = dense(2, { weightInitializer: mine, biasInitializer: constant(1) });
    expect(Object.keys(options)).toEqual(["units", "activation", "bias", "biasInitializer"]);
    expect(layerFromConfig({ type, options }).options.biasInitializer).toEqual({
      type: "constant",
      options: { value: 1 },
    });
  });

  test("asks makers of one's own first", () => {
    expect(layerFromConfig({ type: "dense", options: {} }, { dense: scale }).type).toBe("scale");
  });
});

describe("hardmax", () => {
  test("gives 1 to the largest, the first of equal ones, for predictions only", async () => {
    const model = sequential([dense(3, { weightInitializer: constant(1), bias: false }), hardmax()], {
      inputShape: [2],
    });
    model.setWeights(new Map([["dense1.weight", Float32Array.of(1, 0, 0, 0, 1, 1)]]));
    expect((await model.predict([[2, 1], [1, 2], [-1, 0]])).data()).toEqual(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 1, 0)); // prettier-ignore
    model.compile({ loss: "meanSquaredError" });
    const data = dataset([[1, 2]], [[0, 1, 0]]);
    await expect(model.fit(data)).rejects.toThrow(failure("GradientError", /does not depend on "dense1.weight"/));
    expect(layerFromConfig({ type: "hardmax", options: {} }).type).toBe("hardmax");
    expect(() => hardmax({ axis: 1 } as never)).toThrow(failure("OptionError", /unknown option "axis"/));
  });
});

test("batch norm's gamma and beta can have penalties, which are saved with it", () => {
  const layer = batchNorm({ gammaInitializer: constant(3), betaInitializer: constant(-2), gammaRegularizer: l2(0.5), betaRegularizer: l1(0.25) }); // prettier-ignore
  const model = sequential([layer], { inputShape: [2] });
  expect(model.penalty(10)!.item()).toBeCloseTo(0.5 * (9 + 9) + 0.25 * (2 + 2), 6);
  const { type, options } = JSON.parse(JSON.stringify(layer)) as LayerConfig;
  expect(
    sequential([layerFromConfig({ type, options })], { inputShape: [2] })
      .penalty(10)!
      .item(),
  ).toBeCloseTo(10, 6);
  expect(sequential([batchNorm()], { inputShape: [2] }).penalty(10)).toBeUndefined();
  expect(() => batchNorm({ gammaRegularizer: 0.1 as never })).toThrow(failure("OptionError", /for gammaRegularizer/));
});
