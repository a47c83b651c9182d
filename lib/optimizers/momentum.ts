// Gradient descent with momentum, in its four usual forms.
import * as ops from "../ops/update.js";
import { bool, fraction } from "../options.js";
import { checkOptimizerOptions, Optimizer, type OptimizerOptions } from "./optimizer.js";

export interface MomentumOptions extends OptimizerOptions {
  /** Share of the old velocity, in [0, 1); default 0.9. */
  readonly beta?: number;
  /** Whether new gradients are weighted with `1 - beta`, so that the velocity is an average of gradients rather than a sum. */
  readonly damped?: boolean;
}

/**
 * Gradient descent with momentum: `v = β v + (1 - β) g`, `p -= α v`, from v = 0.
 *
 * This is the exponentially weighted average of gradients. With `damped: false` it is `v = β v + g`, as in PyTorch and Keras, whose steps are
 * 1 / (1 - β) times as long: a learning rate from there needs this form, or that factor. (Polyak, 1964.)
 *
 * @param options - `learningRate` α (default 0.01), `beta` β (0.9), `damped` (true), clipping
 * @throws OptionError for an unknown option or a wrong value
 */
export function momentum(options: MomentumOptions = {}): Optimizer {
  return withVelocity("momentum", options, { damped: true, nesterov: false });
}

/**
 * Nesterov's momentum: `v = β v + g`, `p -= α (g + β v)`, from v = 0, as in PyTorch and Keras (Sutskever et al., 2013).
 *
 * With `damped: true` each g is weighted with `1 - β`: `v = β v + (1 - β) g`, `p -= α ((1 - β) g + β v)`.
 *
 * @param options - `learningRate` α (default 0.01), `beta` β (0.9), `damped` (false), clipping
 * @throws OptionError for an unknown option or a wrong value
 */
export function nesterov(options: MomentumOptions = {}): Optimizer {
  return withVelocity("nesterov", options, { damped: false, nesterov: true });
}

function withVelocity(name: string, options: MomentumOptions, form: { damped: boolean; nesterov: boolean }): Optimizer {
  checkOptimizerOptions(name, options, ["beta", "damped"]);
  const beta = fraction(name, "beta", options.beta ?? 0.9);
  const damped = bool(name, "damped", options.damped ?? form.damped);
  return new Optimizer({
    name,
    options: { ...options, learningRate: options.learningRate ?? 0.01, beta, damped },
    slots: ["velocity"],
    update: (parameter, gradient, [velocity], { learningRate }) =>
      ops.momentum(parameter, gradient, velocity!, learningRate, { beta, damped, nesterov: form.nesterov }),
  });
}
