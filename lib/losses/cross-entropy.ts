// Losses between probabilities: cross-entropies of logits, and of the outputs of a softmax or sigmoid layer.
import { sigmoid } from "../ops/activation.js";
import { add, mul, sub } from "../ops/binary.js";
import * as ops from "../ops/cross-entropy.js";
import { sum } from "../ops/reduce.js";
import { softmax } from "../ops/softmax.js";
import { clip, log, neg } from "../ops/unary.js";
import { overload } from "../overload.js";
import type { Tensor } from "../tensor.js";
import type { Loss } from "./loss.js";
import { matchClasses, matchTargets, oneHot, perExample } from "./targets.js";

/**
 * `-Σ y_j ln softmax(z)_j` per example, from logits `z` `[m, classes]` (so the last layer has no activation), with gradient `softmax(z) - y`.
 * Targets: class numbers int32 `[m]`, or probabilities (such as one-hot) `[m, classes]`. `predict` then returns probabilities.
 *
 * Called with outputs and targets it computes; called without, it makes the loss.
 *
 * @throws ShapeError, DTypeError when the targets are neither; IndexError for a label out of range
 */
export const softmaxCrossEntropy = overload(softmaxCrossEntropyOf, (): Loss => ({
  name: "softmaxCrossEntropy",
  call: softmaxCrossEntropyOf,
  link: softmax,
}));

function softmaxCrossEntropyOf(outputs: Tensor, targets: Tensor): Tensor {
  return ops.softmaxCrossEntropy(outputs, matchClasses("softmaxCrossEntropy", outputs, targets));
}

/**
 * `-(y ln a + (1 - y) ln(1 - a))` with `a = sigmoid(z)`, from logits `z`, averaged over an example's outputs; gradient `a - y`.
 * For two classes (one output) or several labels that do not exclude each other. `predict` then returns probabilities.
 *
 * Called with outputs and targets it computes; called without, it makes the loss.
 *
 * @throws ShapeError when the targets have not the outputs' shape
 */
export const sigmoidCrossEntropy = overload(sigmoidCrossEntropyOf, (): Loss => ({
  name: "sigmoidCrossEntropy",
  call: sigmoidCrossEntropyOf,
  link: sigmoid,
}));

function sigmoidCrossEntropyOf(outputs: Tensor, targets: Tensor): Tensor {
  return perExample(ops.sigmoidCrossEntropy(outputs, matchTargets("sigmoidCrossEntropy", outputs, targets)));
}

/**
 * `-Σ y_j ln p_j` per example, from probabilities `p` `[m, classes]`, as a softmax layer gives them. Clipped to [1e-7, 1 - 1e-7] as in Keras,
 * beyond which there is no gradient: {@link softmaxCrossEntropy} of logits has no such corner and is faster. Targets as there.
 *
 * Called with outputs and targets it computes; called without, it makes the loss.
 */
export const categoricalCrossEntropy = overload(categoricalCrossEntropyOf, (): Loss => ({
  name: "categoricalCrossEntropy",
  call: categoricalCrossEntropyOf,
}));

function categoricalCrossEntropyOf(outputs: Tensor, targets: Tensor): Tensor {
  const matched = matchClasses("categoricalCrossEntropy", outputs, targets);
  const rows = matched.rank === 2 ? matched : oneHot(matched, outputs.shape[1]!, outputs.dtype);
  return neg(sum(mul(rows, log(clipped(outputs))), { axes: [1] }));
}

/**
 * `-(y ln p + (1 - y) ln(1 - p))` from probabilities `p`, as a sigmoid layer gives them, averaged over an example's outputs. Clipped to
 * [1e-7, 1 - 1e-7] as in Keras, beyond which there is no gradient: {@link sigmoidCrossEntropy} of logits has no such corner.
 *
 * Called with outputs and targets it computes; called without, it makes the loss.
 */
export const binaryCrossEntropy = overload(binaryCrossEntropyOf, (): Loss => ({
  name: "binaryCrossEntropy",
  call: binaryCrossEntropyOf,
}));

function binaryCrossEntropyOf(outputs: Tensor, targets: Tensor): Tensor {
  const y = matchTargets("binaryCrossEntropy", outputs, targets);
  const p = clipped(outputs);
  return perExample(neg(add(mul(y, log(p)), mul(sub(1, y), log(sub(1, p))))));
}

const edge = 1e-7;
const clipped = (probabilities: Tensor): Tensor => clip(probabilities, edge, 1 - edge);
