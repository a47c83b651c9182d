// Every op in float32, on whatever instruction set is active, against the same op in float64.
import { describe, expect, test } from "vitest";
import { apply, type Attrs, type Op } from "#lib/op.js";
import { isFloat, type Tensor } from "#lib/tensor.js";
import { describeSample, draw, opsIn, worstError } from "./support.js";
import "#lib/ops/index.js";

/** Relative to the largest number of an output, or to 1: about a hundred roundings of float32. */
const tolerance = 1e-5;

const exact = new Map(opsIn("float64").map(({ op, samples }) => [op.name, samples]));

describe.each(opsIn("float32").map((entry) => [entry.op.name, entry] as const))("%s", (name, { op, samples }) => {
  test("float32 agrees with float64", () => {
    samples.forEach((sample, i) => {
      const single = resultsOf(op, draw(sample), sample.attrs);
      const double = resultsOf(op, draw(exact.get(name)![i]!), exact.get(name)![i]!.attrs);
      expect(single.length).toBe(double.length);
      single.forEach((result, k) => {
        expect(result.shape).toEqual(double[k]!.shape);
        const [actual, expected] = [result.data(), double[k]!.data()];
        const scale = Math.max(1, ...Array.from(expected, Math.abs));
        const error = worstError(actual, expected, scale);
        expect(error, `${describeSample(sample)}, result ${k}`).toBeLessThanOrEqual(
          isFloat(result.dtype) ? tolerance : 0,
        );
      });
    });
  });
});

/** The outputs, and what an op with effects leaves in its operands. */
function resultsOf(op: Op, operands: readonly Tensor[], attrs: Attrs): Tensor[] {
  const outputs = apply(op, operands, attrs);
  return [...outputs, ...(op.effects ?? []).map((i) => operands[i]!)];
}
