// What tune() is told, checked before any work, with defaults filled in.
import { checkOptions, isFunction, oneOf, only, positiveInteger, wrongValue } from "../options.js";
import { resolveSeed } from "../random.js";
import { checkWork } from "../train/check-work.js";
import { threads as defaultThreads } from "../threads.js";
import type { Mode, TrialResult } from "./trial.js";

/** How the points of a space are chosen. */
export type StrategyName = "random" | "grid" | "coarseToFine" | "halving";

export interface TuneOptions<Config> {
  /** How many configurations to try; of a grid, at most. */
  readonly trials: number;
  /**
   * - `random` (default): independent points.
   * - `grid`: all combinations of values at equal distances, as many per dimension as `trials` allow.
   * - `coarseToFine`: random points in `rounds`, each drawn from a smaller region about the best of the earlier ones.
   * - `halving`: random points; those that do badly by what they report are stopped early.
   */
  readonly strategy?: StrategyName;
  /** Whether small or large scores are good. Default: "min"; with a model builder, what its `monitor` calls for. */
  readonly mode?: Mode;
  /** Trials that run side by side. Default: 1. */
  readonly parallel?: number;
  /** Threads for all of them together; each gets its share, at least one. Default: setThreads(). */
  readonly threads?: number;
  /** Decides configurations and the trials' seeds, however many run side by side. Default: the log's, or a random one. */
  readonly seed?: number;
  /** Ends the search and its trials; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * A file of JSON lines, written as trials begin and end. Where there is one of the same search, the search goes on from it: trials that have ended are
   * not run again. While it runs no other search can write to the file; `<log>.lock` says who does.
   */
  readonly log?: string;
  /** Called when a trial has ended, in the order in which they do, also for those read from the log. */
  readonly onTrial?: (result: TrialResult<Config>) => void | Promise<void>;
  /** Rounds of `coarseToFine`, at most as many as trials; default 3. */
  readonly rounds?: number;
  /** First decision of `halving`: the fewest steps that any trial makes; default 1. */
  readonly firstStep?: number;
  /** η of `halving`: one in η goes on, to η times as many steps; default 3. */
  readonly reduction?: number;
}

export type TuneSettings<Config> = TuneOptions<Config> &
  Required<Pick<TuneOptions<Config>, "strategy" | "parallel" | "threads" | "rounds" | "firstStep" | "reduction">>;

/** Strategies draw those of a round together. */
const mostTrials = 1e6;

const optionNames: readonly (keyof TuneOptions<unknown>)[] = [
  "trials", "strategy", "mode", "parallel", "threads", "seed", "signal", "log", "onTrial", "rounds", "firstStep", "reduction",
]; // prettier-ignore

const belongsTo = { rounds: "coarseToFine", firstStep: "halving", reduction: "halving" } as const;

/** @throws OptionError for an unknown option or a wrong value */
export function checkTuneOptions<Config>(options: TuneOptions<Config>): TuneSettings<Config> {
  const where = "tune";
  if (options === undefined) throw wrongValue(where, "options", "an object with trials", options);
  checkOptions(where, options, optionNames);
  if (positiveInteger(where, "trials", options.trials) > mostTrials)
    throw wrongValue(where, "trials", `at most ${mostTrials}`, options.trials);
  const settings = {
    strategy: "random" as const,
    parallel: 1,
    threads: defaultThreads(),
    rounds: Math.min(3, options.trials),
    firstStep: 1,
    reduction: 3,
    ...(only(options) as TuneOptions<Config>),
  };
  const { strategy, mode, seed, log, onTrial } = settings;
  oneOf(where, "strategy", strategy, ["random", "grid", "coarseToFine", "halving"]);
  for (const [option, owner] of Object.entries(belongsTo) as [keyof typeof belongsTo, StrategyName][]) {
    if (options[option] !== undefined && strategy !== owner)
      throw wrongValue(
        where,
        option,
        `nothing with strategy "${strategy}" (it belongs to "${owner}")`,
        options[option],
      );
    positiveInteger(where, option, settings[option]);
  }
  if (settings.reduction < 2) throw wrongValue(where, "reduction", "an integer above 1", settings.reduction);
  if (settings.rounds > settings.trials)
    throw wrongValue(where, "rounds", `at most ${settings.trials}, the number of trials,`, settings.rounds);
  if (mode !== undefined) oneOf(where, "mode", mode, ["min", "max"]);
  positiveInteger(where, "parallel", settings.parallel);
  checkWork(where, settings);
  if (seed !== undefined) resolveSeed(where, seed);
  if (log !== undefined && (typeof log !== "string" || log === "")) throw wrongValue(where, "log", "a path", log);
  if (onTrial !== undefined && !isFunction(onTrial)) throw wrongValue(where, "onTrial", "a function", onTrial);
  return settings;
}
