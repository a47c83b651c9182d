// Gradients of every differentiable op against two-sided differences, in float64, over all its samples.
import { describe, expect, test } from "vitest";
import type { Op, Sample } from "#lib/op.js";
import { randomStream } from "#lib/random.js";
import { isFloat, Tensor } from "#lib/tensor.js";
import { describeSample, differentiableOperands, draw, gradientsWhereAny, hasGradient, opsIn, weighedSum } from "./support.js"; // prettier-ignore

const step = 1e-5;
const tolerance = 1e-7;
/** What rounding may leave of a derivative that is 0: an error of 1e-16 in terms of size 1, over the step, and then some for long sums. */
const floor = 1e-9;

const differentiableOps = opsIn("float64")
  .filter(({ op }) => hasGradient(op))
  .map(({ op, samples }) => ({ op, samples: samples.filter((sample) => op.shape(sample.operands, sample.attrs).some(({ dtype }) => isFloat(dtype))) })); // prettier-ignore

/** d/dt of the weighed sum of outputs as operand k moves by t · direction. Fresh operands each time, since some are written to. */
function slope(op: Op, sample: Sample, k: number, direction: ArrayLike<number>): number {
  const at = (t: number): number => {
    const operands = draw(sample);
    const storage = operands[k]!.storage!;
    for (let i = 0; i < storage.length; i++) storage[i]! += t * direction[i]!;
    return weighedSum(op, operands, sample.attrs).item();
  };
  return (at(step) - at(-step)) / (2 * step);
}

function expectClose(numeric: readonly number[], exact: readonly number[], message: string): void {
  const norm = (values: readonly number[]): number => Math.hypot(...values);
  const error = norm(numeric.map((value, i) => value - exact[i]!));
  expect(error, message).toBeLessThanOrEqual(Math.max(tolerance * (norm(numeric) + norm(exact)), floor));
}

/** Calls `check` for every operand that a gradient might flow to. No gradient at all counts as zeros. */
function eachGradient(op: Op, sample: Sample, check: (k: number, gradient: ArrayLike<number>) => void): void {
  const operands = draw(sample, { requiresGrad: true });
  const wanted = differentiableOperands(op, operands);
  const loss = weighedSum(op, operands, sample.attrs);
  gradientsWhereAny(loss, wanted).forEach((gradient, i) => {
    const operand = wanted[i]!;
    if (operand.size === 0) return;
    if (gradient) expect(gradient.shape).toEqual(operand.shape);
    check(operands.indexOf(operand), gradient?.data() ?? new Float64Array(operand.size));
  });
}

describe.each(differentiableOps.map((entry) => [entry.op.name, entry] as const))("%s", (_, { op, samples }) => {
  test("along random directions", () => {
    for (const sample of samples)
      eachGradient(op, sample, (k, gradient) => {
        const random = randomStream(3, k);
        const directions = [0, 1, 2].map(() => Float64Array.from(gradient, () => 2 * random.uniform() - 1));
        const exact = directions.map((direction) => direction.reduce((dot, d, i) => dot + d * gradient[i]!, 0));
        expectClose(directions.map((d) => slope(op, sample, k, d)), exact, `${describeSample(sample)}, operand ${k}`); // prettier-ignore
      });
  });

  test("element by element on small samples", () => {
    const sizes = (sample: Sample): number => draw(sample).reduce((total, { size }) => total + size, 0);
    const small = samples.filter((sample) => sizes(sample) <= 24);
    expect(small.length).toBeGreaterThan(0);
    for (const sample of small)
      eachGradient(op, sample, (k, gradient) => {
        for (let i = 0; i < gradient.length; i++) {
          const unit = Float64Array.from(gradient, (_, j) => (i === j ? 1 : 0));
          expectClose([slope(op, sample, k, unit)], [gradient[i]!], `${describeSample(sample)}, operand ${k}, element ${i}`); // prettier-ignore
        }
      });
  });

  test("each gradient alone is the same as among the others", () => {
    for (const sample of samples) {
      const all: number[][] = [];
      eachGradient(op, sample, (k, gradient) => (all[k] = [...Array.from(gradient)]));
      all.forEach((together, k) => {
        const operands = draw(sample).map((operand, i) => new Tensor(operand, { storage: operand.storage, requiresGrad: i === k })); // prettier-ignore
        const [alone] = gradientsWhereAny(weighedSum(op, operands, sample.attrs), [operands[k]!]);
        expect([...(alone?.data() ?? together)], describeSample(sample)).toEqual(together);
      });
    }
  });
});
