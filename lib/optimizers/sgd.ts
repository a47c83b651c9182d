// Gradient descent.
import * as ops from "../ops/update.js";
import { checkOptimizerOptions, Optimizer, type OptimizerOptions } from "./optimizer.js";

/**
 * Gradient descent: `p -= α g`.
 *
 * @param options - `learningRate` α (default 0.01), clipping
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * const w = parameter(0), optimizer = sgd({ learningRate: 0.01 });
 * const step = capture(() => optimizer.minimize(w.square().sub(w.mul(10)).add(25), [w]));
 * for (let i = 0; i < 1000; i++) step();
 * w.item(); // 4.9999…: the cost is smallest at 5
 * ```
 */
export function sgd(options: OptimizerOptions = {}): Optimizer {
  checkOptimizerOptions("sgd", options, []);
  return new Optimizer({
    name: "sgd",
    options: { ...options, learningRate: options.learningRate ?? 0.01 },
    slots: [],
    update: (parameter, gradient, _slots, { learningRate }) => ops.sgd(parameter, gradient, learningRate),
  });
}
