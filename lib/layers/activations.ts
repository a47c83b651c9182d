// Activations: layers without weights that bend each value. Each name is its op too, when called with a tensor.
import * as ops from "../ops/activation.js";
import { hardmax as hardmaxOp, softmax as softmaxOp } from "../ops/softmax.js";
import { checkOptions, positiveNumber } from "../options.js";
import { overload } from "../overload.js";
import type { Tensor } from "../tensor.js";
import type { Json, Layer } from "./layer.js";

/** Activations that a layer can be given by name. */
export type ActivationName = ops.Activation | "softmax";
/** @internal */
export const activationNames: readonly ActivationName[] = [...ops.activations, "softmax"];

/** Numbers that some activations take. */
export interface ActivationOptions {
  /** Slope of `leakyRelu` below 0, > 0; default 0.01. */
  readonly slope?: number;
  /** `elu` approaches -alpha at -∞; > 0; default 1. */
  readonly alpha?: number;
}

/** @internal The option that `name` has, if any, its value (the default filled in), and both as they go into a description. */
export function activationNumber(name: ActivationName, options: ActivationOptions, where: string) {
  const option = name === "leakyRelu" ? "slope" : name === "elu" ? "alpha" : undefined;
  if (option === undefined) return { known: [], value: 0, described: {} };
  const value = positiveNumber(where, option, options[option] ?? ops.defaultSlopes[name as ops.Activation]);
  return { known: [option], value, described: { [option]: value } };
}

function activation(name: ops.Activation, options: ActivationOptions): Layer {
  checkOptions(name, options, ["slope", "alpha"]); // that it is an object, before one of them is read
  const { known, value, described } = activationNumber(name, options, name);
  checkOptions(name, options, known);
  return layer(name, (input) => ops.activation(input, name, value), described);
}

function layer(type: string, call: (input: Tensor) => Tensor, options: { readonly [key: string]: Json } = {}): Layer {
  return { type, options, call };
}

type NoOptions = Readonly<Record<string, never>>;
const plain =
  (name: ops.Activation) =>
  (options: NoOptions = {}) =>
    activation(name, options);

/** `max(0, x)`, with derivative 0 at 0. `relu(x)` computes; `relu()` makes a layer. */
export const relu = overload(ops.relu, plain("relu"));
/** `x` above 0, `slope · x` below. `leakyRelu(x, { slope })` computes; `leakyRelu({ slope })` makes a layer; slope is 0.01 by default. */
export const leakyRelu = overload(ops.leakyRelu, (options: Pick<ActivationOptions, "slope"> = {}) =>
  activation("leakyRelu", options),
);
/** `x` above 0, `alpha · (eˣ - 1)` below. `elu(x, { alpha })` computes; `elu({ alpha })` makes a layer; alpha is 1 by default. */
export const elu = overload(ops.elu, (options: Pick<ActivationOptions, "alpha"> = {}) => activation("elu", options));
/** `1 / (1 + e⁻ˣ)`. `sigmoid(x)` computes; `sigmoid()` makes a layer. */
export const sigmoid = overload(ops.sigmoid, plain("sigmoid"));
/** Hyperbolic tangent. `tanh(x)` computes; `tanh()` makes a layer. */
export const tanh = overload(ops.tanh, plain("tanh"));
/** `ln(1 + eˣ)`. `softplus(x)` computes; `softplus()` makes a layer. */
export const softplus = overload(ops.softplus, plain("softplus"));
/** `x · sigmoid(x)`, also called SiLU. `swish(x)` computes; `swish()` makes a layer. */
export const swish = overload(ops.swish, plain("swish"));
/** `x · Φ(x)` with the exact normal distribution function. `gelu(x)` computes; `gelu()` makes a layer. */
export const gelu = overload(ops.gelu, plain("gelu"));
/** `eˣ / Σ eˣ` over the last axis. `softmax(x)` computes; `softmax()` makes a layer. */
export const softmax = overload(softmaxOp, (options: NoOptions = {}) => {
  checkOptions("softmax", options, []);
  return layer("softmax", softmaxOp);
});
/** 1 for the largest of the last axis, 0 for the others, for predictions only: no gradient flows. `hardmax(x)` computes; `hardmax()` makes a layer. */
export const hardmax = overload(hardmaxOp, (options: NoOptions = {}) => {
  checkOptions("hardmax", options, []);
  return layer("hardmax", hardmaxOp);
});
