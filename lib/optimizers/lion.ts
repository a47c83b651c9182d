// Lion.
import * as ops from "../ops/update.js";
import { fraction, nonNegativeNumber } from "../options.js";
import { checkOptimizerOptions, Optimizer, type OptimizerOptions } from "./optimizer.js";

export interface LionOptions extends OptimizerOptions {
  /** Share of the old moment in the direction, in [0, 1); default 0.9. */
  readonly beta1?: number;
  /** Share of the old moment in the new one, in [0, 1); default 0.99. */
  readonly beta2?: number;
  /** Share of each parameter, times the learning rate, that a step takes away; default 0. */
  readonly weightDecay?: number;
}

/**
 * Lion: `p -= α (sign(β₁ m + (1 - β₁) g) + λ p)`, then `m = β₂ m + (1 - β₂) g`, from m = 0 (Chen et al., 2023). Each step has the length of the learning
 * rate in every parameter, so that should be a third to a tenth of Adam's, and λ as many times larger.
 *
 * @param options - `learningRate` α (default 1e-4), `beta1` (0.9), `beta2` (0.99), `weightDecay` λ (0), clipping
 * @throws OptionError for an unknown option or a wrong value
 */
export function lion(options: LionOptions = {}): Optimizer {
  checkOptimizerOptions("lion", options, ["beta1", "beta2", "weightDecay"]);
  const beta1 = fraction("lion", "beta1", options.beta1 ?? 0.9);
  const beta2 = fraction("lion", "beta2", options.beta2 ?? 0.99);
  const weightDecay = nonNegativeNumber("lion", "weightDecay", options.weightDecay ?? 0);
  const attrs = { beta1, beta2, weightDecay };
  return new Optimizer({
    name: "lion",
    options: { ...options, learningRate: options.learningRate ?? 1e-4, ...attrs },
    slots: ["firstMoment"],
    update: (parameter, gradient, [firstMoment], { learningRate }) =>
      ops.lion(parameter, gradient, firstMoment!, learningRate, attrs),
  });
}
