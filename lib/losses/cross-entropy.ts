// Losses between probabilities: cross-entropies of logits, and of the outputs of a softmax or sigmoid layer.
import { sigmoid } from "../ops/activation.js";
import { add, mul, sub } from "../ops/binary.js";
import * as ops from "../ops/cross-entropy.js";
import { sum } from "../ops/reduce.js";
import { softmax } from "../ops/softmax.js";
import { clip, log, neg } from "../ops/unary.js";
import { checkOptions, fraction } from "../options.js";
import { overload, type Overloaded } from "../overload.js";
import type { Tensor } from "../tensor.js";
import type { Loss } from "./loss.js";
import { matchClasses, matchProbabilities, oneHot, perExample } from "./targets.js";

export interface SmoothingOptions {
  /**
   * Share ε in [0, 1) of each target that is spread evenly over all classes: `y (1 - ε) + ε / classes`, with two classes for one output (Szegedy et
   * al., 2016). Default: 0.
   */
  readonly labelSmoothing?: number;
}

/** A loss with label smoothing: computes when called with outputs and targets, otherwise makes the loss. */
export type SmoothedLoss = Overloaded<
  [outputs: Tensor, targets: Tensor, options?: SmoothingOptions],
  [options?: SmoothingOptions],
  Loss
>;

function smoothed(
  name: string,
  link: NonNullable<Loss["link"]>,
  call: (outputs: Tensor, targets: Tensor, share: number) => Tensor,
): SmoothedLoss {
  const shareOf = (options: SmoothingOptions): number => {
    checkOptions(name, options, ["labelSmoothing"]);
    return fraction(name, "labelSmoothing", options.labelSmoothing ?? 0);
  };
  return overload(
    (outputs: Tensor, targets: Tensor, options: SmoothingOptions = {}) => call(outputs, targets, shareOf(options)),
    (options: SmoothingOptions = {}): Loss => {
      const labelSmoothing = shareOf(options);
      return {
        name,
        ...(labelSmoothing > 0 && { options: { labelSmoothing } }),
        call: (outputs, targets) => call(outputs, targets, labelSmoothing),
        link,
        linkKeepsOrder: true,
      };
    },
  );
}

/** `share` of each target spread over `classes`. */
const spread = (targets: Tensor, share: number, classes: number): Tensor =>
  share === 0 ? targets : add(mul(targets, 1 - share), share / classes);

/**
 * `-Σ y_j ln softmax(z)_j` per example, from logits `z` `[m, classes]` (so the last layer has no activation), with gradient `softmax(z) - y`.
 * Targets: class numbers int32 `[m]`, or probabilities (such as one-hot) `[m, classes]`. `predict` then returns probabilities.
 *
 * `softmaxCrossEntropy(outputs, targets, { labelSmoothing })` computes; `softmaxCrossEntropy({ labelSmoothing })` makes the loss.
 *
 * @throws ShapeError, DTypeError when the targets are neither; IndexError for a label out of range
 */
export const softmaxCrossEntropy = smoothed("softmaxCrossEntropy", softmax, (outputs, targets, share) => {
  const matched = matchClasses("softmaxCrossEntropy", outputs, targets);
  if (share === 0) return ops.softmaxCrossEntropy(outputs, matched);
  const classes = outputs.shape[1]!;
  const rows = matched.rank === 2 ? matched : oneHot("softmaxCrossEntropy", matched, classes, outputs.dtype);
  return ops.softmaxCrossEntropy(outputs, spread(rows, share, classes));
});

/**
 * `-(y ln a + (1 - y) ln(1 - a))` with `a = sigmoid(z)`, from logits `z`, averaged over an example's outputs; gradient `a - y`.
 * For two classes (one output) or several labels that do not exclude each other. `predict` then returns probabilities.
 *
 * `sigmoidCrossEntropy(outputs, targets, { labelSmoothing })` computes; `sigmoidCrossEntropy({ labelSmoothing })` makes the loss.
 *
 * @throws ShapeError when the targets have not the outputs' shape; IndexError for a class number that is neither 0 nor 1
 */
export const sigmoidCrossEntropy = smoothed("sigmoidCrossEntropy", sigmoid, (outputs, targets, share) => {
  const matched = matchProbabilities("sigmoidCrossEntropy", outputs, targets);
  return perExample(ops.sigmoidCrossEntropy(outputs, spread(matched, share, 2)));
});

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
  const rows =
    matched.rank === 2 ? matched : oneHot("categoricalCrossEntropy", matched, outputs.shape[1]!, outputs.dtype);
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
  const y = matchProbabilities("binaryCrossEntropy", outputs, targets);
  const p = clipped(outputs);
  return perExample(neg(add(mul(y, log(p)), mul(sub(1, y), log(sub(1, p))))));
}

const edge = 1e-7;
const clipped = (probabilities: Tensor): Tensor => clip(probabilities, edge, 1 - edge);
