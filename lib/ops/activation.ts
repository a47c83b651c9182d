// Activation functions: one op whose attribute says which. Softmax, which looks at a whole row, is softmax.ts.
import { apply1, defineOp, type Sample } from "../op.js";
import { oneOf, checkOptions, positiveNumber } from "../options.js";
import type { Tensor } from "../tensor.js";
import { elementShapes, float, savedRange } from "./samples.js";
import { alike } from "./shapes.js";

/** Activation functions, in the order of `Activation` in native/kernel.h. */
export const activations = ["linear", "relu", "leakyRelu", "elu", "sigmoid", "tanh", "softplus", "swish", "gelu"] as const; // prettier-ignore
/** `linear` is no function at all; `swish` is also known as SiLU. */
export type Activation = (typeof activations)[number];

type Attrs = { readonly kind: Activation; readonly slope: number };

/** @internal The slope for negative inputs of the functions that have one: leakyRelu's factor, elu's alpha. */
export const defaultSlopes: Partial<Record<Activation, number>> = { leakyRelu: 0.01, elu: 1 };

/** @internal Whether g'(x) can be told from g(x), so that the input need not be kept. */
export function derivesFromOutput(kind: Activation): boolean {
  return kind !== "swish" && kind !== "gelu";
}

const kinds: readonly Attrs[] = activations.flatMap((kind) => {
  const slope = defaultSlopes[kind];
  return slope === undefined ? [{ kind, slope: 0 }] : [{ kind, slope }, { kind, slope: 0.3 }]; // prettier-ignore
});

const record = defineOp<Attrs>({
  name: "activation",
  operands: ["input"],
  attrs: { kind: activations, slope: "number" },
  // The user called relu(), not activation().
  shape: (operands, { kind }) => alike(kind, ["input"])(operands),
  vjp: ({ operands: [x], outputs: [y], attrs }, [dout]) => [
    apply1(gradRecord, [dout!, derivesFromOutput(attrs.kind) ? y! : x!], attrs),
  ],
  inPlace: [0],
  epilogue: (_, { kind, slope }) => ({ activation: kind, slope }),
  samples: () => kinds.flatMap((attrs) => elementShapes.map((shape) => ({ operands: [float(shape, [-4, 4])], attrs }))),
});

const gradRecord = defineOp<Attrs>({
  name: "activationGrad",
  operands: ["dout", "saved"],
  attrs: { kind: activations, slope: "number" },
  shape: alike("activationGrad", ["dout", "saved"]),
  vjp: "missing",
  inPlace: [0, 1],
  samples: () =>
    kinds.flatMap((attrs) =>
      elementShapes.map((shape): Sample<Attrs> => ({
        operands: [float(shape), float(shape, savedRange(attrs.kind, attrs.slope))],
        attrs,
      })),
    ),
});

/** Runs any of the activation functions: `input`, of any shape, to an output like it. */
export function activation(x: Tensor, kind: Activation, slope?: number): Tensor {
  oneOf("activation", "kind", kind, activations);
  slope ??= defaultSlopes[kind] ?? 0;
  return kind === "linear" ? x : apply1(record, [x], { kind, slope });
}

/**
 * `max(0, x)`, element by element. Its gradient at 0 is 0.
 *
 * @throws DTypeError for integers, as all activation functions
 *
 * @example
 * ```ts
 * relu(tensor([-1, 2])).data(); // [0, 2]
 * ```
 */
export function relu(x: Tensor): Tensor {
  return activation(x, "relu");
}

/**
 * `x` where it is positive, else `slope x`.
 *
 * @param options - `slope` > 0, by default 0.01
 * @throws OptionError unless the slope is positive
 *
 * @example
 * ```ts
 * leakyRelu(tensor([-1, 2]), { slope: 0.1 }).data(); // [-0.1, 2]
 * ```
 */
export function leakyRelu(x: Tensor, options: { readonly slope?: number } = {}): Tensor {
  checkOptions("leakyRelu", options, ["slope"]);
  return activation(x, "leakyRelu", positiveNumber("leakyRelu", "slope", options.slope ?? defaultSlopes.leakyRelu));
}

/**
 * `x` where it is positive, else `alpha (eˣ - 1)`. Largest error in float32: 0.96 ULP for alpha = 1.
 *
 * @param options - `alpha` > 0, by default 1
 * @throws OptionError unless alpha is positive
 *
 * @example
 * ```ts
 * elu(tensor([-1, 2])).data(); // [-0.632…, 2]
 * ```
 */
export function elu(x: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  checkOptions("elu", options, ["alpha"]);
  return activation(x, "elu", positiveNumber("elu", "alpha", options.alpha ?? defaultSlopes.elu));
}

/**
 * `1 / (1 + e⁻ˣ)`. Largest error in float32: 2.41 ULP.
 *
 * @example
 * ```ts
 * sigmoid(tensor([0])).data(); // [0.5]
 * ```
 */
export function sigmoid(x: Tensor): Tensor {
  return activation(x, "sigmoid");
}

/**
 * Hyperbolic tangent. Largest error in float32: 2.5 ULP.
 *
 * @example
 * ```ts
 * tanh(tensor([0, 1])).data(); // [0, 0.761…]
 * ```
 */
export function tanh(x: Tensor): Tensor {
  return activation(x, "tanh");
}

/**
 * `log(1 + eˣ)`, without overflow. Largest error in float32: 1.71 ULP.
 *
 * @example
 * ```ts
 * softplus(tensor([0, 100])).data(); // [0.693…, 100]
 * ```
 */
export function softplus(x: Tensor): Tensor {
  return activation(x, "softplus");
}

/**
 * `x sigmoid(x)`, also called SiLU. Largest error in float32: 3.2 ULP for |x| <= 80.
 *
 * @example
 * ```ts
 * swish(tensor([0, 1])).data(); // [0, 0.731…]
 * ```
 */
export function swish(x: Tensor): Tensor {
  return activation(x, "swish");
}

/**
 * `x Φ(x)` with the normal distribution Φ, exactly (not the approximation by tanh). Largest error in float32: 6.1 ULP for x >= -12.9, below which Φ(x) becomes denormal.
 *
 * @example
 * ```ts
 * gelu(tensor([0, 1])).data(); // [0, 0.841…]
 * ```
 */
export function gelu(x: Tensor): Tensor {
  return activation(x, "gelu");
}
