// Memory planning: random programs give the same bits captured as eager, and the arena shows that memory is reused.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capture } from "#lib/capture.js";
import * as ops from "#lib/ops/index.js";
import { Program } from "#lib/program.js";
import { Tape, withTape } from "#lib/tape.js";
import { parameter, tensor, type Tensor } from "#lib/tensor.js";
import { bits } from "./ops/support.js";

const rows = 6;
const columns = 8;
const bytes = rows * columns * 4;

function values(offset: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i + offset));
}

/** Steps of a random program: each makes one [6, 8] tensor of two. */
const steps: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => ops.add(a, b),
  (a, b) => ops.sub(ops.relu(a), b),
  (a, b) => ops.reshape(ops.maximum(ops.reshape(a, [columns, rows]), ops.reshape(b, [-1, rows])), [rows, columns]),
  (a) => ops.sigmoid(a),
  (a) => ops.transpose(ops.softmax(ops.transpose(a))),
  (a, b) => ops.mul(a, ops.mean(b, { axes: 1, keepDims: true })),
  (a, b) => ops.tanh(ops.matmul(ops.matmul(a, b, { transposeB: true }), b)),
  (a, b) => ops.concat([ops.slice(a, [0, 0], [2, -1]), ops.slice(b, [2, 0], [-1, -1])]),
  (a, b) => ops.select(ops.greater(a, b), a, b),
  (a) => ops.stopGradient(ops.square(ops.clip(a, -1, 1))),
  (a, b) => ops.broadcastTo(ops.mul(ops.max(a), ops.max(b)), [rows, columns]),
  (a, b) => ops.dense(a, ops.reshape(ops.slice(b, [0, 0], [1, -1]), [columns, 1]), undefined, { activation: "tanh" }),
];

const programs = fc.record({
  steps: fc.array(fc.tuple(fc.nat(steps.length - 1), fc.nat(), fc.nat()), { minLength: 1, maxLength: 25 }),
  kept: fc.array(fc.nat(), { maxLength: 4 }),
});

describe("random programs", () => {
  /** Runs the steps, then updates two parameters by the gradients of what came out last; returns some of the tensors in between. */
  function run(
    program: { steps: [number, number, number][]; kept: number[] },
    parameters: readonly Tensor[],
  ): Tensor[] {
    const made: Tensor[] = [...parameters, tensor(values(3), { shape: [rows, columns] })];
    const pick = (n: number): Tensor => made[n % made.length]!;
    for (const [step, a, b] of program.steps) {
      const result = steps[step]!(pick(a), pick(b));
      made.push(ops.broadcastTo(result, [rows, columns]));
    }
    const loss = parameters.reduce((total, p) => ops.add(total, ops.mean(p)), ops.mean(made.at(-1)!));
    const gradients = ops.gradients(loss, parameters);
    const outputs = [loss, ...gradients, ...program.kept.map(pick)];
    const copies = outputs.map((output) => ops.mul(output, 1)); // what is kept must not be changed by the updates
    parameters.forEach((p, i) => ops.sgd(p, gradients[i]!, tensor(0.1)));
    return copies;
  }

  test("captured and eager agree to the bit, also after a second run", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const fresh = (): Tensor[] => [1, 2].map((seed) => parameter(values(seed), { shape: [rows, columns] }));
        const [first, second] = [fresh(), fresh()];
        const replay = capture(() => run(program, second));
        for (let round = 0; round < 2; round++) {
          const eager = [...run(program, first), ...first].map(bits);
          expect([...replay(), ...second].map(bits)).toEqual(eager);
        }
      }),
      { seed: 1, numRuns: 150 },
    );
  });
});

function planned(build: (x: Tensor) => readonly Tensor[]): { program: Program; outputs: readonly Tensor[]; x: Tensor } {
  const x = tensor(values(1), { shape: [rows, columns], name: "x" });
  const tape = new Tape();
  const outputs = withTape(tape, () => build(x));
  return { program: new Program(tape, outputs), outputs, x };
}

describe("memory", () => {
  test("a chain of ops that work in place needs one block", () => {
    const { program } = planned((x) => [ops.exp(ops.tanh(ops.relu(ops.neg(x))))]);
    expect([program.instructionCount, program.arenaBytes]).toEqual([4, bytes]);
  });

  test("a chain of ops that do not needs two", () => {
    const { program } = planned((x) => [[0, 1, 2, 3].reduce((y) => ops.transpose(y), x)]);
    expect([program.instructionCount, program.arenaBytes]).toEqual([4, 2 * bytes]);
  });

  test("what is used again or kept is not overwritten", () => {
    const { program, outputs, x } = planned((input) => {
      const kept = ops.neg(input);
      return [kept, ops.exp(ops.relu(kept))];
    });
    program.run();
    expect(program.arenaBytes).toBe(2 * bytes);
    expect(program.copy(outputs[0]!).data()).toEqual(x.data().map((value) => -value));
  });

  test("what lives on through an alias is not overwritten", () => {
    const { program, outputs, x } = planned((input) => {
      const root = ops.neg(input);
      const alias = ops.reshape(root, [-1]);
      return [ops.relu(root), alias];
    });
    program.run();
    expect(program.copy(outputs[1]!).data()).toEqual(x.data().map((value) => -value));
  });

  test("a broadcast operand does not give its memory to a larger output", () => {
    const { program } = planned((x) => [ops.add(ops.mean(x, { axes: 0 }), x)]);
    expect(program.arenaBytes).toBe(64 + bytes);
  });

  test("entries that nothing depends on are dropped, effects and guards are not", () => {
    const target = tensor(values(2), { shape: [rows, columns] });
    const { program } = planned((x) => {
      ops.exp(ops.tanh(x));
      ops.assign(target, ops.neg(x));
      ops.assertFinite(x);
      return [ops.relu(x)];
    });
    expect(program.instructionCount).toBe(4);
  });

  test("a training step needs far less than all its temporaries", () => {
    const weights = Array.from({ length: 8 }, (_, i) => parameter(values(i).subarray(0, 16), { shape: [4, 4] }));
    const x = tensor(Float32Array.from({ length: 256 * 4 }, Math.cos), { shape: [256, 4] });
    const tape = new Tape();
    withTape(tape, () => {
      const y = weights.reduce((h, w) => ops.dense(h, w, undefined, { activation: "tanh" }), x);
      ops.gradients(ops.mean(ops.square(y)), weights).forEach((g, i) => ops.sgd(weights[i]!, g, tensor(0.1)));
    });
    const all = tape.entries.flatMap(({ outputs }) => outputs).reduce((total, { size }) => total + 4 * size, 0);
    expect(new Program(tape, []).arenaBytes).toBeLessThan(0.5 * all);
  });
});
