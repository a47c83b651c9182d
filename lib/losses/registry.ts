// Losses by name, and what a model accepts as one.
import { isFunction, isObject, oneOf, wrongValue } from "../options.js";
import {
  binaryCrossEntropy,
  categoricalCrossEntropy,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  type SmoothingOptions,
} from "./cross-entropy.js";
import type { Loss, LossFunction } from "./loss.js";
import { halfSquaredError, huber, meanAbsoluteError, meanSquaredError, type HuberOptions } from "./regression.js";

/** The losses that a model knows by name. */
export type LossName =
  | "softmaxCrossEntropy"
  | "sigmoidCrossEntropy"
  | "categoricalCrossEntropy"
  | "binaryCrossEntropy"
  | "meanSquaredError"
  | "halfSquaredError"
  | "meanAbsoluteError"
  | "huber";

const factories: Readonly<Record<LossName, (options?: object) => Loss>> = {
  softmaxCrossEntropy: (options?: SmoothingOptions) => softmaxCrossEntropy(options),
  sigmoidCrossEntropy: (options?: SmoothingOptions) => sigmoidCrossEntropy(options),
  categoricalCrossEntropy: () => categoricalCrossEntropy(),
  binaryCrossEntropy: () => binaryCrossEntropy(),
  meanSquaredError: () => meanSquaredError(),
  halfSquaredError: () => halfSquaredError(),
  meanAbsoluteError: () => meanAbsoluteError(),
  huber: (options?: HuberOptions) => huber(options),
};

/** What a model takes as its loss: a name, what a factory such as `huber({ delta: 2 })` returns, or a function of outputs and targets. */
export type LossOption = LossName | Loss | LossFunction;

/** @internal The loss meant by an option. `config` is what a file says about one. */
export function resolveLoss(where: string, value: LossOption | LossConfig): Loss {
  if (isFunction(value)) return { name: value.name || "loss", call: value };
  if (!isObject(value)) return made(where, value);
  if (!("call" in value)) return made(where, value.name, value.options);
  if (!isFunction(value.call)) throw wrongValue(where, "loss", "an object whose call is a function", value);
  return value;
}

/** What a file says about a loss. */
export type LossConfig = Pick<Loss, "name" | "options">;

/** @internal Whether the library has a loss of this name. */
export function isLossName(name: string): name is LossName {
  return Object.hasOwn(factories, name);
}

function made(where: string, name: string, options?: object): Loss {
  const known = oneOf(where, "loss", name, Object.keys(factories) as LossName[]);
  return factories[known](options);
}
