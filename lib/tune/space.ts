// Search spaces: what a hyper-parameter may be, and on which scale it is drawn. Which points of a space are tried is strategies.ts.
import type { Json } from "../layers/layer.js";
import { finiteNumber, isArray, isFunction, isObject, wrongValue } from "../options.js";

/** One direction of a search space. */
export interface Axis {
  /** How many values there are along it; Infinity for a scale that is divided as finely as one likes. */
  readonly levels: number;
  /** Whether neighbours are alike, so that there is a best region to zoom into; otherwise there are only best values. */
  readonly ordered: boolean;
}

/** What one hyper-parameter may be. */
export interface Dimension<T> {
  /** Names the kind, in messages and in logs. */
  readonly type: string;
  /** What made it. */
  readonly options: { readonly [key: string]: Json };
  readonly axes: readonly Axis[];
  /** The value at a point: a coordinate in [0, 1] for each axis. */
  at(coordinates: readonly number[]): T;
  /** How many of the axes, from the first on, have a say in the value at a point; absent where all have. */
  active?(coordinates: readonly number[]): number;
}

/** What each hyper-parameter of a search may be, by name. */
export type Space = Readonly<Record<string, Dimension<unknown>>>;

/** A value for each hyper-parameter of the space `S`. */
export type ConfigOf<S extends Space> = {
  readonly [Name in keyof S]: S[Name] extends Dimension<infer T> ? T : never;
};

/**
 * The kinds of hyper-parameters, each with the scale on which it is drawn.
 *
 * @example
 * ```ts
 * const found = await tune(
 *   {
 *     learningRate: space.log(1e-4, 1e-1),
 *     beta: space.oneMinus(0.9, 0.999),
 *     units: space.list(space.integer(1, 3), space.logInteger(16, 256)), // one to three layers
 *     activation: space.choice(["relu", "tanh"]),
 *   },
 *   ({ learningRate, beta }) => (Math.log10(learningRate) + 2) ** 2 + (beta - 0.95) ** 2,
 *   { trials: 100, seed: 1 },
 * );
 * found.best.config.learningRate; // near 0.01
 * ```
 */
export const space = { linear, log, oneMinus, integer, logInteger, choice, boolean, list } as const;

/**
 * A number from `low` to `high`, all of them equally likely: dropout rates.
 * @throws OptionError unless low < high
 */
function linear(low: number, high: number): Dimension<number> {
  range("space.linear", low, high);
  return scale("linear", { low, high }, (u) => low + u * (high - low));
}

/**
 * A number from `low` to `high` with an equally likely logarithm: `low · (high / low)ᵘ`, so that there are as many from 0.001 to 0.01 as from 0.01 to
 * 0.1. Learning rates, λ.
 * @throws OptionError unless 0 < low < high
 */
function log(low: number, high: number): Dimension<number> {
  range("space.log", low, high, [0, "a number above 0, since a log scale has no 0,"]);
  return scale("log", { low, high }, (u) => low * (high / low) ** u);
}

/**
 * A number β from `low` to `high` with an equally likely logarithm of 1 - β: as many from 0.9 to 0.99 as from 0.99 to 0.999, that is averages over the
 * last 10 to 100 and over the last 100 to 1000 values. Momentum.
 * @throws OptionError unless low < high < 1
 */
function oneMinus(low: number, high: number): Dimension<number> {
  range("space.oneMinus", low, high);
  if (high >= 1)
    throw wrongValue("space.oneMinus", "high", "a number below 1, since a log scale of 1 - β has no 0,", high);
  return scale("oneMinus", { low, high }, (u) => 1 - (1 - low) * ((1 - high) / (1 - low)) ** u);
}

/**
 * An integer from `low` to `high`, both included, all of them equally likely: numbers of layers.
 * @throws OptionError unless they are integers and low < high
 */
function integer(low: number, high: number): Dimension<number> {
  integers("space.integer", low, high);
  const levels = high - low + 1;
  const at = ([u = 0]: readonly number[]): number => low + level(u, levels);
  return { type: "integer", options: { low, high }, axes: [{ levels, ordered: true }], at };
}

/**
 * An integer from `low` to `high`, both included, on a log scale: units, batch sizes.
 * @throws OptionError unless they are integers and 0 < low < high
 */
function logInteger(low: number, high: number): Dimension<number> {
  integers("space.logInteger", low, high);
  range("space.logInteger", low, high, [0, "an integer above 0, since a log scale has no 0,"]);
  return scale("logInteger", { low, high }, (u) => Math.min(high, Math.floor(low * ((high + 1) / low) ** u)));
}

/**
 * One of `values`, all of them equally likely. Numbers in ascending order are taken for a scale that can be zoomed into.
 * @param values - what JSON can hold, each once; for functions and the like take names, and look them up in the objective
 * @throws OptionError for no values, one that is there twice, or one that JSON cannot hold
 */
function choice<const T extends Json>(values: readonly T[]): Dimension<T> {
  const where = "space.choice";
  if (!isArray(values) || values.length === 0)
    throw wrongValue(where, "values", "an array of at least one value", values);
  const texts = values.map((value) => {
    const text = jsonOf(value);
    if (text === undefined) throw wrongValue(where, "values", "values that JSON can hold, such as names,", value);
    return text;
  });
  const twice = texts.findIndex((text, i) => texts.indexOf(text) !== i);
  if (twice >= 0) throw wrongValue(where, "values", "each value once", values[twice]);
  const ordered = values.every(
    (value, i) => typeof value === "number" && (i === 0 || value > (values[i - 1] as number)),
  );
  const axis = { levels: values.length, ordered };
  return { type: "choice", options: { values }, axes: [axis], at: ([u = 0]) => values[level(u, values.length)]! };
}

/** Undefined for what JSON cannot hold, such as NaN, a function or a bigint. */
function jsonOf(value: unknown): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return undefined;
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** True or false. */
function boolean(): Dimension<boolean> {
  return { ...choice([false, true]), type: "boolean", options: {} };
}

/**
 * A list, of random length, of values drawn one by one: `list(integer(1, 3), logInteger(16, 256))` for the units of one to three layers.
 *
 * @param length - a dimension of integers >= 0
 * @throws OptionError unless both are dimensions
 */
function list<T>(length: Dimension<number>, item: Dimension<T>): Dimension<readonly T[]> {
  const where = "space.list";
  checkDimension(where, "length", length);
  checkDimension(where, "item", item);
  const lengths = [0, 0.3, 0.6, 1].map((u) => length.at(length.axes.map(() => u)));
  if (!lengths.every((count) => Number.isInteger(count) && count >= 0))
    throw wrongValue(where, "length", "a dimension of integers >= 0, such as space.integer(1, 3),", lengths);
  const most = Math.max(...lengths);
  const first = length.axes.length;
  const width = item.axes.length;
  const lengthAt = (coordinates: readonly number[]): number => length.at(coordinates.slice(0, first));
  return {
    type: "list",
    options: { length: describeDimension(length), item: describeDimension(item) },
    axes: [...length.axes, ...Array.from({ length: most }, () => item.axes).flat()],
    at: (coordinates) =>
      Array.from({ length: lengthAt(coordinates) }, (_, i) =>
        item.at(coordinates.slice(first + i * width, first + (i + 1) * width)),
      ),
    active: (coordinates) => first + lengthAt(coordinates) * width,
  };
}

/** What a log says about a dimension. */
export function describeDimension({ type, options }: Dimension<unknown>): { readonly [key: string]: Json } {
  return { type, ...options };
}

/** @throws OptionError unless it is an object of dimensions, and not an empty one */
export function checkSpace(where: string, given: unknown): asserts given is Space {
  if (!isObject(given))
    throw wrongValue(where, "space", "an object of dimensions such as { learningRate: space.log(1e-4, 0.1) }", given);
  if (Object.keys(given).length === 0) throw wrongValue(where, "space", "at least one dimension", given);
  for (const [name, dimension] of Object.entries(given)) checkDimension(where, `space.${name}`, dimension);
}

function checkDimension(where: string, name: string, value: unknown): void {
  const { at, axes, options } = (isObject(value) ? value : {}) as Partial<Dimension<unknown>>;
  if (!isFunction(at) || !isArray(axes) || !axes.every(isAxis) || !(options === undefined || isObject(options)))
    throw wrongValue(where, name, "a dimension such as space.linear(0, 0.5)", value);
}

const mostListed = 1e6; // values without an order, which a search keeps one by one

function isAxis(value: unknown): boolean {
  const { levels, ordered } = (isObject(value) ? value : {}) as Partial<Axis>;
  if (ordered === true && levels === Infinity) return true;
  return typeof ordered === "boolean" && Number.isInteger(levels) && levels! > 0 && (ordered || levels! <= mostListed);
}

function scale(type: string, options: { low: number; high: number }, at: (u: number) => number): Dimension<number> {
  return { type, options, axes: [{ levels: Infinity, ordered: true }], at: ([u = 0]) => at(u) };
}

/** Which of `count` equal parts of [0, 1] holds u. */
export function level(u: number, count: number): number {
  return Math.min(count - 1, Math.floor(u * count));
}

function range(where: string, low: number, high: number, above: readonly [number, string] = [-Infinity, ""]): void {
  finiteNumber(where, "low", low);
  finiteNumber(where, "high", high);
  if (low <= above[0]) throw wrongValue(where, "low", above[1], low);
  if (low >= high) throw wrongValue(where, "high", `a number above low, which is ${low},`, high);
}

function integers(where: string, low: number, high: number): void {
  for (const [name, value] of Object.entries({ low, high }))
    if (!Number.isSafeInteger(value)) throw wrongValue(where, name, "an integer", value);
  range(where, low, high);
}
