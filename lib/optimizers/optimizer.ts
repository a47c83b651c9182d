// What every optimizer does around its update rule: state per parameter, the step count, clipping. The rules are beside this file.
import { add, div, minimum, mul } from "../ops/binary.js";
import { gradients } from "../ops/gradient.js";
import { assertFinite } from "../ops/guard.js";
import { tick } from "../ops/random.js";
import { squaredNorm } from "../ops/reduce.js";
import { clip, sqrt } from "../ops/unary.js";
import { SimdnnError } from "../errors.js";
import { Made } from "../made.js";
import { isArray, checkOptions, positiveNumber, wrongValue } from "../options.js";
import {
  describeLearningRate,
  resolveLearningRate,
  type LearningRate,
  type LearningRateConfig,
  type Schedule,
} from "../schedules.js";
import { currentTape } from "../tape.js";
import { checkTensor, tensor, zeros, type Tensor } from "../tensor.js";

export interface ClippingOptions {
  /** Every gradient is cut to [-clipValue, clipValue]. */
  readonly clipValue?: number;
  /** All gradients are scaled together so that their joint Euclidean norm is at most this. */
  readonly globalClipNorm?: number;
}

export interface OptimizerOptions extends ClippingOptions {
  /** A number, or a schedule such as `cosineDecay({ initial: 1e-3, over: 1000 })`: a function of the step and the epoch. */
  readonly learningRate?: LearningRate;
}

/** The formula of one optimizer. */
export interface UpdateRule {
  readonly name: string;
  /** Everything that made it, with defaults filled in. */
  readonly options: OptimizerOptions & {
    readonly learningRate: LearningRate;
    readonly [option: string]: number | boolean | Schedule | undefined;
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

/** Changes parameters step by step so that a cost falls. Holds the state that the rule needs and counts the steps, so it belongs to the parameters it is first used on. */
export class Optimizer extends Made {
  readonly name: string;
  readonly options: UpdateRule["options"];
  /** Learning rate of the last step, or of the next one where there is no schedule; a tensor so that it can change without recording again. */
  readonly learningRate: Tensor;
  /** Epochs done, which schedules are told. fit() counts them; a loop written by hand may. */
  epoch = 0;
  /** Steps taken. */
  readonly iterations: Tensor;
  private schedule: Schedule | undefined;
  private readonly slots = new Map<Tensor, readonly Tensor[]>();

  /** @internal */
  constructor(private readonly rule: UpdateRule) {
    super();
    this.name = rule.name;
    this.options = rule.options;
    this.learningRate = tensor(0, { dtype: "float64", name: `${rule.name}.learningRate` });
    this.iterations = zeros({ shape: [], dtype: "int32" }, { name: `${rule.name}.iterations` });
    this.setLearningRate(rule.options.learningRate);
  }

  /**
   * Changes the learning rate from the next step on, also of steps that are captured already; a number ends a schedule.
   *
   * @throws OptionError unless it is a positive number or a schedule; BusyError while a step runs
   *
   * @example
   * ```ts
   * const byHand: Callback = {
   *   onEpochEnd: (epoch, { loss }, { model }) => {
   *     if (loss! < 0.1) model.optimizer.setLearningRate(1e-4);
   *   },
   * };
   * ```
   */
  setLearningRate(rate: LearningRate): void {
    const checked = resolveLearningRate(this.name, "learningRate", rate);
    this.schedule = typeof checked === "function" ? checked : undefined;
    this.learningRate.write()[0] = typeof checked === "number" ? checked : this.scheduled(checked, 0);
  }

  /** Whether a schedule decides the learning rate. */
  get hasSchedule(): boolean {
    return this.schedule !== undefined;
  }

  /** One with the same options and learning rate that has taken no steps. */
  fresh(): Optimizer {
    const learningRate = this.schedule ?? this.learningRate.item();
    return new Optimizer({ ...this.rule, options: { ...this.options, learningRate } });
  }

  /** @internal What a file says about it: with the rate as it is now, unless a schedule of the library's makes it. */
  get config(): { name: string; options: Readonly<Record<string, unknown>> & { learningRate: LearningRateConfig } } {
    const rate = (this.schedule && describeLearningRate(this.schedule)) ?? this.learningRate.item();
    return { name: this.name, options: { ...this.options, learningRate: rate } };
  }

  /**
   * One step of descent: gradients of `cost`, clipping if asked for, and the update of `parameters` in place.
   *
   * @throws NonFiniteError when the cost is NaN or infinite; the parameters are then as they were before the step
   * @throws GradientError when the cost does not depend on one of the parameters; StateError when it belongs to other parameters
   */
  minimize(cost: Tensor, parameters: readonly Tensor[]): void {
    const computed = gradients(cost, parameters);
    assertFinite(cost);
    this.apply(parameters, computed);
  }

  /**
   * Updates `parameters` with gradients computed elsewhere.
   *
   * @throws OptionError unless there is one gradient per parameter and every parameter is named once; StateError when it belongs to other parameters
   */
  apply(parameters: readonly Tensor[], given: readonly Tensor[]): void {
    if (!isArray(parameters)) throw wrongValue(this.name, "parameters", "an array of tensors", parameters);
    if (!isArray(given)) throw wrongValue(this.name, "gradients", "an array of tensors", given);
    parameters.forEach((parameter, i) => checkTensor(this.name, `parameters[${i}]`, parameter));
    given.forEach((gradient, i) => checkTensor(this.name, `gradients[${i}]`, gradient));
    if (given.length !== parameters.length)
      throw wrongValue(this.name, "gradients", `${parameters.length}, one per parameter,`, given.length);
    const twice = parameters.find((parameter, i) => parameters.indexOf(parameter) !== i);
    if (twice) throw wrongValue(this.name, "parameters", "every parameter once", twice.label);
    const strange = this.slots.size === 0 ? undefined : parameters.find((parameter) => !this.slots.has(parameter));
    if (strange)
      throw new SimdnnError(
        "StateError",
        `${this.name}: its steps and averages belong to other parameters than "${strange.label}"; make an optimizer for each set of parameters`,
        { where: this.name },
      );
    const clipped = clipGradients(given, this.options);
    const rate = (ahead: number): number | undefined => this.schedule && this.scheduled(this.schedule, ahead);
    const tape = currentTape();
    if (tape) tape.feed(this.learningRate, rate);
    else if (this.schedule) this.learningRate.write()[0] = rate(0)!;
    const step = tick(this.iterations);
    parameters.forEach((parameter, i) => {
      const context = { learningRate: this.learningRate, step };
      this.rule.update(parameter, clipped[i]!, this.slotsOf(parameter), context);
    });
  }

  /** @internal Goes on with the state of another; the learning rate, iterations and slots are written by the caller. */
  resume({ epoch, scheduled }: { readonly epoch: number; readonly scheduled: boolean }): void {
    this.epoch = epoch;
    if (!scheduled) this.schedule = undefined;
  }

  private scheduled(schedule: Schedule, ahead: number): number {
    const step = this.iterations.item() + ahead;
    const rate = schedule(step, this.epoch);
    if (typeof rate === "number" && rate >= 0 && rate < Infinity) return rate;
    const expected = `a number >= 0 from the schedule at step ${step}, epoch ${this.epoch},`;
    throw wrongValue(this.name, "learningRate", expected, rate);
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
  for (const key of ["clipValue", "globalClipNorm"] as const)
    if (options[key] !== undefined) positiveNumber(where, key, options[key]);
  if (options.learningRate !== undefined) resolveLearningRate(where, "learningRate", options.learningRate);
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
