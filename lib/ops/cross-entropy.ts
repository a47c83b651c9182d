// Cross-entropies from logits, per example. The losses, which average them, are losses.ts.
import { dtypeError, shapeError } from "../errors.js";
import { apply, apply1, defineOp, type Sample } from "../op.js";
import type { Spec, Tensor } from "../tensor.js";
import { mul } from "./binary.js";
import type { NoAttrs } from "./constant.js";
import { elementShapes, float, indices } from "./samples.js";
import { alike, features, floatType, notes, sameShape } from "./shapes.js";
import { logSoftmax } from "./softmax.js";
import { neg } from "./unary.js";
import { reshape } from "./view.js";

const labels = ["logits", "labels"];

/** Checks logits [m, c] or probabilities like them against labels: int32 [m], or [m, c] of the same dtype. */
function checkLabels(where: string, names: readonly string[], [logits, target]: readonly Spec[]): void {
  const operands = [logits!, target!];
  floatType(where, names, [logits!]);
  if (logits!.shape.length !== 2)
    throw shapeError(where, `${names[0]} must be [examples, classes]`, notes(names, operands));
  features(where, names, operands);
  if (target!.dtype !== "int32" && target!.dtype !== logits!.dtype)
    throw dtypeError(
      where,
      `labels must be int32 class numbers or ${logits!.dtype} probabilities; convert with cast()`,
      notes(names, operands),
    );
  const wanted = target!.dtype === "int32" ? logits!.shape.slice(0, 1) : logits!.shape;
  if (!sameShape(target!.shape, wanted))
    throw shapeError(
      where,
      "labels must be [examples] as class numbers, or [examples, classes] as probabilities",
      notes(names, operands),
    );
}

const sizes = [
  [1, 1],
  [0, 3],
  [3, 4],
  [5, 10],
  [17, 33],
  [2, 67],
] as const;

const softmaxRecord = defineOp<NoAttrs>({
  name: "softmaxCrossEntropy",
  operands: labels,
  attrs: {},
  shape: (operands) => {
    checkLabels("softmaxCrossEntropy", labels, operands);
    const { shape, dtype } = operands[0]!;
    return [{ shape: shape.slice(0, 1), dtype }, { shape, dtype }]; // prettier-ignore
  },
  vjp: ({ operands: [logits, target], outputs: [, probabilities], needs }, [dloss]) => [
    needs[0] ? apply1(softmaxGradRecord, [dloss!, probabilities!, target!], {}) : undefined,
    needs[1] ? neg(mul(reshape(dloss!, [-1, 1]), logSoftmax(logits!))) : undefined,
  ],
  saved: [1],
  indexes: { operand: 1, kind: "classes", count: ([logits]) => logits!.shape[1]! },
  samples: () =>
    sizes.flatMap(([m, c]): Sample<NoAttrs>[] => [
      { operands: [float([m, c], [-5, 5]), indices(m, c)], attrs: {} },
      { operands: [float([m, c], [-5, 5]), float([m, c], [0, 1])], attrs: {} },
    ]),
});

const gradLabels = ["dloss", "probabilities", "labels"];

const softmaxGradRecord = defineOp<NoAttrs>({
  name: "softmaxCrossEntropyGrad",
  operands: gradLabels,
  attrs: {},
  shape: (operands) => {
    const [dloss, probabilities] = operands as [Spec, Spec];
    const dtype = floatType("softmaxCrossEntropyGrad", gradLabels, [dloss, probabilities]);
    checkLabels("softmaxCrossEntropyGrad", gradLabels.slice(1), operands.slice(1));
    if (!sameShape(dloss.shape, probabilities.shape.slice(0, 1)))
      throw shapeError("softmaxCrossEntropyGrad", "dloss must be [examples]", notes(gradLabels, operands));
    return [{ shape: probabilities.shape, dtype }];
  },
  vjp: "missing",
  inPlace: [1],
  indexes: { operand: 2, kind: "classes", count: ([, probabilities]) => probabilities!.shape[1]! },
  samples: () =>
    sizes.flatMap(([m, c]): Sample<NoAttrs>[] => [
      { operands: [float([m]), float([m, c], [0, 1]), indices(m, c)], attrs: {} },
      { operands: [float([m]), float([m, c], [0, 1]), float([m, c], [0, 1])], attrs: {} },
    ]),
});

const sigmoidLabels = ["logits", "targets"];

const sigmoidRecord = defineOp<NoAttrs>({
  name: "sigmoidCrossEntropy",
  operands: sigmoidLabels,
  attrs: {},
  shape: alike("sigmoidCrossEntropy", sigmoidLabels),
  vjp: ({ operands: [logits, targets], needs }, [dloss]) => [
    needs[0] ? apply1(sigmoidGradRecord, [dloss!, logits!, targets!], {}) : undefined,
    needs[1] ? neg(mul(dloss!, logits!)) : undefined,
  ],
  inPlace: [0, 1],
  samples: () => elementShapes.map((shape) => ({ operands: [float(shape, [-5, 5]), float(shape, [0, 1])], attrs: {} })),
});

const sigmoidGradLabels = ["dloss", "logits", "targets"];

const sigmoidGradRecord = defineOp<NoAttrs>({
  name: "sigmoidCrossEntropyGrad",
  operands: sigmoidGradLabels,
  attrs: {},
  shape: alike("sigmoidCrossEntropyGrad", sigmoidGradLabels),
  vjp: "missing",
  inPlace: [0, 1, 2],
  samples: () =>
    elementShapes.map((shape) => ({
      operands: [float(shape), float(shape, [-5, 5]), float(shape, [0, 1])],
      attrs: {},
    })),
});

/**
 * `-Σⱼ yⱼ log softmax(logits)ⱼ` of each example, stable for logits of any size.
 *
 * @param logits - `[examples, classes]`
 * @param target - int32 `[examples]` with class numbers, or `[examples, classes]` with probabilities
 * @returns `[examples]`
 * @throws ShapeError or DTypeError when they do not fit together; IndexError for a class number that is out of range
 *
 * @example
 * ```ts
 * const logits = tensor([[0, Math.log(3)]]);
 * softmaxCrossEntropy(logits, tensor([1], { dtype: "int32" })).data(); // [0.287…], that is -log 0.75
 * ```
 */
export function softmaxCrossEntropy(logits: Tensor, target: Tensor): Tensor {
  return apply(softmaxRecord, [logits, target], {})[0]!;
}

/**
 * `-(y log σ(z) + (1 - y) log(1 - σ(z)))` of each element, stable for logits z of any size.
 *
 * @param logits - of any shape
 * @param targets - y in [0, 1], like the logits
 * @throws ShapeError or DTypeError when they do not fit together
 *
 * @example
 * ```ts
 * sigmoidCrossEntropy(tensor([0]), tensor([1])).data(); // [0.693…], that is -log 0.5
 * ```
 */
export function sigmoidCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return apply1(sigmoidRecord, [logits, targets], {});
}
