// Steps of optimizers, which change a parameter and its state in place, and plain assignment. Optimizers themselves are in optimizers/.
import { dtypeError, shapeError } from "../errors.js";
import { apply, defineOp, type AttrType, type Attrs, type Op, type Sample } from "../op.js";
import { isFloat, type Spec, type Tensor } from "../tensor.js";
import type { NoAttrs } from "./constant.js";
import { counter, float, learningRate } from "./samples.js";
import { alike, notes, sameShape } from "./shapes.js";

/** A record whose first `tensors` operands are alike (target, source, state) and all but the source are written to. */
function inPlace<A extends Attrs>(
  name: string,
  operands: readonly string[],
  tensors: number,
  attrs: { readonly [K in keyof A]: AttrType },
  values: readonly A[],
  more: Partial<Op<A>> = {},
): Op<A> {
  const rule = alike(name, operands);
  const scalars = [learningRate, counter];
  return defineOp<A>({
    name,
    operands,
    attrs,
    shape: (specs) => {
      rule(specs.slice(0, tensors));
      checkScalars(name, operands, specs, tensors);
      return [];
    },
    vjp: "none",
    effects: Array.from({ length: tensors }, (_, i) => i).filter((i) => i !== 1),
    samples: () =>
      values.flatMap((attrs) =>
        [[], [0], [1], [7], [8], [17], [3, 5], [67], [130]].map((shape): Sample<A> => ({
          // State behind the gradient is a mean of squares in some, so keep it positive.
          operands: [
            ...Array.from({ length: tensors }, (_, i) => float(shape, i < 2 ? undefined : [0.1, 1])),
            ...scalars.slice(0, operands.length - tensors),
          ],
          attrs,
        })),
      ),
    ...more,
  });
}

/** The record of an optimizer's step: of a parameter, its gradient, and `tensors - 2` tensors of state. */
function update<A extends Attrs>(
  name: string,
  operands: readonly string[],
  tensors: number,
  attrs: { readonly [K in keyof A]: AttrType },
  values: readonly A[],
): Op<A> {
  return inPlace(name, operands, tensors, attrs, values, { update: true });
}

function checkScalars(name: string, labels: readonly string[], specs: readonly Spec[], from: number): void {
  const [rate, step] = specs.slice(from);
  if (specs.slice(from).some(({ shape }) => shape.length > 0))
    throw shapeError(name, `${labels.slice(from).join(" and ")} must be scalars`, notes(labels, specs));
  if (!isFloat(rate!.dtype) || (step && step.dtype !== "int32"))
    throw dtypeError(name, "expected a floating-point learning rate and an int32 step", notes(labels, specs));
}

/** β of {@link momentum}, and which of its forms. */
export type MomentumAttrs = { readonly beta: number; readonly damped: boolean; readonly nesterov: boolean };
/** ρ and ε of {@link rmsprop}. */
export type RmspropAttrs = { readonly rho: number; readonly epsilon: number };
/** β₁, β₂, ε and decoupled weight decay of {@link adam}. */
export type AdamAttrs = {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
};

/** ε of {@link adagrad}. */
export type AdagradAttrs = { readonly epsilon: number };
/** β₁, β₂, ε and ψ of {@link nadam}. */
export type NadamAttrs = Omit<AdamAttrs, "weightDecay"> & { readonly momentumDecay: number };
/** β₁, β₂ and decoupled weight decay of {@link lion}. */
export type LionAttrs = { readonly beta1: number; readonly beta2: number; readonly weightDecay: number };

const adamValues = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

const records = {
  lerp: inPlace<NoAttrs>("lerp", ["target", "source", "share"], 2, {}, [{}]),
  sgd: update<NoAttrs>("sgd", ["parameter", "gradient", "learningRate"], 2, {}, [{}]),
  momentum: update<MomentumAttrs>(
    "momentum",
    ["parameter", "gradient", "velocity", "learningRate"],
    3,
    { beta: "number", damped: "boolean", nesterov: "boolean" },
    [true, false].flatMap((damped) => [true, false].map((nesterov) => ({ beta: 0.9, damped, nesterov }))),
  ),
  rmsprop: update<RmspropAttrs>(
    "rmsprop",
    ["parameter", "gradient", "meanSquare", "learningRate"],
    3,
    { rho: "number", epsilon: "number" },
    [{ rho: 0.9, epsilon: 1e-8 }, { rho: 0.5, epsilon: 0.1 }], // prettier-ignore
  ),
  adam: update<AdamAttrs>(
    "adam",
    ["parameter", "gradient", "firstMoment", "secondMoment", "learningRate", "step"],
    4,
    { beta1: "number", beta2: "number", epsilon: "number", weightDecay: "number" },
    [adamValues, { ...adamValues, weightDecay: 0.1 }, { ...adamValues, beta1: 0.5, beta2: 0.9, epsilon: 0.01 }], // prettier-ignore
  ),
  adagrad: update<AdagradAttrs>(
    "adagrad",
    ["parameter", "gradient", "squares", "learningRate"],
    3,
    { epsilon: "number" },
    [{ epsilon: 1e-10 }, { epsilon: 0.1 }], // prettier-ignore
  ),
  nadam: update<NadamAttrs>(
    "nadam",
    ["parameter", "gradient", "firstMoment", "secondMoment", "learningRate", "step"],
    4,
    { beta1: "number", beta2: "number", epsilon: "number", momentumDecay: "number" },
    [
      { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentumDecay: 0.004 },
      { beta1: 0.5, beta2: 0.9, epsilon: 0.01, momentumDecay: 0 },
    ],
  ),
  lion: update<LionAttrs>(
    "lion",
    ["parameter", "gradient", "firstMoment", "learningRate"],
    3,
    { beta1: "number", beta2: "number", weightDecay: "number" },
    [{ beta1: 0.9, beta2: 0.99, weightDecay: 0 }, { beta1: 0.5, beta2: 0.75, weightDecay: 0.1 }], // prettier-ignore
  ),
};

const assignLabels = ["target", "source"];

const assignRecord = defineOp<NoAttrs>({
  name: "assign",
  operands: assignLabels,
  attrs: {},
  shape: (operands) => {
    const [target, source] = operands as [Spec, Spec];
    if (target.dtype !== source.dtype)
      throw dtypeError(
        "assign",
        "target and source must have one dtype; convert with cast()",
        notes(assignLabels, operands),
      );
    if (!sameShape(target.shape, source.shape))
      throw shapeError("assign", "target and source must have the same shape", notes(assignLabels, operands));
    return [];
  },
  vjp: "none",
  effects: [0],
  samples: () => [[], [0], [1], [7], [3, 17]].map((shape) => ({ operands: [float(shape), float(shape)], attrs: {} })),
});

/**
 * Gradient descent: `p -= learningRate · g`, in place.
 *
 * @param parameter - of any shape; the gradient, and the state of the other functions here, are like it
 * @param rate - scalar; as a tensor it can differ from step to step of a captured function
 * @throws ShapeError or DTypeError when they do not fit together; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * const p = parameter([1]);
 * sgd(p, tensor([2]), tensor(0.25));
 * p.data(); // [0.5]
 * ```
 */
export function sgd(parameter: Tensor, gradient: Tensor, rate: Tensor): void {
  apply(records.sgd, [parameter, gradient, rate], {});
}

/**
 * Linear interpolation, in place: `target += share · (source - target)`. A step of an exponentially weighted average.
 *
 * @param share - scalar, of either precision
 * @throws ShapeError or DTypeError when they do not fit together
 *
 * @example
 * ```ts
 * const average = tensor([1]);
 * lerp(average, tensor([3]), tensor(0.25));
 * average.data(); // [1.5]
 * ```
 */
export function lerp(target: Tensor, source: Tensor, share: Tensor): void {
  apply(records.lerp, [target, source, share], {});
}

/**
 * Gradient descent with momentum, in place: `v = β v + d g` and `p -= learningRate · v`, or with Nesterov's look ahead
 * `p -= learningRate (β v + d g)`. `d` is `1 - β` when damped, else 1.
 *
 * @throws ShapeError or DTypeError when they do not fit together; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * const p = parameter([1]), velocity = tensor([0]);
 * momentum(p, tensor([2]), velocity, tensor(0.25), { beta: 0.9, damped: false, nesterov: false });
 * velocity.data(); // [2]
 * ```
 */
export function momentum(
  parameter: Tensor,
  gradient: Tensor,
  velocity: Tensor,
  rate: Tensor,
  options: MomentumAttrs,
): void {
  apply(records.momentum, [parameter, gradient, velocity, rate], options);
}

/**
 * RMSprop, in place: `s = ρ s + (1 - ρ) g²` and `p -= learningRate · g / (√s + ε)`.
 *
 * @throws ShapeError or DTypeError when they do not fit together; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * const p = parameter([1]), meanSquare = tensor([0]);
 * rmsprop(p, tensor([2]), meanSquare, tensor(0.1), { rho: 0.75, epsilon: 1e-8 });
 * meanSquare.data(); // [1]
 * ```
 */
export function rmsprop(
  parameter: Tensor,
  gradient: Tensor,
  meanSquare: Tensor,
  rate: Tensor,
  options: RmspropAttrs,
): void {
  apply(records.rmsprop, [parameter, gradient, meanSquare, rate], options);
}

/**
 * Adam, in place, in PyTorch's form; with `weightDecay` AdamW. With t = step + 1:
 * `p -= learningRate · weightDecay · p`, `m = β₁ m + (1 - β₁) g`, `v = β₂ v + (1 - β₂) g²`,
 * `p -= learningRate · m/(1 - β₁ᵗ) / (√(v/(1 - β₂ᵗ)) + ε)`.
 *
 * @param step - int32 scalar, counted from 0
 * @throws ShapeError or DTypeError when they do not fit together; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * const p = parameter([1]), m = tensor([0]), v = tensor([0]), step = tensor(0, { dtype: "int32" });
 * adam(p, tensor([2]), m, v, tensor(0.1), step, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
 * p.data(); // [0.9]
 * ```
 */
export function adam(
  parameter: Tensor,
  gradient: Tensor,
  firstMoment: Tensor,
  secondMoment: Tensor,
  rate: Tensor,
  step: Tensor,
  options: AdamAttrs,
): void {
  apply(records.adam, [parameter, gradient, firstMoment, secondMoment, rate, step], options); // prettier-ignore
}

/**
 * Adagrad, in place: `s = s + g²` and `p -= learningRate · g / (√s + ε)`.
 *
 * @throws ShapeError or DTypeError when they do not fit together; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * const p = parameter([1]), squares = tensor([0]);
 * adagrad(p, tensor([2]), squares, tensor(0.25), { epsilon: 1e-10 });
 * p.data(); // [0.75]
 * ```
 */
export function adagrad(
  parameter: Tensor,
  gradient: Tensor,
  squares: Tensor,
  rate: Tensor,
  options: AdagradAttrs,
): void {
  apply(records.adagrad, [parameter, gradient, squares, rate], options);
}

/**
 * Nadam, in place, in PyTorch's form. With t = step + 1, the moments of {@link adam}, `μₜ = β₁ (1 - ½ · 0.96^(ψ t))` and Mₜ the product of μ up to t:
 * `p -= learningRate · ((1 - μₜ) g / (1 - Mₜ) + μₜ₊₁ m / (1 - Mₜ₊₁)) / (√(v/(1 - β₂ᵗ)) + ε)`.
 *
 * @param step - int32 scalar, counted from 0
 * @throws ShapeError or DTypeError when they do not fit together; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * const p = parameter([1]), m = tensor([0]), v = tensor([0]), step = tensor(0, { dtype: "int32" });
 * nadam(p, tensor([2]), m, v, tensor(0.1), step, { beta1: 0.5, beta2: 0.999, epsilon: 1e-8, momentumDecay: 0 });
 * p.data(); // [0.886666…]: μ is 0.25, so the sum is 0.75 · 2 / 0.75 + 0.25 · 1 / 0.9375
 * ```
 */
export function nadam(
  parameter: Tensor,
  gradient: Tensor,
  firstMoment: Tensor,
  secondMoment: Tensor,
  rate: Tensor,
  step: Tensor,
  options: NadamAttrs,
): void {
  apply(records.nadam, [parameter, gradient, firstMoment, secondMoment, rate, step], options); // prettier-ignore
}

/**
 * Lion, in place: `p -= learningRate · (sign(β₁ m + (1 - β₁) g) + weightDecay · p)`, then `m = β₂ m + (1 - β₂) g`.
 *
 * @throws ShapeError or DTypeError when they do not fit together; NonFiniteError for what would become NaN or infinite, which stays as it was
 *
 * @example
 * ```ts
 * const p = parameter([1]), m = tensor([0]);
 * lion(p, tensor([2]), m, tensor(0.25), { beta1: 0.9, beta2: 0.75, weightDecay: 0 });
 * [p.item(), m.item()]; // [0.75, 0.5]
 * ```
 */
export function lion(parameter: Tensor, gradient: Tensor, firstMoment: Tensor, rate: Tensor, options: LionAttrs): void {
  apply(records.lion, [parameter, gradient, firstMoment, rate], options);
}

/**
 * `target = source`, in place.
 *
 * @throws ShapeError or DTypeError unless both have one shape and dtype
 *
 * @example
 * ```ts
 * const target = tensor([0]);
 * assign(target, tensor([5]));
 * target.data(); // [5]
 * ```
 */
export function assign(target: Tensor, source: Tensor): void {
  apply(assignRecord, [target, source], {});
}
