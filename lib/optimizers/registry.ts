// Optimizers by name, and what a model accepts as one.
import { isObject, oneOf } from "../options.js";
import { adagrad } from "./adagrad.js";
import { adam, adamw } from "./adam.js";
import { lion } from "./lion.js";
import { momentum, nesterov } from "./momentum.js";
import { nadam } from "./nadam.js";
import { Optimizer, type OptimizerOptions } from "./optimizer.js";
import { resolveLearningRate, type LearningRateConfig } from "../schedules.js";
import { rmsprop } from "./rmsprop.js";
import { sgd } from "./sgd.js";

/** The optimizers that a model knows by name. */
export type OptimizerName =
  "sgd" | "momentum" | "nesterov" | "rmsprop" | "adam" | "adamw" | "adagrad" | "nadam" | "lion";

const factories: Readonly<Record<OptimizerName, (options?: OptimizerOptions) => Optimizer>> = {
  sgd,
  momentum,
  nesterov,
  rmsprop,
  adam,
  adamw,
  adagrad,
  nadam,
  lion,
};

/** What a model takes as its optimizer: a name, for the defaults, or what a factory such as `adam({ learningRate: 3e-4 })` returns. */
export type OptimizerOption = OptimizerName | Optimizer;

/** @internal What a file says about an optimizer. */
export type OptimizerConfig = Optimizer["config"];

/** @internal The optimizer meant by an option, new unless it is one already. `config` is what a file says about one. */
export function resolveOptimizer(where: string, value: OptimizerOption | OptimizerConfig): Optimizer {
  if (value instanceof Optimizer) return value;
  const { name, options }: { name: string; options: { readonly learningRate?: LearningRateConfig } } = isObject(value)
    ? value
    : { name: value, options: {} };
  const factory = factories[oneOf(where, "optimizer", name, Object.keys(factories) as OptimizerName[])];
  if (options?.learningRate === undefined) return factory(options as OptimizerOptions);
  const learningRate = resolveLearningRate(where, "learningRate", options.learningRate);
  return factory({ ...options, learningRate });
}
