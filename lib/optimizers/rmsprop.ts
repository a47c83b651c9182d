// RMSprop.
import * as ops from "../ops/update.js";
import { fraction, positiveNumber } from "../options.js";
import { checkOptimizerOptions, Optimizer, type OptimizerOptions } from "./optimizer.js";

export interface RmspropOptions extends OptimizerOptions {
  /** Share of the old mean square, in [0, 1); default 0.9. */
  readonly rho?: number;
  /** Added to the root, outside of it; default 1e-8. */
  readonly epsilon?: number;
}

/**
 * RMSprop: `s = ρ s + (1 - ρ) g²`, `p -= α g / (√s + ε)`, from s = 0 without correction (Tieleman and Hinton, 2012).
 *
 * ε stands outside of the root, as in PyTorch; Keras has it inside.
 *
 * @param options - `learningRate` α (default 1e-3), `rho` ρ (0.9), `epsilon` ε (1e-8), clipping
 * @throws OptionError for an unknown option or a wrong value
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  checkOptimizerOptions("rmsprop", options, ["rho", "epsilon"]);
  const rho = fraction("rmsprop", "rho", options.rho ?? 0.9);
  const epsilon = positiveNumber("rmsprop", "epsilon", options.epsilon ?? 1e-8);
  return new Optimizer({
    name: "rmsprop",
    options: { ...options, learningRate: options.learningRate ?? 1e-3, rho, epsilon },
    slots: ["meanSquare"],
    update: (parameter, gradient, [meanSquare], { learningRate }) =>
      ops.rmsprop(parameter, gradient, meanSquare!, learningRate, { rho, epsilon }),
  });
}
