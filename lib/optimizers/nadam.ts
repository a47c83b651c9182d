// Nadam: Adam with Nesterov's momentum.
import * as ops from "../ops/update.js";
import { fraction, nonNegativeNumber, positiveNumber } from "../options.js";
import type { AdamOptions } from "./adam.js";
import { checkOptimizerOptions, Optimizer } from "./optimizer.js";

export interface NadamOptions extends AdamOptions {
  /** ψ, how soon the momentum comes to its full size; default 0.004. With 0 it stays at half of β₁. */
  readonly momentumDecay?: number;
}

/**
 * Nadam: the moments of {@link adam}, and with `μₜ = β₁ (1 - ½ · 0.96^(ψ t))`, whose product up to t is Mₜ, in step t = 1, 2, …
 * `p -= α ((1 - μₜ) g / (1 - Mₜ) + μₜ₊₁ m / (1 - Mₜ₊₁)) / (√ŝ + ε)` (Dozat, 2016).
 *
 * As in PyTorch; Keras has ψ = 1. ε is added to the root of the corrected moment, as in both and in {@link adam}.
 *
 * @param options - `learningRate` α (default 2e-3), `beta1` (0.9), `beta2` (0.999), `epsilon` ε (1e-8), `momentumDecay` ψ (0.004), clipping
 * @throws OptionError for an unknown option or a wrong value
 */
export function nadam(options: NadamOptions = {}): Optimizer {
  checkOptimizerOptions("nadam", options, ["beta1", "beta2", "epsilon", "momentumDecay"]);
  const beta1 = fraction("nadam", "beta1", options.beta1 ?? 0.9);
  const beta2 = fraction("nadam", "beta2", options.beta2 ?? 0.999);
  const epsilon = positiveNumber("nadam", "epsilon", options.epsilon ?? 1e-8);
  const momentumDecay = nonNegativeNumber("nadam", "momentumDecay", options.momentumDecay ?? 0.004);
  const attrs = { beta1, beta2, epsilon, momentumDecay };
  return new Optimizer({
    name: "nadam",
    options: { ...options, learningRate: options.learningRate ?? 2e-3, ...attrs },
    slots: ["firstMoment", "secondMoment"],
    update: (parameter, gradient, [firstMoment, secondMoment], { learningRate, step }) =>
      ops.nadam(parameter, gradient, firstMoment!, secondMoment!, learningRate, step, attrs),
  });
}
