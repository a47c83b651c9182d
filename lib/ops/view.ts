// The same numbers under another shape, by alias: reshape and stopGradient. Ops that move numbers are move.ts.
import { integers } from "../options.js";
import { shapeError } from "../errors.js";
import { apply1, defineOp } from "../op.js";
import { checkTensor, sizeOf, type Shape, type Tensor } from "../tensor.js";
import type { NoAttrs } from "./constant.js";
import { elementShapes, float } from "./samples.js";
import { notes, sameShape } from "./shapes.js";

const reshapeRecord = defineOp<{ readonly shape: Shape }>({
  name: "reshape",
  operands: ["input"],
  attrs: { shape: "integers" },
  shape: ([input], { shape }) => {
    if (sizeOf(shape) !== sizeOf(input!.shape))
      throw shapeError(
        "reshape",
        `the input's ${sizeOf(input!.shape)} elements do not fill [${shape.join(", ")}]`,
        notes(["input"], [input!]),
      );
    return [{ shape, dtype: input!.dtype }];
  },
  vjp: ({ operands: [x] }, [dout]) => [reshape(dout!, x!.shape)],
  alias: true,
  samples: () => {
    const cases: [Shape, Shape][] = [
      [[], [1]],
      [[1, 1], []],
      [[2, 6], [3, 4]],
      [[12], [2, 1, 3, 1, 2]],
      [[2, 3, 4], [24]],
      [[0, 3], [2, 0]],
    ]; // prettier-ignore
    return cases.map(([from, shape]) => ({ operands: [float(from)], attrs: { shape } }));
  },
});

const stopGradientRecord = defineOp<NoAttrs>({
  name: "stopGradient",
  operands: ["input"],
  attrs: {},
  shape: ([input]) => [input!],
  vjp: "none",
  alias: true,
  samples: () => elementShapes.map((shape) => ({ operands: [float(shape)], attrs: {} })),
});

/**
 * The same elements, in the same order, under another shape of the same size, for any dtype. Nothing is copied.
 *
 * @param shape - one dimension may be -1: it becomes whatever is left
 * @throws ShapeError when the sizes differ
 *
 * @example
 * ```ts
 * reshape(tensor([1, 2, 3, 4, 5, 6]), [2, -1]).shape; // [2, 3]
 * ```
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensor("reshape", "x", x);
  const open = integers("reshape", "shape", shape).indexOf(-1);
  if (open < 0) return sameShape(x.shape, shape) ? x : apply1(reshapeRecord, [x], { shape });
  const rest = sizeOf(shape.filter((_, d) => d !== open));
  if (rest <= 0 || x.size % rest !== 0)
    throw shapeError(
      "reshape",
      `the input's ${x.size} elements leave no whole number for -1 in [${shape.join(", ")}]`,
      notes(["input"], [x]),
    );
  return apply1(reshapeRecord, [x], { shape: shape.with(open, x.size / rest) });
}

/**
 * The same values, through which no gradient flows.
 *
 * @example
 * ```ts
 * const x = parameter(3);
 * gradients(mul(x, stopGradient(x)), [x])[0].item(); // 3, not 6
 * ```
 */
export function stopGradient(x: Tensor): Tensor {
  return apply1(stopGradientRecord, [x], {});
}
