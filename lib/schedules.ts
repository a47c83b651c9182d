// Learning-rate schedules: plain functions of the step and the epoch. Feeding the rate to a running program is the optimizer's business.
import type { Json } from "./layers/layer.js";
import {
  bool,
  fraction,
  isArray,
  isFunction,
  isObject,
  nonNegativeNumber,
  oneOf,
  positiveNumber,
  requireOptions,
  wrongValue,
} from "./options.js";

/**
 * The learning rate of a step: `step` and `epoch` count from 0 and are those that are done, also over several fits. Any function of them will do;
 * those of this file can also be saved with a model.
 *
 * @example
 * ```ts
 * const halved: Schedule = (step, epoch) => 0.1 * 0.5 ** epoch;
 * sgd({ learningRate: halved });
 * ```
 */
export interface Schedule {
  (step: number, epoch: number): number;
  /** Names the kind, in files. */
  readonly type?: string;
  /** What made it; with `type`, enough to make it again. */
  readonly options?: { readonly [key: string]: Json };
}

/** What an optimizer takes as its learning rate. */
export type LearningRate = number | Schedule;

export interface PerOptions {
  /** What is counted: "step" or "epoch". */
  readonly per?: "step" | "epoch";
}

export interface DecayOptions extends PerOptions {
  /** The first rate, α₀ > 0. */
  readonly initial: number;
  /** How many steps or epochs count as one; default 1. */
  readonly every?: number;
  /** Round the count down, so that the rate falls in steps; default false. */
  readonly staircase?: boolean;
  /** The count of the first step or epoch; default 0, so that it has the rate α₀. Some courses count from 1. */
  readonly countFrom?: 0 | 1;
}

const decayOptions = ["initial", "per", "every", "staircase", "countFrom"];

/**
 * Inverse time: `α₀ / (1 + decay · n)`, with n the epochs (default) or steps done.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * inverseTimeDecay({ initial: 0.2, decay: 1 })(0, 1);               // 0.1
 * inverseTimeDecay({ initial: 0.2, decay: 1, countFrom: 1 })(0, 3); // 0.04
 * ```
 */
export function inverseTimeDecay(options: DecayOptions & { readonly decay: number }): Schedule {
  const { initial, count } = decaying("inverseTimeDecay", options, ["decay"]);
  const decay = nonNegativeNumber("inverseTimeDecay", "decay", options.decay);
  return made("inverseTimeDecay", options, (step, epoch) => initial / (1 + decay * count(step, epoch)));
}

/**
 * Exponential: `α₀ · rateⁿ`, with n the epochs (default) or steps done. With `staircase` and `every`, a rate that falls at once every so often.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * exponentialDecay({ initial: 1, rate: 0.95 })(0, 2);                             // 0.9025
 * exponentialDecay({ initial: 1, rate: 0.5, every: 10, staircase: true })(0, 19); // 0.5
 * ```
 */
export function exponentialDecay(options: DecayOptions & { readonly rate?: number }): Schedule {
  const { initial, count } = decaying("exponentialDecay", options, ["rate"]);
  const rate = positiveNumber("exponentialDecay", "rate", options.rate ?? 0.95);
  return made("exponentialDecay", { ...options, rate }, (step, epoch) => initial * rate ** count(step, epoch));
}

/**
 * Inverse root: `k / √n · α₀`, with n the epochs (default) or the steps (mini-batches) counted from 1.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * rootDecay({ initial: 0.2 })(0, 3);              // 0.1
 * rootDecay({ initial: 0.2, per: "step" })(3, 0); // 0.1
 * ```
 */
export function rootDecay(options: PerOptions & { readonly initial: number; readonly k?: number }): Schedule {
  const where = "rootDecay";
  requireOptions(where, options, ["initial", "per", "k"]);
  const count = counter(where, options.per ?? "epoch");
  const top = positiveNumber(where, "k", options.k ?? 1) * positiveNumber(where, "initial", options.initial);
  return made(where, options, (step, epoch) => top / Math.sqrt(count(step, epoch) + 1));
}

/**
 * Constant pieces: `rates[i]` until `boundaries[i]` epochs (default) or steps are done, the last rate from then on, as in PyTorch's MultiStepLR.
 * (Keras's PiecewiseConstantDecay changes one step later.)
 *
 * @throws OptionError unless the boundaries grow and there is one rate more than boundaries
 *
 * @example
 * ```ts
 * const rate = piecewiseConstant({ boundaries: [10, 20], rates: [0.1, 0.01, 0.001] });
 * [rate(0, 9), rate(0, 10), rate(0, 99)]; // [0.1, 0.01, 0.001]
 * ```
 */
export function piecewiseConstant(
  options: PerOptions & { readonly boundaries: readonly number[]; readonly rates: readonly number[] },
): Schedule {
  const where = "piecewiseConstant";
  requireOptions(where, options, ["boundaries", "rates", "per"]);
  const { boundaries, rates } = options;
  if (!isArray(boundaries) || boundaries.some((at, i) => typeof at !== "number" || !(at > (boundaries[i - 1] ?? 0))))
    throw wrongValue(where, "boundaries", "growing numbers above 0", boundaries);
  if (!isArray(rates) || rates.length !== boundaries.length + 1)
    throw wrongValue(where, "rates", `${boundaries.length + 1} rates, one more than boundaries,`, rates);
  for (const rate of rates) nonNegativeNumber(where, "rates", rate);
  const count = counter(where, options.per ?? "epoch");
  return made(where, options, (step, epoch) => {
    const piece = boundaries.findIndex((boundary: number) => count(step, epoch) < boundary);
    return options.rates.at(piece)!;
  });
}

export interface CosineOptions extends PerOptions {
  /** The first rate, > 0. */
  readonly initial: number;
  /** Steps (default) or epochs from `initial` to `final`. */
  readonly over: number;
  /** The last rate; default 0. */
  readonly final?: number;
}

/**
 * Half a cosine: `final + ½ (initial - final) (1 + cos(π n / over))`, with n the steps (default) or epochs done; `final` from then on
 * (Loshchilov and Hutter, 2017).
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * cosineDecay({ initial: 0.1, over: 1000 })(500, 0); // 0.05
 * ```
 */
export function cosineDecay(options: CosineOptions): Schedule {
  const { curve, count } = cosine("cosineDecay", options);
  return made("cosineDecay", options, (step, epoch) => curve(Math.min(1, count(step, epoch) / options.over)));
}

/**
 * {@link cosineDecay} that begins again at `initial` whenever `over` steps or epochs are done: one cycle per member of a snapshot ensemble.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * const rate = cosineRestarts({ initial: 0.1, over: 10, per: "epoch" });
 * [rate(0, 0), rate(0, 5), rate(0, 10)]; // [0.1, 0.05, 0.1]
 * ```
 */
export function cosineRestarts(options: CosineOptions): Schedule {
  const { curve, count } = cosine("cosineRestarts", options);
  const { over } = options;
  return made("cosineRestarts", options, (step, epoch) => curve((count(step, epoch) % over) / over));
}

export interface WarmUpOptions extends PerOptions {
  /** Steps (default) or epochs until the rate is `then`'s first. */
  readonly over: number;
  /** The first rate; default 0. */
  readonly from?: number;
  /** The rate, or the schedule, from then on; it counts from the end of the warm-up. */
  readonly then: LearningRate;
}

/**
 * Warm-up: in a straight line from `from` to the first rate of `then`, which takes over after `over` steps (default) or epochs.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * const rate = warmUp({ over: 100, then: cosineDecay({ initial: 0.1, over: 900 }) });
 * [rate(50, 0), rate(100, 0), rate(550, 0)]; // [0.05, 0.1, 0.05]
 * ```
 */
export function warmUp(options: WarmUpOptions): Schedule {
  const where = "warmUp";
  requireOptions(where, options, ["over", "per", "from", "then"]);
  const over = positiveNumber(where, "over", options.over);
  const from = nonNegativeNumber(where, "from", options.from ?? 0);
  const per = oneOf(where, "per", options.per ?? "step", ["step", "epoch"]);
  const count = counter(where, per);
  const given = resolveLearningRate(where, "then", options.then);
  const then = typeof given === "number" ? () => given : given;
  const described = { ...options, per, then: describeLearningRate(given) };
  return made(where, described, (step, epoch) => {
    const n = count(step, epoch);
    if (n < over) return from + (then(0, 0) - from) * (n / over);
    return per === "step" ? then(step - over, epoch) : then(step, epoch - over);
  });
}

export interface OneCycleOptions extends PerOptions {
  /** The highest rate, > 0. */
  readonly max: number;
  /** Steps (default) or epochs of the cycle. */
  readonly over: number;
  /** The first rate; default `max / 25`. */
  readonly start?: number;
  /** The last rate; default `start / 10000`. */
  readonly final?: number;
  /** Share of the cycle in which the rate rises; default 0.3. */
  readonly rising?: number;
}

/**
 * One cycle: up from `start` to `max` and down to `final` along half cosines; `final` from then on (Smith and Topin, 2018), as PyTorch's OneCycleLR
 * without its cycle of momenta.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * oneCycle({ max: 0.1, over: 11, rising: 5 / 11 })(4, 0); // 0.1
 * ```
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const where = "oneCycle";
  requireOptions(where, options, ["max", "over", "per", "start", "final", "rising"]);
  const max = positiveNumber(where, "max", options.max);
  const over = positiveNumber(where, "over", options.over);
  const start = nonNegativeNumber(where, "start", options.start ?? max / 25);
  const final = nonNegativeNumber(where, "final", options.final ?? start / 1e4);
  const top = fraction(where, "rising", options.rising ?? 0.3) * over - 1;
  const count = counter(where, options.per ?? "step");
  return made(where, options, (step, epoch) => {
    const n = count(step, epoch);
    return n <= top && top > 0
      ? between(start, max, n / top)
      : between(max, final, Math.min(1, (n - top) / (over - 1 - top)));
  });
}

/** From `a` to `b` along half a cosine. */
function between(a: number, b: number, share: number): number {
  return b + 0.5 * (a - b) * (1 + Math.cos(Math.PI * share));
}

function cosine(where: string, options: CosineOptions) {
  requireOptions(where, options, ["initial", "over", "final", "per"]);
  const initial = positiveNumber(where, "initial", options.initial);
  positiveNumber(where, "over", options.over);
  const final = nonNegativeNumber(where, "final", options.final ?? 0);
  return { curve: (share: number) => between(initial, final, share), count: counter(where, options.per ?? "step") };
}

function decaying(where: string, options: DecayOptions, known: readonly string[]) {
  requireOptions(where, options, [...decayOptions, ...known]);
  const initial = positiveNumber(where, "initial", options.initial);
  const every = positiveNumber(where, "every", options.every ?? 1);
  const staircase = bool(where, "staircase", options.staircase ?? false);
  const first = options.countFrom ?? 0;
  if (first !== 0 && first !== 1) throw wrongValue(where, "countFrom", "0 or 1", first);
  const done = counter(where, options.per ?? "epoch");
  const count = (step: number, epoch: number): number => {
    const n = (done(step, epoch) + first) / every;
    return staircase ? Math.floor(n) : n;
  };
  return { initial, count };
}

function counter(where: string, per: "step" | "epoch"): (step: number, epoch: number) => number {
  return oneOf(where, "per", per, ["step", "epoch"]) === "step" ? (step) => step : (_, epoch) => epoch;
}

function made(type: string, options: object, rate: (step: number, epoch: number) => number): Schedule {
  return Object.assign(rate, { type, options: { ...options } });
}

const factories: Readonly<Record<string, (options: never) => Schedule>> = {
  inverseTimeDecay, exponentialDecay, rootDecay, piecewiseConstant, cosineDecay, cosineRestarts, warmUp, oneCycle,
}; // prettier-ignore

/** What a file says about a learning rate. */
export type LearningRateConfig = number | { readonly type: string; readonly options: { readonly [key: string]: Json } };

/** @internal What a file can say about it; undefined for a function of the user's own. */
export function describeLearningRate(rate: LearningRate): LearningRateConfig | undefined {
  if (typeof rate === "number") return rate;
  const { type, options } = rate;
  return type !== undefined && options !== undefined && Object.hasOwn(factories, type) ? { type, options } : undefined;
}

/** @internal The rate or schedule meant by an option: one, or the description of one from a file. */
export function resolveLearningRate(
  where: string,
  option: string,
  value: LearningRate | LearningRateConfig,
): LearningRate {
  if (isFunction(value)) return value;
  if (!isObject(value)) return positiveNumber(where, option, value);
  return factories[oneOf(where, option, value.type, Object.keys(factories))]!(value.options as never);
}
