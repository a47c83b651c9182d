// More than one thread only where it pays: small steps stay on one core, large ones and those that compute much do not.
import { expect, test } from "vitest";
import { adam, dense, ops, sequential, tensor, type Tensor } from "simdnn";
import { softmaxCrossEntropy } from "#lib/losses/cross-entropy.js";
import { mostThreads } from "#lib/spread.js";
import { Tape, withTape } from "#lib/tape.js";

const zeros = (rows: number, columns: number): Tensor =>
  tensor(new Float32Array(rows * columns), { shape: [rows, columns] });

function entriesOf(record: () => void): Tape["entries"] {
  const tape = new Tape();
  withTape(tape, record);
  return tape.entries.filter(({ op }) => !op.alias);
}

function step(widths: readonly [number, number, number], batch: number): Tape["entries"] {
  const [inputs, hidden, classes] = widths;
  const model = sequential([dense(hidden, { activation: "relu" }), dense(classes)], { inputShape: [inputs] });
  const [examples, labels] = [zeros(batch, inputs), tensor(new Int32Array(batch))];
  const optimizer = adam();
  const cost = (): Tensor => ops.mean(softmaxCrossEntropy().call(model.forward(examples, { training: true }), labels));
  return entriesOf(() => optimizer.minimize(cost(), model.parameters));
}

test.each([
  [[32, 64, 2], 32, 1],
  [[784, 128, 10], 32, 2], // each of two cores keeps half of the weights
  [[784, 128, 10], 8, 1], // for which it computes too little
  [[256, 256, 10], 64, 1],
  [[784, 512, 10], 128, Infinity], // its weights do not stay near one core
  [[784, 64, 10], 512, Infinity], // as much computing as makes up for fetching
] as const)("a step of %j on %i examples: %d threads", (widths, batch, expected) => {
  expect(mostThreads(step(widths, batch))).toBe(expected);
});

test("one op: a product of matrices does, an addition only of large ones", () => {
  const [small, large] = [zeros(256, 256), zeros(1024, 1024)];
  expect(mostThreads(entriesOf(() => ops.matmul(small, small)))).toBe(Infinity);
  expect(mostThreads(entriesOf(() => ops.add(small, small)))).toBe(1);
  expect(mostThreads(entriesOf(() => ops.add(large, large)))).toBe(Infinity);
});
