// Adagrad.
import * as ops from "../ops/update.js";
import { positiveNumber } from "../options.js";
import { checkOptimizerOptions, Optimizer, type OptimizerOptions } from "./optimizer.js";

export interface AdagradOptions extends OptimizerOptions {
  /** Added to the root, outside of it; default 1e-10. */
  readonly epsilon?: number;
}

/**
 * Adagrad: `s = s + g²`, `p -= α g / (√s + ε)`, from s = 0 (Duchi et al., 2011).
 *
 * ε stands outside of the root, as in PyTorch; Keras has it inside, and starts from s = 0.1.
 *
 * @param options - `learningRate` α (default 0.01), `epsilon` ε (1e-10), clipping
 * @throws OptionError for an unknown option or a wrong value
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  checkOptimizerOptions("adagrad", options, ["epsilon"]);
  const epsilon = positiveNumber("adagrad", "epsilon", options.epsilon ?? 1e-10);
  return new Optimizer({
    name: "adagrad",
    options: { ...options, learningRate: options.learningRate ?? 0.01, epsilon },
    slots: ["squares"],
    update: (parameter, gradient, [squares], { learningRate }) =>
      ops.adagrad(parameter, gradient, squares!, learningRate, { epsilon }),
  });
}
