// A warning about a last layer that does not give what the loss takes: its activation twice, or not at all.
import type { Layer } from "../layers/layer.js";
import type { Loss } from "../losses/loss.js";
import type { Model } from "../model.js";

// By loss: the activation of its outputs, whether it applies that itself, and the loss that does what this one does not.
const expectations: Readonly<Record<string, readonly [activation: string, itself: boolean, other: string]>> = {
  softmaxCrossEntropy: ["softmax", true, "categoricalCrossEntropy"],
  sigmoidCrossEntropy: ["sigmoid", true, "binaryCrossEntropy"],
  categoricalCrossEntropy: ["softmax", false, "softmaxCrossEntropy"],
  binaryCrossEntropy: ["sigmoid", false, "sigmoidCrossEntropy"],
};

/** Warns of logits for a loss of probabilities, and of probabilities for a loss of logits, where the last layer leaves no doubt. */
export function warnOfLastLayer(model: Model, loss: Loss): void {
  const expected = expectations[loss.name];
  if (!expected) return;
  const [activation, itself, other] = expected;
  if (activationOf(model.layers.at(-1)!) !== (itself ? activation : "linear")) return;
  const name = model.layerNames.at(-1)!;
  process.emitWarning(
    itself
      ? `${loss.name} takes logits and applies ${activation} itself, but the outputs of "${name}" have been through one; leave it out, or use ${other}`
      : `${loss.name} takes probabilities, but those of "${name}" have been through no ${activation}; add one, or use ${other}`,
    { type: "LossWarning", code: "SIMDNN_LOSS" },
  );
}

/** "linear" for a dense layer without an activation. */
function activationOf({ type, options }: Layer): unknown {
  return type === "dense" ? options.activation : type;
}
