// What ops say when operands do not fit: one text of each kind, and the fields behind it.
import { describe, expect, test } from "vitest";
import { isSimdnnError } from "#lib/errors.js";
import * as ops from "#lib/ops/index.js";
import { parameter, tensor, type Tensor } from "#lib/tensor.js";

function zeros(
  shape: readonly number[],
  name?: string,
  dtype: "float32" | "float64" | "int32" | "uint8" = "float32",
): Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return tensor(new Float32Array(size), { shape, dtype, ...(name !== undefined && { name }) });
}

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isSimdnnError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing was thrown";
}

describe("shapes", () => {
  test("dense names both dimensions and where the tensors come from", () => {
    const input = zeros([32, 784], "model.input");
    const weight = zeros([100, 10], "model.layers[4].weight");
    expect(messageOf(() => ops.dense(input, weight))).toMatchInlineSnapshot(`
      "ShapeError: dense: input's last dimension must equal weight's first, but 784 ≠ 100
        input    float32 [32, 784]   ← model.input
        weight   float32 [100, 10]   ← model.layers[4].weight"
    `);
  });

  test("matmul", () => {
    expect(messageOf(() => ops.matmul(zeros([2, 3]), zeros([2, 3])))).toMatchInlineSnapshot(`
      "ShapeError: matmul: inner dimensions must be equal, but 3 ≠ 2
        a   float32 [2, 3]
        b   float32 [2, 3]"
    `);
  });

  test("broadcasting", () => {
    expect(messageOf(() => ops.add(zeros([2, 3]), zeros([2])))).toMatchInlineSnapshot(`
      "ShapeError: add: shapes do not broadcast: dimensions aligned at the right must be equal or 1
        a   float32 [2, 3]
        b   float32 [2]"
    `);
  });

  test("reshape, to a size and with a dimension left open", () => {
    expect(messageOf(() => ops.reshape(zeros([2, 3]), [4]))).toMatchInlineSnapshot(`
      "ShapeError: reshape: the input's 6 elements do not fill [4]
        input   float32 [2, 3]"
    `);
    expect(messageOf(() => ops.reshape(zeros([2, 3]), [4, -1]))).toMatchInlineSnapshot(`
      "ShapeError: reshape: the input's 6 elements leave no whole number for -1 in [4, -1]
        input   float32 [2, 3]"
    `);
  });

  test("slice", () => {
    expect(messageOf(() => ops.slice(zeros([2, 3]), [0, 2], [2, 2]))).toMatchInlineSnapshot(`
      "ShapeError: slice: 2 elements from 2 do not lie inside dimension 1, which has 3
        input   float32 [2, 3]"
    `);
  });

  test("concat", () => {
    expect(messageOf(() => ops.concat([zeros([2, 3]), zeros([2, 4])]))).toMatchInlineSnapshot(`
      "ShapeError: concat: all dimensions but 0 must be equal
        inputs[0]   float32 [2, 3]
        inputs[1]   float32 [2, 4]"
    `);
  });

  test("batchNorm of a single row", () => {
    const vectors = [1, 2, 3, 4].map(() => zeros([3])) as [Tensor, Tensor, Tensor, Tensor];
    const attrs = { momentum: 0.9, epsilon: 1e-5 };
    expect(messageOf(() => ops.batchNorm(zeros([1, 3]), ...vectors, attrs))).toMatchInlineSnapshot(`
      "ShapeError: batchNorm: the statistics of a batch need more than one row; use larger batches, or drop the last short one (dropLast)
        input             float32 [1, 3]
        gamma             float32 [3]
        beta              float32 [3]
        runningMean       float32 [3]
        runningVariance   float32 [3]"
    `);
  });

  test("softmaxCrossEntropy", () => {
    expect(messageOf(() => ops.softmaxCrossEntropy(zeros([4, 3]), zeros([3], "labels", "int32")))).toMatchInlineSnapshot(`
      "ShapeError: softmaxCrossEntropy: labels must be [examples] as class numbers, or [examples, classes] as probabilities
        logits   float32 [4, 3]
        labels   int32 [3]        ← labels"
    `); // prettier-ignore
  });

  test("max of nothing", () => {
    expect(messageOf(() => ops.max(zeros([2, 0])))).toMatchInlineSnapshot(`
      "ShapeError: max: there is no largest of no elements
        input   float32 [2, 0]"
    `);
  });

  test("gradients of something that is not a scalar", () => {
    const w = parameter([1, 2]);
    expect(messageOf(() => ops.gradients(ops.square(w), [w]))).toMatchInlineSnapshot(`
      "ShapeError: gradients: the loss must be a scalar; take its mean() or sum() first
        loss   [2]"
    `);
  });
});

describe("dtypes", () => {
  test("integers in arithmetic are told of cast()", () => {
    expect(messageOf(() => ops.mul(zeros([2], "pixels", "uint8"), 2))).toMatchInlineSnapshot(`
      "DTypeError: mul: expected operands of one floating-point type; convert with cast()
        a   uint8 [2]   ← pixels
        b   uint8 []"
    `);
    expect(messageOf(() => ops.relu(zeros([2], undefined, "int32")))).toMatchInlineSnapshot(`
      "DTypeError: relu: expected operands of one floating-point type; convert with cast()
        input   int32 [2]"
    `);
  });

  test("mixed precision", () => {
    expect(messageOf(() => ops.add(zeros([2]), zeros([2], undefined, "float64")))).toMatchInlineSnapshot(`
      "DTypeError: add: expected operands of one floating-point type; convert with cast()
        a   float32 [2]
        b   float64 [2]"
    `);
  });

  test("a fraction where integers are compared", () => {
    expect(messageOf(() => ops.equal(zeros([2], undefined, "int32"), 0.5))).toMatchInlineSnapshot(
      `"DTypeError: equal: 0.5 is not an int32; convert the other operand with cast()"`,
    );
  });

  test("something that is neither tensor nor number", () => {
    expect(messageOf(() => ops.add(zeros([2]), "2" as unknown as number))).toMatchInlineSnapshot(
      `"DTypeError: add: expected a tensor or a number; make tensors of other values with tensor()"`,
    );
  });
});

describe("options", () => {
  test("an axis that is not there", () => {
    expect(messageOf(() => ops.sum(zeros([2, 3]), { axes: [0, 2] }))).toMatchInlineSnapshot(
      `"OptionError: sum: expected an axis from -2 to 1 for axes but received 2 (number)"`,
    );
    expect(messageOf(() => ops.sum(zeros([2, 3]), { axes: [1, -1] }))).toMatchInlineSnapshot(
      `"OptionError: sum: expected distinct axes for axes but received [ 1, -1 ] (array)"`,
    );
  });

  test("misspelt and out of range", () => {
    expect(messageOf(() => ops.mean(zeros([2]), { keepdims: true } as object))).toMatchInlineSnapshot(
      `"OptionError: mean: unknown option "keepdims"; did you mean "keepDims"?"`,
    );
    expect(messageOf(() => ops.dense(zeros([1, 1]), zeros([1, 1]), undefined, { activation: "Relu" as "relu" }))).toMatchInlineSnapshot(`"OptionError: dense: expected one of "linear", "relu", "leakyRelu", "elu", "sigmoid", "tanh", "softplus", "swish", "gelu" for activation but received "Relu" (string); did you mean "relu"?"`); // prettier-ignore
    expect(messageOf(() => ops.clip(zeros([2]), 1, 0))).toMatchInlineSnapshot(
      `"OptionError: clip: expected a number >= min, which is 1, for max but received 0 (number)"`,
    );
    expect(messageOf(() => ops.dropout(zeros([2]), zeros([], undefined, "int32"), { rate: 1, seed: 1 }))).toMatchInlineSnapshot(`"OptionError: dropout: expected a number from 0 up to, but not including, 1 for rate but received 1 (number)"`); // prettier-ignore
  });
});

describe("data", () => {
  test("a label out of range", () => {
    const labels = tensor([0, 3], { dtype: "int32", name: "labels" });
    const error = messageOf(() => ops.softmaxCrossEntropy(zeros([2, 3]), labels));
    expect(error).toMatchInlineSnapshot(
      `"IndexError: softmaxCrossEntropy: labels[1] is 3, but there are 3 classes: expected an integer from 0 to 2"`,
    );
  });

  test("an index out of range", () => {
    expect(messageOf(() => ops.gather(zeros([3, 2]), tensor([0, -1], { dtype: "int32" })))).toMatchInlineSnapshot(
      `"IndexError: gather: indices[1] is -1, but there are 3 rows: expected an integer from 0 to 2"`,
    );
  });

  test("NaN at a guard", () => {
    const x = tensor([1, NaN], { name: "dense1.output" });
    expect(messageOf(() => ops.assertFinite(x))).toMatchInlineSnapshot(`"NonFiniteError: dense1.output became NaN"`);
  });
});

describe("gradients", () => {
  test("of what the loss does not depend on", () => {
    const [w, unused] = [parameter(1, { name: "w" }), parameter(1, { name: "unused" })];
    expect(messageOf(() => ops.gradients(ops.square(w), [w, unused]))).toMatchInlineSnapshot(
      `"GradientError: gradients: the loss does not depend on "unused"; leave it out, or check that no stopGradient() or comparison is in between"`,
    );
    expect(messageOf(() => ops.gradients(ops.square(w), [tensor(1, { name: "x" })]))).toMatchInlineSnapshot(
      `"GradientError: gradients: the loss does not depend on "x"; make it a parameter()"`,
    );
  });

  test("through a value that was changed meanwhile, also under another shape", () => {
    const w = parameter([1, 2], { name: "w" });
    const loss = ops.sum(ops.square(ops.reshape(w, [2, 1])));
    ops.sgd(w, tensor([1, 1]), tensor(0.1));
    expect(messageOf(() => ops.gradients(loss, [w]))).toMatchInlineSnapshot(
      `"GradientError: float32 [2, 1] was changed in place after square used it; take gradients before updating it"`,
    );
  });

  test("of gradients of a fused op", () => {
    const w = parameter(2);
    const [dw] = ops.gradients(ops.tanh(w), [w]);
    expect(messageOf(() => ops.gradients(dw, [w]))).toMatchInlineSnapshot(
      `"GradientError: activationGrad: has no gradient of its own; second derivatives are not supported"`,
    );
  });
});
