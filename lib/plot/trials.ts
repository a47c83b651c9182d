// What the plot of a search takes: trials with configurations and scores, made even. Drawing them is search.ts.
import { inspect } from "node:util";
import { checkOptions, isArray, isObject, oneOf, plainText, wrongValue } from "../options.js";
import { evenKind, namedScale, numberScale, tickedAt, type Scale, type ScaleKind } from "./scale.js";

/** One trial of a search, as `tune` gives it, or from elsewhere. */
export interface SearchTrial {
  /** Hyper-parameters by name. Numbers in a list become parameters of their own, as does its length. */
  readonly config: Readonly<Record<string, unknown>>;
  /** NaN or absent where there is none. */
  readonly score?: number | null | undefined;
  /** Default: "done". A trial of another status has a score that came about otherwise than those of the rest. */
  readonly status?: string;
}

/** Trials, or what `tune` resolves with. */
export type SearchInput =
  readonly SearchTrial[] | { readonly trials: readonly SearchTrial[]; readonly mode?: "min" | "max" };

export interface SearchOptions {
  /** Heading of the picture. */
  readonly title?: string;
  /** What the score is, with its unit. Default: "score". */
  readonly scoreLabel?: string;
  /** Whether small or large scores are good. Default: that of the search, else "min". */
  readonly mode?: "min" | "max";
  /** Scales of parameters, by name. Default: that on which they lie most evenly. */
  readonly scales?: Readonly<Record<string, ScaleKind>>;
}

type Value = number | string;

/** A trial whose score is a number. */
export interface Scored {
  readonly score: number;
  readonly done: boolean;
  readonly values: ReadonlyMap<string, Value>;
  /** Its place from the worst, 0, to the best, 1. */
  readonly merit: number;
  /** Whether it is the best of those that are done. */
  readonly best: boolean;
}

export interface Parameter {
  readonly name: string;
  readonly at: (trial: Scored, scale: Scale<Value>) => number;
  readonly scale: (range: readonly [number, number], ticks: number, gap: number) => Scale<Value>;
}

export interface Search {
  /** The worst first and the best last, so that it is drawn on top. */
  readonly trials: readonly Scored[];
  readonly unscored: number;
  readonly mode: "min" | "max";
  /** Those that differ between trials. */
  readonly parameters: readonly Parameter[];
}

/** @throws OptionError where there is nothing to draw */
export function searchOf(input: SearchInput, options: SearchOptions): Search {
  const where = "search";
  checkOptions(where, options, ["title", "scoreLabel", "mode", "scales"]);
  for (const name of ["title", "scoreLabel"] as const)
    if (options[name] !== undefined) plainText(where, name, options[name]);
  if (options.scales !== undefined && !isObject(options.scales))
    throw wrongValue(where, "scales", "an object of scales by parameter", options.scales);
  const given = isArray(input as readonly SearchTrial[])
    ? { trials: input as readonly SearchTrial[] }
    : ((isObject(input) ? input : {}) as Partial<Exclude<SearchInput, readonly SearchTrial[]>>);
  if (!isArray(given.trials) || !given.trials.every((trial) => isObject(trial) && isObject(trial.config)))
    throw wrongValue(where, "trials", "an array of trials with config and score, or what tune() resolves with,", input);
  const mode = options.mode ?? given.mode ?? "min";
  oneOf(where, "mode", mode, ["min", "max"]);
  const sign = mode === "min" ? -1 : 1;
  const scored = given.trials.filter(({ score }) => typeof score === "number" && Number.isFinite(score));
  if (scored.length === 0) throw wrongValue(where, "trials", "at least one trial with a score", given.trials);
  const ranked = scored.toSorted((a, b) => sign * (a.score! - b.score!));
  const isDone = ({ status = "done" }: SearchTrial): boolean => status === "done";
  const best = ranked.findLast(isDone) ?? ranked.at(-1);
  const trials = ranked
    .map((trial, i) => ({
      score: trial.score!,
      done: isDone(trial),
      values: new Map(Object.entries(trial.config).flatMap(([name, value]) => flat(name, value))),
      merit: ranked.length === 1 ? 1 : i / (ranked.length - 1),
      best: trial === best,
    }))
    .toSorted((a, b) => Number(a.best) - Number(b.best));
  const names = namesOf(scored);
  const unknown = Object.keys(options.scales ?? {}).find((name) => !names.includes(name));
  if (unknown !== undefined) throw wrongValue(where, "scales", `parameters among ${names.join(", ")}`, unknown);
  const varying = names.filter((name) => new Set(trials.map(({ values }) => values.get(name))).size > 1);
  if (varying.length === 0) throw wrongValue(where, "trials", "a parameter that differs between trials", given.trials);
  const parameters = varying.map((name) => parameterOf(where, name, trials, options.scales?.[name]));
  return { trials, unscored: given.trials.length - scored.length, mode, parameters };
}

/** Lists in lists beyond this are text: one may hold itself. */
const deepest = 8;

/** Numbers and texts as they are, everything else as text; lists as their length and their items. */
function flat(name: string, value: unknown, depth = 0): (readonly [string, Value])[] {
  if (depth < deepest && isArray(value as readonly unknown[])) {
    const items = value as readonly unknown[];
    return [[`${name}.length`, items.length], ...items.flatMap((item, i) => flat(`${name}[${i}]`, item, depth + 1))];
  }
  if (value === undefined) return [];
  return [[name, typeof value === "number" || typeof value === "string" ? value : inspect(value)]];
}

/** All names in the order of the configurations, a list's beside each other. */
function namesOf(trials: readonly SearchTrial[]): string[] {
  const keys = new Set(trials.flatMap(({ config }) => Object.keys(config)));
  return [...keys].flatMap((key) => [...new Set(trials.flatMap(({ config }) => flat(key, config[key]).map(([name]) => name)))]); // prettier-ignore
}

function parameterOf(where: string, name: string, trials: readonly Scored[], kind: ScaleKind | undefined): Parameter {
  const all = trials.flatMap(({ values }) => values.get(name) ?? []);
  const numbers = all.filter((value) => typeof value === "number");
  if (kind !== undefined) {
    oneOf(where, `the scale of ${name}`, kind, ["linear", "log", "oneMinus"]);
    const fits = kind === "linear" || numbers.every((value) => (kind === "log" ? value > 0 : value < 1));
    if (numbers.length < all.length || !fits) throw wrongValue(where, `the scale of ${name}`, "one that its values have a place on", kind); // prettier-ignore
  }
  const at = ({ values }: Scored, scale: Scale<Value>): number => {
    const value = values.get(name);
    return value === undefined ? NaN : scale.at(value);
  };
  if (numbers.length < all.length) {
    const words = all.map(String);
    return { name, at, scale: (range) => eitherWay(namedScale(words.sort(), range), String) };
  }
  const chosen = kind ?? evenKind(numbers);
  return {
    name,
    at,
    scale: (range, ticks, gap) =>
      eitherWay(tickedAt(numberScale(numbers, chosen, { range, ticks }), numbers, gap), Number),
  };
}

/** A scale for values that are known to be of one kind. */
function eitherWay<T extends Value>(scale: Scale<T>, convert: (value: Value) => T): Scale<Value> {
  return { ...scale, at: (value) => scale.at(convert(value)) };
}
