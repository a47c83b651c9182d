// Regularizers: what large weights cost, written with ops, so that their gradients come with them. Which weight has which is the layers' business.
import type { Json } from "./layers/layer.js";
import { add, mul } from "./ops/binary.js";
import { squaredNorm, sum } from "./ops/reduce.js";
import { abs } from "./ops/unary.js";
import {
  bool,
  checkOptions,
  hasMethod,
  isObject,
  nonNegativeNumber,
  oneOf,
  requireOptions,
  wrongValue,
} from "./options.js";
import type { Tensor } from "./tensor.js";

/** Adds to the cost for a weight. One of your own is an object like this. */
export interface Regularizer {
  /** Names the kind, in files. */
  readonly type: string;
  /** What made it; with `type`, enough to make it again. */
  readonly options: { readonly [key: string]: Json };
  /** A scalar. `examples` is the number m of examples whose mean loss it is added to. */
  penalty(weight: Tensor, examples: number): Tensor;
}

export interface PenaltyForm {
  /**
   * Divide the penalty by `2 m`, with m the examples of the step, as in `J = 1/m Σ L + λ/(2m) Σ W²`: each example then weighs as much against
   * the penalty whatever their number. Default: false, the sum alone, as in Keras.
   */
  readonly perExample?: boolean;
}

/**
 * L2: adds `λ Σ W²` to the cost and `2 λ W` to the gradient, as in Keras. With `perExample: true` it is `λ/(2m) Σ W²` and `λ/m W`, with m the
 * examples of the step: the form of most courses and papers, where λ is of the order of 1 rather than of 0.01. (PyTorch's `weight_decay`
 * adds `λ W`, half of Keras's.)
 *
 * @param lambda - λ >= 0
 * @throws OptionError for a negative λ or an unknown option
 *
 * @example
 * ```ts
 * l2(0.5).penalty(tensor([1, 2]), 10).item();                       // 2.5
 * l2(0.5, { perExample: true }).penalty(tensor([1, 2]), 10).item(); // 0.125
 * sequential([dense(64, { weightRegularizer: l2(0.01) }), dense(10)], { inputShape: [784] });
 * ```
 */
export function l2(lambda: number, options: PenaltyForm = {}): Regularizer {
  const factor = factorOf("l2", options);
  nonNegativeNumber("l2", "lambda", lambda);
  return {
    type: "l2",
    options: { lambda, perExample: options.perExample ?? false },
    penalty: (weight, examples) => mul(squaredNorm(weight), lambda * factor(examples)),
  };
}

/**
 * L1: adds `λ Σ |W|` to the cost and `λ sign(W)` to the gradient, which makes weights sparse; as in Keras. With `perExample: true` it is
 * `λ/(2m) Σ |W|`, with m the examples of the step.
 *
 * @param lambda - λ >= 0
 * @throws OptionError for a negative λ or an unknown option
 *
 * @example
 * ```ts
 * l1(0.5).penalty(tensor([1, -2]), 10).item(); // 1.5
 * ```
 */
export function l1(lambda: number, options: PenaltyForm = {}): Regularizer {
  const factor = factorOf("l1", options);
  nonNegativeNumber("l1", "lambda", lambda);
  return {
    type: "l1",
    options: { lambda, perExample: options.perExample ?? false },
    penalty: (weight, examples) => mul(sum(abs(weight)), lambda * factor(examples)),
  };
}

export interface L1l2Options extends PenaltyForm {
  /** λ of {@link l1}. */
  readonly l1: number;
  /** λ of {@link l2}. */
  readonly l2: number;
}

/**
 * {@link l1} and {@link l2} together (the elastic net).
 *
 * @throws OptionError for a λ that is missing or negative, or an unknown option
 *
 * @example
 * ```ts
 * l1l2({ l1: 0.5, l2: 0.25 }).penalty(tensor([1, -2]), 10).item(); // 2.75
 * ```
 */
export function l1l2(options: L1l2Options): Regularizer {
  checkOptions("l1l2", options, ["l1", "l2", "perExample"]);
  const lambdas = {
    l1: nonNegativeNumber("l1l2", "l1", options?.l1),
    l2: nonNegativeNumber("l1l2", "l2", options?.l2),
  };
  const form = { perExample: bool("l1l2", "perExample", options.perExample ?? false) };
  const parts = [l1(lambdas.l1, form), l2(lambdas.l2, form)] as const;
  return {
    type: "l1l2",
    options: { ...lambdas, ...form },
    penalty: (weight, examples) => add(parts[0].penalty(weight, examples), parts[1].penalty(weight, examples)),
  };
}

function factorOf(where: string, options: PenaltyForm): (examples: number) => number {
  checkOptions(where, options, ["perExample"]);
  const perExample = bool(where, "perExample", options.perExample ?? false);
  return (examples) => (perExample ? 1 / (2 * examples) : 1);
}

type Config = Pick<Regularizer, "type" | "options">;

const factories: Readonly<Record<string, (options: never) => Regularizer>> = {
  l1: ({ lambda, ...form }: PenaltyForm & { readonly lambda: number }) => l1(lambda, form),
  l2: ({ lambda, ...form }: PenaltyForm & { readonly lambda: number }) => l2(lambda, form),
  l1l2,
};

/** @internal The regularizer meant by an option: none, one, or the description of one from a file. */
export function optionalRegularizer(
  where: string,
  option: string,
  value: Regularizer | Config | undefined,
): Regularizer | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value)) throw wrongValue(where, option, "a regularizer such as l2(0.01)", value);
  if (hasMethod(value, "penalty")) return value;
  const factory = factories[oneOf(where, option, value.type, Object.keys(factories))]!;
  requireOptions(`${where}: ${option}`, value.options, ["lambda", "l1", "l2", "perExample"]);
  return factory(value.options as never);
}

/** @internal Descriptions by option. One of the user's own is left out: a saved model must load without it, to predict. */
export function describeRegularizers(
  given: Readonly<Record<string, Regularizer | undefined>>,
): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([option, regularizer]) =>
      regularizer && typeof regularizer.type === "string" && Object.hasOwn(factories, regularizer.type)
        ? [[option, { type: regularizer.type, options: regularizer.options }]]
        : [],
    ),
  );
}
