// What building, compiling and capturing refuse beside what model.test.ts has: weights, losses, metrics, data, results.
import { describe, expect, test } from "vitest";
import {
  batchNorm, capture, dataset, dense, dropout, l1, l1l2, l2, ones, parameter, sequential, sigmoid, softmax, Tensor, tensor, type FitOptions, type Layer,
  type Loss, type LossOption, type Metric, type Model,
} from "simdnn"; // prettier-ignore
import * as simdnn from "simdnn";
import { failure } from "./failure.js";

const network = (): Model => sequential([dense(2)], { inputShape: [2], seed: 1 });
const xor = dataset([[0, 0], [0, 1], [1, 0], [1, 1]], Int32Array.of(0, 1, 1, 0)); // prettier-ignore
const loss = "softmaxCrossEntropy";
const layer = (parts: object): Layer => ({ type: "own", options: {}, call: (x) => x, ...parts });

describe("layers", () => {
  test.each<[string, object, RegExp]>([
    ["weights it made by itself", { build: () => ({ w: parameter(1) }) }, /made for w but received/],
    ["two weights of one name", { build: ({ parameter: p }: { parameter: (...args: unknown[]) => Tensor }) => ({ a: p("w", [1], ones()), b: p("w", [2], ones()) }) }, /a name of its own for each for weight but received "w"/], // prettier-ignore
    ["no initializer", { build: ({ parameter: p }: { parameter: (...args: unknown[]) => Tensor }) => ({ w: p("w", [1], "ones") }) }, /the initializer of w but received "ones"/], // prettier-ignore
  ])("with %s", (_, parts, message) => {
    expect(() => sequential([layer(parts)], { inputShape: [2] })).toThrow(failure("OptionError", message));
  });
});

describe("compile", () => {
  test.each<[unknown, RegExp]>([
    [undefined, /an object with a loss/],
    [
      { loss, metrics: ["accuracy", "accuracy"] },
      /a name of its own for each metric for metrics but received "accuracy"/,
    ],
    [{ loss, metrics: [{ name: "loss", call: () => tensor(1) }] }, /received "loss"/],
  ])("%o is refused", (options, message) => {
    expect(() => network().compile(options as { loss: typeof loss })).toThrow(failure("OptionError", message));
  });

  test.each<[object, RegExp]>([
    [{ loss: (() => 5) as unknown as Loss }, /^loss: expected a tensor for its result but received 5/],
    [{ loss, metrics: [{ name: "own", call: () => undefined }] }, /^own: expected a tensor/],
  ])("%o is found out before any work", async (options, message) => {
    const model = network().compile(options as { loss: typeof loss });
    await expect(model.fit(xor)).rejects.toThrow(failure("OptionError", message));
  });

  test("a metric may be float64", async () => {
    const wide: Metric = { name: "wide", call: () => tensor(new Float64Array([1, 2])) };
    expect(
      await network()
        .compile({ loss, metrics: [wide] })
        .evaluate(xor),
    ).toMatchObject({ wide: 1.5 });
  });
});

describe("setWeights", () => {
  test("changes all or nothing", () => {
    const model = network();
    const before = model.getWeights();
    const changed = new Map<string, unknown>([["dense1.bias", [5, 6]], ["dense1.weight", ["a", "b", "c", "d"]]]); // prettier-ignore
    expect(() => model.setWeights(changed as typeof before)).toThrow(failure("DTypeError", /found "a" \(string\)/));
    expect(model.getWeights()).toEqual(before);
  });

  test("takes a Map only", () => {
    expect(() => network().setWeights({} as Map<string, Float32Array>)).toThrow(
      failure("OptionError", /a Map such as getWeights/),
    );
  });
});

describe("data", () => {
  test("without rows, shapes or fractions is refused", () => {
    expect(() => dataset([1, 2], [1], { inputShape: 2 as unknown as number[] })).toThrow(
      failure("OptionError", /the shape of inputs/),
    );
    expect(() => xor.split("half" as unknown as number[])).toThrow(failure("OptionError", /for fractions/));
    expect(() => xor.take(0).statistics()).toThrow(failure("OptionError", /at least one example/));
    expect(() => xor.statistics({ per: "pixel" as "all" })).toThrow(
      failure("OptionError", /for per but received "pixel"/),
    );
  });
});

describe("captured functions", () => {
  test.each<[string, (...args: Tensor[]) => unknown]>([
    ["a number", () => 5],
    ["what is nested", () => ({ a: [tensor(1)] })],
    ["nothing for a name", () => ({ a: undefined })],
  ])("cannot return %s", (_, fn) => {
    expect(() => capture(fn as () => Tensor)()).toThrow(
      failure("OptionError", /^captured function: .* for its result/),
    );
  });

  test("want all their arguments", () => {
    const sum = capture((a: Tensor, b: Tensor) => a.add(b));
    expect(() => (sum as unknown as (a: number) => Tensor)(1)).toThrow(
      failure("OptionError", "captured function: expected 2 for arguments but received 1 (number)"),
    );
    expect(sum(1, 2).item()).toBe(3);
    expect(() => capture(5 as unknown as () => Tensor)).toThrow(failure("OptionError", /a function for fn/));
  });
});

describe("training that cannot work", () => {
  const inputs = [[1, 2], [3, 4], [5, 6]]; // prettier-ignore
  const labels = dataset(inputs, Int32Array.of(0, 1, 2));
  const fit = (layers: readonly Layer[], loss: LossOption, data = labels, options: FitOptions = {}) =>
    sequential(layers, { inputShape: [2], seed: 1 })
      .compile({ loss })
      .fit(data, options);

  test.each([0, 2, -0.5, NaN])("a keep probability of %d", (keepProb) => {
    expect(() => dropout({ keepProb })).toThrow(
      failure("OptionError", `dropout: expected a number above 0, up to 1, for keepProb but received ${keepProb} (number)`),
    ); // prettier-ignore
  });

  test.each([
    ["l1", () => l1(-1), "l1: expected a number >= 0 for lambda but received -1 (number)"],
    ["l2", () => l2(-0.1), "l2: expected a number >= 0 for lambda but received -0.1 (number)"],
    ["l1l2", () => l1l2({ l1: 0, l2: -1 }), "l1l2: expected a number >= 0 for l2 but received -1 (number)"],
  ])("a negative λ of %s", (_, make, message) => {
    expect(make).toThrow(failure("OptionError", message));
  });

  test.each<[LossOption, readonly Layer[]]>([
    ["softmaxCrossEntropy", [dense(2)]],
    ["categoricalCrossEntropy", [dense(2), softmax()]],
    ["sigmoidCrossEntropy", [dense(1)]],
    ["binaryCrossEntropy", [dense(1), sigmoid()]],
  ])("more classes than outputs, with %s", async (loss, layers) => {
    const message = /: targets\[2\] is 2, but there are 2 classes: expected an integer from 0 to 1/;
    await expect(fit(layers, loss)).rejects.toThrow(failure("IndexError", message));
    const two = dataset(inputs.slice(0, 2), Int32Array.of(0, 1));
    await expect(fit(layers, loss, two, { validationData: labels })).rejects.toThrow(failure("IndexError", message));
  });

  test("more columns of probabilities than outputs", async () => {
    const rows = dataset(inputs, [[1, 0, 0], [0, 1, 0], [0, 0, 1]]); // prettier-ignore
    await expect(fit([dense(2)], "softmaxCrossEntropy", rows)).rejects.toThrow(
      failure("ShapeError", /targets must be class numbers \[batch\] or probabilities \[batch, classes\]/),
    );
  });

  test("several labels of an example, one of which is neither 0 nor 1", async () => {
    const targets = tensor(Int32Array.of(0, 1, 1, 0, 3, 1), { shape: [3, 2], name: "targets" });
    await expect(fit([dense(2)], "sigmoidCrossEntropy", dataset(inputs, targets), { shuffle: false })).rejects.toThrow(
      failure("IndexError", /values of targets\[4\] is 3/),
    );
  });

  test.each([
    ["batches of one", { batchSize: 1 }],
    ["a last batch of one", { batchSize: 2 }],
  ])("batch norm with %s", async (_, options) => {
    await expect(fit([dense(3), batchNorm()], "softmaxCrossEntropy", labels, options)).rejects.toThrow(
      failure("ShapeError", /batchNorm: the statistics of a batch need more than one row; use larger batches, or drop the last short one \(dropLast\)/),
    ); // prettier-ignore
  });

  test("inputs and targets by themselves, where fit takes a dataset", async () => {
    const untyped = network().compile({ loss }) as unknown as { fit(...given: unknown[]): Promise<unknown> };
    for (const rest of [[[0, 1]], [Int32Array.of(0, 1)], [[0, 1], { epochs: 2 }], []])
      await expect(untyped.fit([[1, 2], [3, 4]], ...rest)).rejects.toThrow(
        failure("OptionError", /^fit: expected a Dataset; make one with dataset\(inputs, targets\) for data but received/),
      ); // prettier-ignore
  });
});

describe("values that refuse to be asked or told", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const holed = (last: unknown): unknown[] => Object.assign([], { 1: last });
  const untyped = simdnn as unknown as Record<string, (...args: unknown[]) => unknown>;
  const compiled = network().compile({ loss }) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;

  test.each<[string, () => unknown, RegExp]>([
    ["no options", () => untyped.modelCheckpoint!(), /^modelCheckpoint: expected an object for options/],
    ["no options of a layer", () => untyped.layerFromConfig!({ type: "dense" }), /^dense: expected a positive integer for units/],
    ["options that are a revoked proxy", () => untyped.adam!(proxy), /^adam: expected an object of options but received <Revoked Proxy>/],
    ["a bigint in a shape", () => untyped.dataset!([1], [1], { inputShape: [1n] }), /the shape of inputs but received \[ 1n \] \(array\)/],
    ["a hole in a shape", () => untyped.sequential!([dense(1)], { inputShape: holed(2) }), /^sequential: .* for inputShape/],
    ["a symbol for a curve", () => untyped.earlyStopping!({ monitor: Symbol("x") }), /^earlyStopping: expected the name of a curve for monitor but received Symbol\(x\)/],
    ["a class", () => untyped.capture!(class { x = 1; }), /^capture: expected a function for fn but received \[class/],
    ["a hole among metrics", () => compiled.compile!({ loss, metrics: holed("accuracy") }), /^compile: expected an array for metrics/],
    ["only a tensor's prototype", () => untyped.matmul!(Object.create(Tensor.prototype), tensor([[1]])), /^matmul: expected a tensor/],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(failure("OptionError", message));
  }); // prettier-ignore

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["a symbol for a path", () => compiled.save!(Symbol("x")), /^save: expected a path for path but received Symbol\(x\)/],
    ["a hole among callbacks", () => compiled.fit!(xor, { callbacks: holed({}) }), /^fit: expected an array for callbacks but received \[ <1 empty item>/],
    ["an iterator without next", () => compiled.fit!({ [Symbol.asyncIterator]: () => ({}) }), /^fit: expected a stream whose iterator has next\(\) for data/],
    ["validation data that are false", () => compiled.fit!(xor, { validationData: false }), /^fit: expected a Dataset.* for validationData but received false/],
  ])("%s", async (_, call, message) => {
    await expect(call()).rejects.toThrow(failure("OptionError", message));
  }); // prettier-ignore

  test("a shape of symbols is shown", () => {
    expect(() => untyped.tensor!([1], { shape: [Symbol("x")] })).toThrow(
      failure("ShapeError", /received \[Symbol\(x\)/),
    );
  });

  test("an error that the caller's own getter throws is passed on", () => {
    const own = new Error("own");
    const options = { get learningRate() { throw own; } }; // prettier-ignore
    expect(() => untyped.adam!(options)).toThrow(own);
  });
});
