// A backward pass written by hand, and the gradient check that finds the bug in it: `node examples/gradient-check.mjs [seed]`.
import { gradientCheck, ops, randomStream, tensor } from "simdnn";

const seed = Number(process.argv[2] ?? 1);

// Three layers: ReLU, ReLU, sigmoid with cross-entropy. All in float64, since differences of costs are small.
const random = randomStream(seed);
const matrix = (name, rows, columns, deviation) => {
  const values = Float64Array.from({ length: rows * columns }, () => deviation * random.normal());
  return tensor(values, { shape: [rows, columns], name });
};
const m = 12;
const x = matrix("x", m, 4, 1);
const y = matrix("y", m, 1, 1).greater(0).cast("float64");
const parameters = [
  matrix("W1", 4, 5, 0.7), matrix("b1", 1, 5, 0.1),
  matrix("W2", 5, 3, 0.7), matrix("b2", 1, 3, 0.1),
  matrix("W3", 3, 1, 0.7), matrix("b3", 1, 1, 0.1),
]; // prettier-ignore

function forward(W1, b1, W2, b2, W3, b3) {
  const a1 = x.matmul(W1).add(b1).relu();
  const a2 = a1.matmul(W2).add(b2).relu();
  return { a1, a2, z3: a2.matmul(W3).add(b3) };
}
const cost = (...weights) => ops.sigmoidCrossEntropy(forward(...weights).z3, y).mean();

const backward =
  ({ bugs }) =>
  (W1, b1, W2, b2, W3, b3) => {
    const { a1, a2, z3 } = forward(W1, b1, W2, b2, W3, b3);
    const sum = (dz) => dz.sum({ axes: 0, keepDims: true });
    const dz3 = z3.sigmoid().sub(y).div(m);
    const dz2 = dz3.matmul(W3.transpose()).mul(a2.greater(0).cast("float64"));
    const dz1 = dz2.matmul(W2.transpose()).mul(a1.greater(0).cast("float64"));
    const dW2 = a1.transpose().matmul(dz2);
    const db1 = sum(dz1);
    return [
      x.transpose().matmul(dz1),
      bugs ? db1.mul(4) : db1,
      bugs ? dW2.mul(2) : dW2,
      sum(dz2),
      a2.transpose().matmul(dz3),
      sum(dz3),
    ];
  };

for (const bugs of [true, false]) {
  const report = await gradientCheck(cost, parameters, { gradients: backward({ bugs }) });
  console.log(`with ${bugs ? "two bugs" : "no bug"}: ${report.verdict}, figure ${report.figure.toExponential(1)}`);
  for (const { name, verdict, factor } of report.parameters)
    if (verdict !== "great")
      console.log(`  ${name} is ${verdict}; its gradient is ${factor?.toFixed(2)} times the slope`);
}
