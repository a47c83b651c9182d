// What changes whole batches, inputs and targets together, within the captured step. Augmentation of inputs alone is layers/augmentation.ts.
import { shapeError } from "../errors.js";
import { wrongValue } from "../options.js";
import { Tensor, type Shape } from "../tensor.js";

/** Inputs `[m, ...]` and targets `[m, ...]`. */
export interface InputsAndTargets {
  readonly inputs: Tensor;
  readonly targets: Tensor;
}

/** What an augmentation is told beside the batch. */
export interface AugmentationContext {
  /** Shape of the model's outputs for one example, such as `[classes]`. */
  readonly outputShape: Shape;
  /** Where its random numbers come from: for `randomUniform` and the like. */
  readonly random: { readonly seed: number; readonly stream: number; readonly step: Tensor };
}

/**
 * Changes a batch before a step of training sees it, written in ops, and recorded once per batch size. The targets go to the loss; metrics, and the weights
 * of classes, go by those that the examples had before.
 */
export type Augmentation = (batch: InputsAndTargets, context: AugmentationContext) => InputsAndTargets;

/** What an augmentation made of a batch, if it is a batch still. */
export function augmented(
  augment: Augmentation,
  batch: InputsAndTargets,
  context: AugmentationContext,
): InputsAndTargets {
  const changed = augment(batch, context);
  for (const part of ["inputs", "targets"] as const) {
    const [before, after] = [batch[part], changed?.[part]];
    if (!(after instanceof Tensor))
      throw wrongValue("augment", "its result", "{ inputs, targets }, both tensors,", changed);
    if (after.shape[0] !== before.shape[0])
      throw shapeError("augment", `expected as many ${part} as there were`, [
        { label: "before", shape: before.shape },
        { label: "after", shape: after.shape },
      ]);
  }
  return changed;
}
