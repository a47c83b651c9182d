// What every optimizer does around its update rule: state per parameter, the step count, clipping. The rules are beside this file.
import { add, div, minimum, mul } from "../ops/binary.js";
import { gradients } from "../ops/gradient.js";
import { assertFinite } from "../ops/guard.js";
import { tick } from "../ops/random.js";
import { squaredNorm } from "../ops/reduce.js";
import { clip, sqrt } from "../ops/unary.js";
import { checkOptions, positiveNumber } from "../options.js";
import { tensor, zeros, type Tensor } from "../tensor.js";

export interface ClippingOptions {
  /** Every gradient is cut to [-clipValue, clipValue]. */
  readonly clipValue?: number;
  /** All gradients are scaled together so that their joint Euclidean norm is at most this. */
  readonly globalClipNorm?: number;
}

export interface OptimizerOptions extends ClippingOptions {
  readonly learningRate?: number;
}

/** The formula of one optimizer. */
export interface UpdateRule {
  readonly name: string;
  /** Everything that made it, with defaults filled in. */
  readonly options: OptimizerOptions & {
    readonly learningRate: number;
    readonly [option: string]: number | boolean | undefined;
  };
  /** Names of the tensors it keeps per parameter, all zero at first. */
  readonly slots: readonly string[];
  /** Applies the update op; `step` counts from 0. */
  update(
    parameter: Tensor,
    gradient: Tensor,
    slots: readonly Tensor[],
    context: { readonly learningRate: Tensor; readonly step: Tensor },
  ): void;
}

/** Changes parameters step by step so that a cost falls. Holds the state that the rule needs, so use one per set of parameters. */
export class Optimizer {
  readonly name: string;
  readonly options: UpdateRule["options"];
  /** Learning rate, a tensor so that it can change without recording again. */
  readonly learningRate: Tensor;
  /** Steps taken. */
  readonly iterations: Tensor;
  private readonly slots = new Map<Tensor, readonly Tensor[]>();

  /** @internal */
  constructor(private readonly rule: UpdateRule) {
    this.name = rule.name;
    this.options = rule.options;
    this.learningRate = tensor(rule.options.learningRate, { dtype: "float64", name: `${rule.name}.learningRate` });
    this.iterations = zeros({ shape: [], dtype: "int32" }, { name: `${rule.name}.iterations` });
  }

  /**
   * One step of descent: gradients of `cost`, clipping if asked for, and the update of `parameters` in place.
   *
   * @throws NonFiniteError when the cost is NaN or infinite; the parameters are then as they were before the step
   * @throws GradientError when the cost does not depend on one of the parameters
   */
  minimize(cost: Tensor, parameters: readonly Tensor[]): void {
    const computed = gradients(cost, parameters);
    assertFinite(cost);
    this.apply(parameters, computed);
  }

  /** Updates `parameters` with gradients computed elsewhere. */
  apply(parameters: readonly Tensor[], given: readonly Tensor[]): void {
    const clipped = clipGradients(given, this.options);
    const step = tick(this.iterations);
    parameters.forEach((parameter, i) => {
      const context = { learningRate: this.learningRate, step };
      this.rule.update(parameter, clipped[i]!, this.slotsOf(parameter), context);
    });
  }

  /** @internal The tensors kept for `parameter`, in the order of the rule's slots. */
  slotsOf(parameter: Tensor): readonly Tensor[] {
    const known = this.slots.get(parameter);
    if (known) return known;
    const made = this.rule.slots.map((slot) => zeros(parameter, { name: `${parameter.label}.${slot}` }));
    this.slots.set(parameter, made);
    return made;
  }

  /** @internal */
  get slotNames(): readonly string[] {
    return this.rule.slots;
  }
}

/** Checks the options that all optimizers share. */
export function checkOptimizerOptions(where: string, options: OptimizerOptions, known: readonly string[]): void {
  checkOptions(where, options, ["learningRate", "clipValue", "globalClipNorm", ...known]);
  for (const key of ["learningRate", "clipValue", "globalClipNorm"] as const)
    if (options[key] !== undefined) positiveNumber(where, key, options[key]);
}

function clipGradients(
  gradients: readonly Tensor[],
  { clipValue, globalClipNorm }: ClippingOptions,
): readonly Tensor[] {
  let clipped = gradients;
  if (clipValue !== undefined) clipped = clipped.map((gradient) => clip(gradient, -clipValue, clipValue));
  if (globalClipNorm !== undefined && clipped.length > 0) {
    const norm = sqrt(clipped.map((gradient) => squaredNorm(gradient)).reduce(add));
    const scale = minimum(div(globalClipNorm, norm), 1); // no gradient at all: limit / 0 is infinite, and the scale 1
    clipped = clipped.map((gradient) => mul(gradient, scale));
  }
  return clipped;
}
