// Adam, and AdamW with its decoupled weight decay.
import * as ops from "../ops/update.js";
import { fraction, nonNegativeNumber, positiveNumber } from "../options.js";
import { checkOptimizerOptions, Optimizer, type OptimizerOptions } from "./optimizer.js";

export interface AdamOptions extends OptimizerOptions {
  /** Share of the old first moment, in [0, 1); default 0.9. */
  readonly beta1?: number;
  /** Share of the old second moment, in [0, 1); default 0.999. */
  readonly beta2?: number;
  /** Added to the root, outside of it; default 1e-8. */
  readonly epsilon?: number;
}

export interface AdamwOptions extends AdamOptions {
  /** Share of each parameter, times the learning rate, that a step takes away; default 0.01. */
  readonly weightDecay?: number;
}

/**
 * Adam: `m = β₁ m + (1 - β₁) g`, `s = β₂ s + (1 - β₂) g²`, `p -= α m̂ / (√ŝ + ε)` with both corrected in step t = 1, 2, … for their start at 0:
 * `m̂ = m / (1 - β₁ᵗ)`, `ŝ = s / (1 - β₂ᵗ)`.
 *
 * ε is added to the root of the corrected moment, as in the paper (Kingma and Ba, 2015) and PyTorch; Keras adds it before the correction.
 *
 * @param options - `learningRate` α (default 1e-3), `beta1` (0.9), `beta2` (0.999), `epsilon` ε (1e-8), clipping
 * @throws OptionError for an unknown option or a wrong value
 */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptimizerOptions("adam", options, ["beta1", "beta2", "epsilon"]);
  return withMoments("adam", options, 0);
}

/**
 * AdamW: {@link adam} after `p -= α λ p`, so that the decay λ is not divided by the moments (Loshchilov and Hutter, 2019).
 *
 * As in PyTorch the decay is multiplied by the learning rate, and reaches every parameter, biases included.
 *
 * @param options - those of {@link adam}, and `weightDecay` λ (default 0.01)
 * @throws OptionError for an unknown option or a wrong value
 */
export function adamw(options: AdamwOptions = {}): Optimizer {
  checkOptimizerOptions("adamw", options, ["beta1", "beta2", "epsilon", "weightDecay"]);
  const weightDecay = nonNegativeNumber("adamw", "weightDecay", options.weightDecay ?? 0.01);
  return withMoments("adamw", { ...options, weightDecay }, weightDecay);
}

function withMoments(name: string, options: AdamwOptions, weightDecay: number): Optimizer {
  const beta1 = fraction(name, "beta1", options.beta1 ?? 0.9);
  const beta2 = fraction(name, "beta2", options.beta2 ?? 0.999);
  const epsilon = positiveNumber(name, "epsilon", options.epsilon ?? 1e-8);
  const learningRate = options.learningRate ?? 1e-3;
  return new Optimizer({
    name,
    options: { ...options, learningRate, beta1, beta2, epsilon },
    slots: ["firstMoment", "secondMoment"],
    update: (parameter, gradient, [firstMoment, secondMoment], context) =>
      ops.adam(parameter, gradient, firstMoment!, secondMoment!, context.learningRate, context.step, {
        beta1,
        beta2,
        epsilon,
        weightDecay,
      }),
  });
}
