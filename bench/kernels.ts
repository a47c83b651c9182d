// The kernels that training spends its time on besides matrix products, at sizes that stay in L2.
import { apply, bytesMoved, opNamed, type Attrs, type Op } from "#lib/op.js";
import { tensor, type Shape, type Tensor, type TypedArray } from "#lib/tensor.js";
import { sampler } from "./repeated.js";
import { select, type Row, type Settings } from "./suite.js";
import { error, figure, table } from "./table.js";
import { interleave } from "./timing.js";
import { relativeError, uniforms } from "./values.js";

/** Makes an operand in the precision that is asked for. */
type Operand = (precision: "float32" | "float64", seed: number) => Tensor;

interface Case {
  readonly name: string;
  readonly op: string;
  readonly operands: readonly Operand[];
  readonly attrs: Attrs;
}

const batch = 128;
const width = 512;
const examples = 4096;
const classes = 10;

const floats =
  (shape: Shape, low = -2, high = 2): Operand =>
  (dtype, seed) =>
    tensor(uniforms(size(shape), low, high, seed), { shape, dtype });
const whole =
  (shape: Shape, below: number, dtype: "int32" | "uint8" = "int32"): Operand =>
  (_, seed) =>
    tensor(uniforms(size(shape), 0, below, seed).map(Math.floor), { shape, dtype });
const rate: Operand = () => tensor(1e-3, { dtype: "float64" });
const step: Operand = () => tensor(0, { dtype: "int32" });

const x = floats([batch, width]);
const positive = floats([batch, width], 0.1, 2);
const vector = floats([width], 0.5, 2);
const logits = floats([examples, classes]);
const labels = whole([examples], classes);

const make = (name: string, op: string, operands: readonly Operand[], attrs: Attrs = {}): Case => ({
  name,
  op,
  operands,
  attrs,
});
const activation = (kind: string): Case => make(kind, "activation", [x], { kind, slope: 0.01 });

const all: readonly Case[] = [
  make("add", "add", [x, x]),
  make("addBias", "add", [x, vector]),
  make("mul", "mul", [x, x]),
  make("div", "div", [x, positive]),
  make("exp", "exp", [x]),
  make("log", "log", [positive]),
  make("sqrt", "sqrt", [positive]),
  ...["relu", "leakyRelu", "elu", "sigmoid", "tanh", "softplus", "swish", "gelu"].map(activation),
  make("reluGrad", "activationGrad", [x, x], { kind: "relu", slope: 0 }),
  make("geluGrad", "activationGrad", [x, x], { kind: "gelu", slope: 0 }),
  make("denseGrad", "denseGrad", [x, positive], { activation: "relu", slope: 0 }),
  make("batchNorm", "batchNorm", [x, vector, vector, vector, vector], { momentum: 0.9, epsilon: 1e-5 }),
  make("batchNormInference", "batchNormInference", [x, vector, vector, vector, vector], { epsilon: 1e-5 }),
  make("batchNormGrad", "batchNormGrad", [x, x, vector, vector, vector]),
  make("dropout", "dropout", [x, step], { rate: 0.2, seed: 1, stream: 0 }),
  make("softmax", "softmax", [logits]),
  make("softmaxCrossEntropy", "softmaxCrossEntropy", [logits, labels]),
  make("softmaxCrossEntropyGrad", "softmaxCrossEntropyGrad", [
    floats([examples], 0, 1),
    floats([examples, classes], 0, 1),
    labels,
  ]),
  make("sum", "sum", [x], { axes: [0, 1], keepDims: false }),
  make("sumRows", "sum", [x], { axes: [0], keepDims: false }),
  make("squaredNorm", "squaredNorm", [x]),
  make("transpose", "transpose", [x], { perm: [1, 0] }),
  make("gather", "gather", [whole([1000, 784], 256, "uint8"), whole([batch], 1000)], { dtype: "float32" }),
  make("sgd", "sgd", [x, x, rate]),
  make("momentum", "momentum", [x, x, x, rate], { beta: 0.9, damped: false, nesterov: false }),
  make("rmsprop", "rmsprop", [x, x, positive, rate], { rho: 0.9, epsilon: 1e-8 }),
  make("adam", "adam", [x, x, x, positive, rate, step], { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }),
];

export const about = "elementwise, norm, loss and update kernels in L2";

export async function run({ threads = 1, cases }: Settings): Promise<Row[]> {
  const chosen = select(all, cases);
  const prepared = chosen.map((one) => {
    const op = opNamed(one.op);
    const operands = operandsOf(one, "float32");
    const outputs = op.shape(operands, one.attrs);
    const used = op.bytesRead ? outputs : operands; // of a gather only the rows that are taken
    const elements = Math.max(...used.map(({ shape }) => size(shape)));
    return {
      elements,
      moved: bytesMoved(op, operands, outputs),
      residual: residual(op, one),
      sample: sampler(op, operands, one.attrs, threads),
    };
  });
  const times = await interleave(prepared.map(({ sample }) => sample), { budget: 0.15 }); // prettier-ignore

  const lines: string[][] = [];
  const rows = chosen.map(({ name }, i): Row => {
    const { elements, moved, residual } = prepared[i]!;
    const { min, median } = times[i]!;
    const value = (1e9 * min) / elements;
    lines.push([name, figure(value), figure((1e9 * median) / elements), figure((1e-9 * moved) / min), error(residual)]);
    return { suite: "kernels", case: name, contender: "simdnn", threads, value, unit: "ns/element", residual };
  });
  console.log(table(["kernel", "ns/element", "median", "GB/s", "residual"], lines));
  return rows;
}

function operandsOf({ operands }: Case, precision: "float32" | "float64"): Tensor[] {
  return operands.map((operand, i) => operand(precision, i + 1));
}

/** Everything the kernel wrote against the same in double precision, from the same float32 values. */
function residual(op: Op, one: Case): number {
  const written = (precision: "float32" | "float64"): TypedArray[] => {
    const operands = operandsOf(one, precision);
    const attrs = "dtype" in one.attrs ? { ...one.attrs, dtype: precision } : one.attrs;
    const outputs = apply(op, operands, attrs);
    return [...outputs, ...(op.effects ?? []).map((i) => operands[i]!)].map((tensor) => tensor.data());
  };
  const single = written("float32");
  return Math.max(...written("float64").map((expected, i) => relativeError(single[i]!, expected)));
}

function size(shape: Shape): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
