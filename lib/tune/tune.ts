// The search for hyper-parameters: runs trials side by side, round by round, with a log to go on from.
import { setMaxListeners } from "node:events";
import { isFunction, wrongValue } from "../options.js";
import { resolveSeed } from "../random.js";
import { Halving } from "./halving.js";
import { SearchLog, type Logged, type SearchHeader } from "./log.js";
import { isModelSearch, objectiveOf, type ModelSearch } from "./model-search.js";
import { checkTuneOptions, type TuneOptions, type TuneSettings } from "./options.js";
import { TuneResult } from "./result.js";
import { runTrial } from "./run-trial.js";
import { Slots } from "./slots.js";
import { checkSpace, describeDimension, type ConfigOf, type Space } from "./space.js";
import { axesOf, configAt, gridSearch, randomSearch, seedsOf, type Point, type Strategy } from "./strategies.js";
import { byScore, type Mode, type Objective, type TrialResult } from "./trial.js";

/**
 * Searches for the best hyper-parameters: draws configurations from `space`, lets `objective` rate each, and ranks them.
 *
 * Configurations and seeds are functions of the search's seed and, with `coarseToFine` and `halving`, of the scores: with an objective that gives the same
 * score for the same configuration and seed, the same search finds the same, however many trials run side by side and whichever end first.
 *
 * @param space - what each hyper-parameter may be, made with `space`
 * @param objective - a function of a configuration that gives a score, or an object that says how to build a network and on which data to rate it
 * @returns all trials, the best first, those that failed too
 * @throws OptionError for wrong options, before any work; FileError for a log that cannot be written, is damaged, is of another search, or is
 *   being written by one; the signal's reason when aborted. What has ended by then is in the log.
 *
 * @example
 * ```ts
 * const result = await tune(
 *   { learningRate: space.log(1e-4, 1e-1), units: space.logInteger(8, 32), beta: space.oneMinus(0.9, 0.999) },
 *   {
 *     build: ({ learningRate, units, beta }, { seed }) =>
 *       sequential([dense(units, { activation: "relu" }), dense(10)], { inputShape: [784], seed }).compile({
 *         loss: "softmaxCrossEntropy",
 *         optimizer: adam({ learningRate, beta1: beta }),
 *         metrics: ["accuracy"],
 *       }),
 *     train,
 *     validationData: dev,
 *     fit: { epochs: 2, batchSize: 64 },
 *     monitor: "valAccuracy",
 *   },
 *   { trials: 4, seed: 1 },
 * );
 * console.log(String(result));
 * const { learningRate } = result.best.config;
 * ```
 */
export async function tune<S extends Space>(
  space: S,
  objective: Objective<ConfigOf<S>> | ModelSearch<ConfigOf<S>>,
  options: TuneOptions<ConfigOf<S>>,
): Promise<TuneResult<ConfigOf<S>>> {
  checkSpace("tune", space);
  const settings = checkTuneOptions(options);
  const rated = isModelSearch<ConfigOf<S>>(objective) ? objectiveOf(objective) : { objective, mode: "min" as const };
  if (!isFunction(rated.objective))
    throw wrongValue("tune", "objective", "a function, or an object with build, train and validationData,", objective);
  settings.signal?.throwIfAborted();

  const mode = settings.mode ?? rated.mode;
  const header = headerOf(space, settings, mode);
  const opened = settings.log === undefined ? undefined : await SearchLog.open<ConfigOf<S>>(settings.log, header, mayDiffer(settings)); // prettier-ignore
  try {
    const seed = (opened?.logged.header ?? header).seed as number;
    const search = { space, objective: rated.objective, settings, mode, seed, log: opened?.log };
    return await new Search(search, opened?.logged).run();
  } finally {
    await opened?.log.close();
  }
}

/** Everything that decides which trials there are. */
function headerOf(space: Space, settings: TuneSettings<never>, mode: Mode): SearchHeader {
  const { strategy, trials, rounds, firstStep, reduction, seed } = settings;
  return {
    version: 1,
    space: Object.fromEntries(Object.entries(space).map(([name, dimension]) => [name, describeDimension(dimension)])),
    strategy,
    mode,
    seed: resolveSeed("tune", seed),
    trials,
    ...(strategy === "coarseToFine" && { rounds }),
    ...(strategy === "halving" && { firstStep, reduction }),
  };
}

/** A log's seed stands in for one that is not given; and a random search may go on with more trials, which its earlier ones do not depend on. */
function mayDiffer({ strategy, seed }: TuneSettings<never>): string[] {
  return [seed === undefined ? ["seed"] : [], strategy === "random" ? ["trials"] : []].flat();
}

interface SearchParts<Config> {
  readonly space: Space;
  readonly objective: Objective<Config>;
  readonly settings: TuneSettings<Config>;
  readonly mode: Mode;
  readonly seed: number;
  readonly log: SearchLog | undefined;
}

class Search<Config> {
  private readonly points: Point[] = [];
  private readonly results: TrialResult<Config>[] = [];
  private readonly slots: Slots;
  private readonly halving: Halving | undefined;
  private readonly strategy: Strategy;
  /** Aborts when the search does, or cannot go on. */
  private readonly failed = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    private readonly parts: SearchParts<Config>,
    private readonly logged: Logged<Config> | undefined,
  ) {
    const { space, settings, mode, seed } = parts;
    const { trials, strategy, rounds, firstStep, reduction, parallel, signal } = settings;
    const axes = axesOf(space);
    const random = (count: number): Strategy => randomSearch(axes, trials, seed, count);
    this.strategy = strategy === "grid" ? gridSearch(axes, trials) : random(strategy === "coarseToFine" ? rounds : 1);
    this.halving = strategy === "halving" ? new Halving(trials, mode, { firstStep, reduction }) : undefined;
    this.slots = new Slots(parallel);
    this.signal = signal ? AbortSignal.any([signal, this.failed.signal]) : this.failed.signal;
    setMaxListeners(0, this.signal); // all trials listen
  }

  async run(): Promise<TuneResult<Config>> {
    const { mode, seed } = this.parts;
    for (;;) {
      const done = this.results.filter(({ status }) => status === "done").sort(byScore(mode));
      const first = this.points.length;
      const round = this.strategy(
        done.map(({ index }) => this.points[index]!),
        first,
      );
      if (round.length === 0) return new TuneResult(this.results, mode, seed);
      this.points.push(...round);
      await Promise.all(round.map((point, i) => this.trial(first + i, point)));
      this.signal.throwIfAborted();
    }
  }

  /** Takes a trial from the log, or runs it when it is its turn. Whatever goes wrong with the search itself ends it for all. */
  private async trial(index: number, point: Point): Promise<void> {
    const logged = this.logged?.ended.get(index);
    const settle = async (result: TrialResult<Config>): Promise<void> => {
      const { status, score, reports } = result;
      this.halving?.end(index, status === "done" ? score : undefined, logged ? reports : []);
      this.results.push(result);
      await this.parts.settings.onTrial?.(result);
    };
    const guarded = (work: () => Promise<void>) => (): Promise<void> =>
      work().catch((error: unknown) => this.failed.abort(error));
    if (logged) return guarded(() => settle(logged))();
    return this.slots.use(
      guarded(async () => {
        if (!this.signal.aborted) await settle(await this.begin(index, point));
      }),
    );
  }

  private async begin(index: number, point: Point): Promise<TrialResult<Config>> {
    const { space, objective, settings, seed, log } = this.parts;
    const config = configAt(space, point) as Config;
    const attempts = (this.logged?.attempts.get(index) ?? 0) + 1;
    await log?.begin(index);
    const result = await runTrial(
      objective,
      { index, config, seed: seedsOf(seed, index).trial, attempts },
      {
        threads: Math.max(1, Math.floor(settings.threads / settings.parallel)),
        signal: this.signal,
        onReport: (step, score) => this.report(index, step, score),
      },
    );
    await log?.end(result);
    return result;
  }

  /** Another trial may run while this one waits for the others. */
  private report(index: number, step: number, score: number): Promise<boolean> {
    return this.halving ? this.slots.without(() => this.halving!.report(index, step, score)) : Promise.resolve(true);
  }
}
