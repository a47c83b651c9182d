// Trials: what an objective is given, and what becomes of each. Which trials there are is strategies.ts; running them is tune.ts.
import type { Json } from "../layers/layer.js";
import type { Callback } from "../train/callbacks.js";

/** What an objective is given beside its configuration. */
export interface Trial {
  /** From 0, in the order in which trials are begun. */
  readonly index: number;
  /** For weights, dropout and the order of examples: the same whenever the search is repeated with its seed. */
  readonly seed: number;
  /** Threads it may use, its share of the search's; for `fit`, `evaluate` and so on. */
  readonly threads: number;
  /** Aborts when the search does, or when this trial is stopped. */
  readonly signal: AbortSignal;
  /**
   * Tells the search how well the trial does so far. Await it: with `halving` it takes until the other trials are as far, and rejects when this one is
   * not good enough to go on; let that rejection end the objective.
   *
   * @param step - how far it is, such as epochs done; grows from call to call
   * @throws OptionError for a score that is no finite number, or a step that does not grow
   */
  readonly report: (step: number, score: number) => Promise<void>;
  /** A callback for `fit` that reports a curve after each epoch; default: "valLoss". */
  readonly watch: (monitor?: string) => Callback;
}

/** What an objective gives: a score alone, or with other figures to be kept beside it. */
export type Score = number | { readonly score: number; readonly [figure: string]: Json };

/** Rates a configuration. */
export type Objective<Config> = (config: Config, trial: Trial) => Score | Promise<Score>;

/**
 * How a trial ended: with a score (`done`); stopped by `halving`, with its last report for a score (`stopped`); by an error or a score that is no finite
 * number (`failed`); or because the search was aborted meanwhile (`aborted`; a search that goes on from its log runs it again).
 */
export type TrialStatus = "done" | "stopped" | "failed" | "aborted";

/** One trial of a search that has ended. */
export interface TrialResult<Config> {
  readonly index: number;
  readonly config: Config;
  readonly seed: number;
  readonly status: TrialStatus;
  /** NaN where there is none. */
  readonly score: number;
  /** What the objective gave beside its score. */
  readonly figures: { readonly [figure: string]: Json };
  /** Steps and scores it reported, in order. */
  readonly reports: readonly (readonly [step: number, score: number])[];
  /** Of what it failed, undefined where it did not. */
  readonly error: string | undefined;
  /** How long it took, without waiting for others. */
  readonly seconds: number;
  /** How often it was begun: more than once where a process ended, or a search was aborted, before it had. */
  readonly attempts: number;
}

/** Whether small or large scores are good. */
export type Mode = "min" | "max";

/** A function that sorts trials by score, the best first, and those of one score by index. */
export function byScore(mode: Mode): (a: Scored, b: Scored) => number {
  const sign = mode === "min" ? 1 : -1;
  return (a, b) => sign * (a.score - b.score) || a.index - b.index;
}

/** Something with a score that is a number. */
export interface Scored {
  readonly index: number;
  readonly score: number;
}
