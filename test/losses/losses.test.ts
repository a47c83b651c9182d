// Losses against numbers worked out by hand, the targets they take and refuse, and their lookup by name.
import { describe, expect, test } from "vitest";
import { resolveLoss, type LossConfig, type LossName, type LossOption } from "#lib/losses/registry.js";
import {
  binaryCrossEntropy,
  categoricalCrossEntropy,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
} from "#lib/losses/cross-entropy.js";
import { halfSquaredError, huber, meanAbsoluteError, meanSquaredError } from "#lib/losses/regression.js";
import "#lib/ops/methods.js";
import { gradients } from "#lib/ops/gradient.js";
import { parameter, tensor, type DType, type Shape, type Tensor, type TensorData } from "#lib/tensor.js";
import { failure } from "../failure.js";

const f64 = (values: TensorData): Tensor => tensor(values, { dtype: "float64" });
const int = (values: TensorData): Tensor => tensor(values, { dtype: "int32" });

function expectClose(actual: Tensor, shape: Shape, expected: readonly number[], tolerance = 1e-12): void {
  expect(actual.shape).toEqual(shape);
  expected.forEach((value, i) => expect(Math.abs(actual.data()[i]! - value)).toBeLessThan(tolerance));
}

describe("values", () => {
  const [y, yHat] = [f64([[1, 2], [3, 4]]), f64([[2, 0], [3, 7.5]])]; // prettier-ignore

  test("of errors 1, -2 and 0, 3.5", () => {
    expectClose(meanSquaredError(yHat, y), [2], [5 / 2, 12.25 / 2]);
    expectClose(halfSquaredError(yHat, y), [2], [5 / 4, 12.25 / 4]);
    expectClose(meanAbsoluteError(yHat, y), [2], [3 / 2, 3.5 / 2]);
    expectClose(huber(yHat, y), [2], [(0.5 + 1.5) / 2, 3 / 2]);
    expectClose(huber(yHat, y, { delta: 2 }), [2], [(0.5 + 2) / 2, 5 / 2]);
  });

  test("of logits ln 1, ln 2, ln 5", () => {
    const logits = f64([[0, Math.log(2), Math.log(5)], [0, Math.log(2), Math.log(5)]]); // prettier-ignore
    const expected = [-Math.log(5 / 8), -Math.log(1 / 8)];
    expectClose(softmaxCrossEntropy(logits, int([2, 0])), [2], expected);
    expectClose(softmaxCrossEntropy(logits, f64([[0, 0, 1], [0.5, 0.25, 0.25]])), [2], [expected[0]!, 0.5 * Math.log(8) + 0.25 * Math.log(4) + 0.25 * Math.log(8 / 5)]); // prettier-ignore
    const probabilities = f64([[1 / 8, 2 / 8, 5 / 8], [1 / 8, 2 / 8, 5 / 8]]); // prettier-ignore
    expectClose(categoricalCrossEntropy(probabilities, int([2, 0])), [2], expected);
    expectClose(categoricalCrossEntropy(probabilities, int([[0, 0, 1], [1, 0, 0]])), [2], expected); // prettier-ignore
  });

  test("of odds 3 : 1 and 1 : 1", () => {
    const expected = [(-Math.log(3 / 4) - Math.log(1 / 2)) / 2, (-Math.log(1 / 4) - Math.log(1 / 2)) / 2];
    const targets = f64([[1, 1], [0, 0]]); // prettier-ignore
    expectClose(sigmoidCrossEntropy(f64([[Math.log(3), 0], [Math.log(3), 0]]), targets), [2], expected); // prettier-ignore
    expectClose(binaryCrossEntropy(f64([[0.75, 0.5], [0.75, 0.5]]), targets), [2], expected); // prettier-ignore
    expectClose(binaryCrossEntropy(f64([[0.75]]), f64([[0.2]])), [1], [-0.2 * Math.log(0.75) - 0.8 * Math.log(0.25)]);
  });

  test("of certain and wrong probabilities are finite", () => {
    expectClose(binaryCrossEntropy(f64([[0], [1]]), int([1, 0])), [2], [-Math.log(1e-7), -Math.log(1e-7)], 1e-8);
    expectClose(categoricalCrossEntropy(f64([[0, 1]]), int([0])), [1], [-Math.log(1e-7)]);
  });
});

describe("gradients", () => {
  const of = (loss: (outputs: Tensor) => Tensor, values: TensorData): Tensor => {
    const outputs = parameter(values, { dtype: "float64" });
    return gradients(loss(outputs).sum(), [outputs])[0];
  };

  test("of the cross-entropies of logits are ŷ - y", () => {
    expectClose(
      of((z) => softmaxCrossEntropy(z, int([2])), [[0, Math.log(2), Math.log(5)]]),
      [1, 3],
      [1 / 8, 2 / 8, 5 / 8 - 1],
    );
    expectClose(
      of((z) => sigmoidCrossEntropy(z, int([1, 0])), [[Math.log(3)], [0]]),
      [2, 1],
      [3 / 4 - 1, 1 / 2],
    );
  });

  test("of ½(ŷ - y)² is ŷ - y", () => {
    expectClose(
      of((z) => halfSquaredError(z, f64([1, 2])), [[3], [-5]]),
      [2, 1],
      [2, -7],
    );
  });

  test("of huber's loss goes on straight beyond delta", () => {
    expectClose(
      of((z) => huber(z, f64([0, 0, 0, 0, 0]), { delta: 2 }), [0.5, 2, 3, -9, 0]),
      [5],
      [0.5, 2, 2, -2, 0],
    );
  });

  test("of probabilities through softmax and sigmoid are those of logits", () => {
    expectClose(
      of((z) => categoricalCrossEntropy(z.softmax(), int([2])), [[0, Math.log(2), Math.log(5)]]),
      [1, 3],
      [1 / 8, 2 / 8, 5 / 8 - 1],
    );
    expectClose(
      of((z) => binaryCrossEntropy(z.sigmoid(), int([1, 0])), [[Math.log(3)], [0]]),
      [2, 1],
      [3 / 4 - 1, 1 / 2],
    );
  });
});

describe("targets", () => {
  test("of one output may be [m] or [m, 1], integers or not", () => {
    const outputs = f64([[1], [5]]);
    for (const targets of [f64([0, 2]), f64([[0], [2]]), int([0, 2]), tensor(Uint8Array.of(0, 2)), tensor([0, 2])]) {
      expectClose(meanSquaredError(outputs, targets), [2], [1, 9]);
      expectClose(meanSquaredError(f64([1, 5]), targets), [2], [1, 9]);
    }
  });

  test("of classes may be bytes, or a column", () => {
    const logits = f64([[0, Math.log(3)]]);
    for (const targets of [int([1]), int([[1]]), tensor(Uint8Array.of(1)), int([[0, 1]]), f64([[0, 1]])])
      expectClose(softmaxCrossEntropy(logits, targets), [1], [-Math.log(0.75)]);
  });

  const spec = (shape: Shape, dtype: DType = "float32"): Tensor =>
    tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape, dtype });
  const perClass = "targets must be class numbers [batch] or probabilities [batch, classes]";

  // prettier-ignore
  test.each([
    ["meanSquaredError", meanSquaredError, spec([4, 3]), spec([4]), "targets must have the shape of the outputs; give the last layer one unit per target value"],
    ["sigmoidCrossEntropy", sigmoidCrossEntropy, spec([4, 3]), spec([4], "int32"), "targets must have the shape of the outputs; class numbers need a loss such as softmaxCrossEntropy"],
    ["softmaxCrossEntropy", softmaxCrossEntropy, spec([4, 3]), spec([5], "int32"), perClass],
    ["softmaxCrossEntropy", softmaxCrossEntropy, spec([4, 3]), spec([4, 2]), perClass],
    ["categoricalCrossEntropy", categoricalCrossEntropy, spec([4, 3]), spec([5, 3]), perClass],
    ["softmaxCrossEntropy", softmaxCrossEntropy, spec([4]), spec([4], "int32"), "expected outputs of [batch, classes]"],
  ] as const)("of the wrong shape: %s %#", (name, loss, outputs, targets, sentence) => {
    const table = `\n  outputs   ${outputs.label}\n  targets   ${targets.label}`;
    expect(() => loss(outputs, targets)).toThrow(failure("ShapeError", `${name}: ${sentence}${table}`));
  });

  test("that are class numbers must be integers", () => {
    expect(() => softmaxCrossEntropy(spec([4, 3]), spec([4]))).toThrow(
      failure(
        "DTypeError",
        /^softmaxCrossEntropy: class numbers must be integers; make them with tensor\(labels, \{ dtype: "int32" \}\)\n/,
      ),
    );
  });

  test("out of range are refused", () => {
    expect(() => softmaxCrossEntropy(spec([2, 3]), int([0, 3]))).toThrow(
      expect.objectContaining({
        code: "IndexError",
        details: expect.objectContaining({ position: 1, index: 3, count: 3 }) as unknown,
      }),
    );
    expect(() => categoricalCrossEntropy(spec([2, 3]), int([0, -1]))).toThrow(
      expect.objectContaining({
        code: "IndexError",
        details: expect.objectContaining({ position: 1, index: -1, count: 3 }) as unknown,
      }),
    );
  });
});

describe("resolveLoss", () => {
  const names: LossName[] = ["softmaxCrossEntropy", "sigmoidCrossEntropy", "categoricalCrossEntropy", "binaryCrossEntropy", "meanSquaredError", "halfSquaredError", "meanAbsoluteError", "huber"]; // prettier-ignore

  test.each(names)("%s by name and again from its description", (name) => {
    const loss = resolveLoss("compile", name);
    expect(loss.name).toBe(name);
    const again = resolveLoss("compile", JSON.parse(JSON.stringify(loss)) as LossConfig);
    expect({ ...again, call: 0, link: 0 }).toEqual({ ...loss, call: 0, link: 0 });
  });

  test("keeps options", () => {
    const again = resolveLoss("compile", JSON.parse(JSON.stringify(huber({ delta: 3 }))) as LossConfig);
    expectClose(again.call(f64([10]), f64([0])), [1], [3 * (10 - 1.5)]);
  });

  test("links logits to probabilities, and nothing else", () => {
    expectClose(softmaxCrossEntropy().link!(f64([[0, Math.log(3)]])), [1, 2], [0.25, 0.75]);
    expectClose(sigmoidCrossEntropy().link!(f64([[Math.log(3)]])), [1, 1], [0.75]);
    for (const name of names.slice(2)) expect(resolveLoss("compile", name).link).toBeUndefined();
  });

  test("takes a function or an object of one's own", () => {
    const cubed = (outputs: Tensor, targets: Tensor): Tensor => outputs.sub(targets).abs().pow(3);
    expect(resolveLoss("compile", cubed)).toEqual({ name: "cubed", call: cubed });
    const mine = { name: "mine", call: cubed };
    expect(resolveLoss("compile", mine)).toBe(mine);
  });

  test.each([
    ["mse", /^compile: expected one of "softmaxCrossEntropy", .* for loss but received "mse" \(string\)$/],
    ["softMaxCrossentropy", /; did you mean "softmaxCrossEntropy"\?$/],
    [undefined, /for loss but received undefined$/],
    [null, /for loss but received null$/],
    [{ call: 3 }, /for loss but received \{ call: 3 \} \(object\)$/],
  ])("refuses %j", (value, message) => {
    expect(() => resolveLoss("compile", value as LossOption)).toThrow(failure("OptionError", message));
  });

  test("refuses options that the loss has not", () => {
    expect(() => huber({ detla: 1 } as object)).toThrow('huber: unknown option "detla"; did you mean "delta"?');
    expect(() => huber({ delta: 0 })).toThrow("huber: expected a positive number for delta but received 0 (number)");
  });
});
