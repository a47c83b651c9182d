// Every op eager and captured: the same bits, forward and backward, also when outputs take over the memory of operands.
import { describe, expect, test } from "vitest";
import { capture } from "#lib/capture.js";
import { allOps, apply, apply1, type Attrs, type Op, type Sample } from "#lib/op.js";
import type { Tensor } from "#lib/tensor.js";
import { bits, describeSample, differentiable, differentiableOperands, draw, gradientsWhereAny, hasGradient, opsIn, weigh } from "./support.js"; // prettier-ignore

const pad = allOps().find(({ name }) => name === "pad")!;

/** A temporary with the same values, which an op may overwrite. */
function copy(x: Tensor): Tensor {
  return apply1(pad, [x], { begin: x.shape.map(() => 0), shape: x.shape });
}

/** What an op makes of copies of its operands. */
function forward(op: Op, operands: readonly Tensor[], attrs: Attrs): Tensor[] {
  const copies = operands.map(copy);
  const outputs = apply(op, copies, attrs);
  // Something for them to lie next to: a temporary that must survive.
  return [...outputs, ...(op.effects ?? []).map((i) => copy(copies[i]!))];
}

function backward(op: Op, operands: readonly Tensor[], attrs: Attrs): Tensor[] {
  const outputs = differentiable(op, apply(op, operands, attrs));
  if (outputs.length === 0) return [];
  return gradientsWhereAny(weigh(outputs), differentiableOperands(op, operands)).filter(
    (gradient) => gradient !== undefined,
  );
}

/** Effects reach through to the operands, so each way gets its own. */
function compare(run: (operands: readonly Tensor[]) => Tensor[], sample: Sample, requiresGrad: boolean): void {
  const [first, second] = [draw(sample, { requiresGrad }), draw(sample, { requiresGrad })];
  const eager = [...run(first), ...first].map(bits);
  const captured = [...capture(() => run(second))(), ...second].map(bits);
  expect(captured, describeSample(sample)).toEqual(eager);
}

for (const precision of ["float32", "float64"] as const)
  describe.each(opsIn(precision).map((entry) => [entry.op.name, entry] as const))(
    `%s in ${precision}`,
    (_, { op, samples }) => {
      test("forward", () => {
        for (const sample of samples) compare((operands) => forward(op, operands, sample.attrs), sample, false);
      });

      if (!hasGradient(op)) return;
      test("backward", () => {
        for (const sample of samples) compare((operands) => backward(op, operands, sample.attrs), sample, true);
      });
    },
  );
