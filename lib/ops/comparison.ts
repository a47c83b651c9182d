// Comparisons, which give 0 or 1, and the choice between two tensors by them.
import { dtypeError } from "../errors.js";
import { apply1, defineOp, type Op } from "../op.js";
import { checkTensor, isFloat, Tensor } from "../tensor.js";
import { applyPair, filled, tensorOf, type NoAttrs, type Operand } from "./constant.js";
import { broadcastShapes, elementShapes, float } from "./samples.js";
import { alike, broadcastShape, notes, sameShape } from "./shapes.js";
import { broadcastTo } from "./move.js";

const labels = ["a", "b"];

function comparison(name: string): Op<NoAttrs> {
  return defineOp<NoAttrs>({
    name,
    operands: labels,
    attrs: {},
    shape: (operands) => {
      const { dtype } = operands[0]!;
      if (operands[1]!.dtype !== dtype || dtype === "uint8")
        throw dtypeError(
          name,
          "expected operands of one dtype, floating-point or int32; convert with cast()",
          notes(labels, operands),
        );
      return [{ shape: broadcastShape(name, labels, operands), dtype: isFloat(dtype) ? dtype : "float32" }];
    },
    vjp: "none",
    samples: () =>
      broadcastShapes.flatMap(([a, b]) => [
        { operands: [float(a), float(b)], attrs: {} },
        // Few values, so that some are equal.
        { operands: [a, b].map((shape) => ({ shape, dtype: "int32" as const, below: 3 })), attrs: {} },
      ]),
  });
}

const records = {
  equal: comparison("equal"),
  greater: comparison("greater"),
  greaterEqual: comparison("greaterEqual"),
};

const selectLabels = ["condition", "a", "b"];

const selectRecord = defineOp<NoAttrs>({
  name: "select",
  operands: selectLabels,
  attrs: {},
  shape: alike("select", selectLabels),
  vjp: ({ operands: [condition], needs }, [dout]) => {
    const { shape, dtype } = dout!;
    return [
      undefined,
      needs[1] ? select(condition!, dout!, filled(shape, 0, dtype)) : undefined,
      needs[2] ? select(condition!, filled(shape, 0, dtype), dout!) : undefined,
    ];
  },
  inPlace: [0, 1, 2],
  samples: () => elementShapes.map((shape) => ({ operands: [float(shape), float(shape), float(shape)], attrs: {} })),
});

/**
 * 1 where `a` equals `b`, else 0.
 *
 * Operands of comparisons are tensors of one dtype (floating-point or int32) whose shapes broadcast, or a tensor and a number. The result has the
 * operands' dtype, or float32 for int32. No gradient flows through it.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are uint8
 *
 * @example
 * ```ts
 * equal(tensor([1, 2, 3]), 2).data(); // [0, 1, 0]
 * ```
 */
export function equal(a: Operand, b: Operand): Tensor {
  return applyPair(records.equal, a, b);
}

/**
 * 1 where `a > b`, else 0, with operands as for {@link equal}.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are uint8
 *
 * @example
 * ```ts
 * greater(tensor([1, 2, 3]), 2).data(); // [0, 0, 1]
 * ```
 */
export function greater(a: Operand, b: Operand): Tensor {
  return applyPair(records.greater, a, b);
}

/**
 * 1 where `a >= b`, else 0, with operands as for {@link equal}.
 *
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are uint8
 *
 * @example
 * ```ts
 * greaterEqual(tensor([1, 2, 3]), 2).data(); // [0, 1, 1]
 * ```
 */
export function greaterEqual(a: Operand, b: Operand): Tensor {
  return applyPair(records.greaterEqual, a, b);
}

/**
 * `a` where `condition` is not 0, else `b`, broadcast to a common shape. What is not chosen does not matter, not even NaN, and gets no gradient.
 *
 * @param condition - of the same floating-point dtype as `a` and `b`, as comparisons give it
 * @throws ShapeError when the shapes do not broadcast; DTypeError when the dtypes differ or are integers
 *
 * @example
 * ```ts
 * const x = tensor([-1, 4]);
 * select(greater(x, 0), sqrt(x), 0).data(); // [0, 2]
 * ```
 */
export function select(condition: Tensor, a: Operand, b: Operand): Tensor {
  checkTensor("select", "condition", condition);
  const operands = [condition, ...[a, b].map((operand) => tensorOf(operand, condition.dtype, "select"))];
  const shape = broadcastShape("select", selectLabels, operands);
  const same = operands.map((operand) => (sameShape(operand.shape, shape) ? operand : broadcastTo(operand, shape)));
  return apply1(selectRecord, same, {});
}
