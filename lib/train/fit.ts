// The training loop: epochs of native passes, validation and callbacks between them, and checkpoints from which it is taken up again.
import { abortable, follow, patience } from "../abortable.js";
import { Claim } from "../claim.js";
import type { FileLock } from "../file-lock.js";
import { fileError, isSimdnnError, nonFiniteError, type SimdnnError } from "../errors.js";
import type { Compiled, Model } from "../model.js";
import { only, wrongValue } from "../options.js";
import type { StoppedAt } from "../program.js";
import type { Batches } from "./batches.js";
import { progressCaller, type Callback, type Training } from "./callbacks.js";
import { Checkpointer } from "./checkpoint.js";
import { curveNames, validationName } from "./curve-names.js";
import { Evaluator } from "./evaluate.js";
import { Tally, type Figures } from "./figures.js";
import { checkFitOptions, orderOf, sameOrder, sourcesOf, type FitOptions, type Settings } from "./fit-options.js";
import { warnOfLastLayer } from "./last-layer.js";
import type { TrainingData } from "./source.js";
import { warnOfSymmetry } from "./symmetry.js";
import type { Position, StoredTraining } from "./training-file.js";
import { trainingSteps } from "./training-step.js";

export interface History {
  /** One number per epoch and curve: `loss`, with regularizers `cost`, the metrics, and those of the validation data as `valLoss` …, `learningRate`, that of the epoch's last step, the norms that `watch` follows, and
   * with `nonFinite: "skip"` the number of steps left out as `skipped`. */
  readonly curves: Readonly<Record<string, readonly number[]>>;
  /** Whole epochs trained. */
  readonly epochs: number;
  /** What a callback ended training for, undefined when all epochs were trained. */
  readonly stopped: string | undefined;
}

export async function fit(model: Model, compiled: Compiled, data: TrainingData, options: FitOptions): Promise<History> {
  const given = checkFitOptions(model, data, options);
  const sources = sourcesOf(model, data, given);
  const checkpointers = given.callbacks.filter((callback) => callback instanceof Checkpointer);
  if (checkpointers.length === 0) return new Fitting(model, compiled, data, given, sources, checkpointers).run();
  const locks: FileLock[] = [];
  const release = async (): Promise<void> => {
    for (const lock of locks) await lock.release();
  };
  const begin = async (): Promise<Fitting> => {
    let stored: StoredTraining | undefined;
    for (const checkpointer of checkpointers) {
      const lock = await checkpointer.open();
      if (lock) locks.push(lock);
      stored = (await checkpointer.read(model, compiled)) ?? stored;
    }
    if (!stored) return new Fitting(model, compiled, data, given, sources, checkpointers);
    const settings = sameOrder(data, given, options, stored.state.order);
    return new Fitting(model, compiled, data, settings, sources, checkpointers, stored);
  };
  const fitting = await begin().catch(async (error: unknown) => {
    for (const source of Object.values(sources)) await source?.close().catch(() => undefined);
    await release();
    throw error;
  });
  return fitting.run(release);
}

class Fitting {
  private curves: Record<string, number[]> = {};
  private stopped: string | undefined;
  private epoch = 0;
  /** Of the epochs before this one. */
  private stepsBefore = 0;
  /** Of the epoch that has begun. */
  private tally: Tally | undefined;
  /** Those of the epoch, when its steps are done. */
  private figures: Figures | undefined;
  /** Whether all of this belongs together, and no callback is in the middle of something. */
  private whole = false;
  private readonly batches: Batches;
  private readonly evaluator: Evaluator;
  private readonly training: Training;
  private readonly claim = new Claim("being trained", "await the fit() promise first");

  constructor(
    private readonly model: Model,
    private readonly compiled: Compiled,
    private readonly data: TrainingData,
    private readonly settings: Settings,
    private readonly sources: ReturnType<typeof sourcesOf>,
    private readonly checkpointers: readonly Checkpointer[],
    private readonly stored?: StoredTraining,
  ) {
    if (stored) model.reseed(stored.state.modelSeed); // before anything is recorded with it
    this.batches = trainingSteps(model, compiled, settings);
    this.batches.prepare(sources.training.kinds);
    this.evaluator = new Evaluator(model, compiled);
    this.training = {
      model,
      epochs: settings.epochs,
      steps: sources.training.steps,
      curves: curveNames(model, compiled, settings),
      stop: (reason) => {
        this.stopped = reason;
      },
    };
    warnOfSymmetry(model);
    warnOfLastLayer(model, compiled.loss);
  }

  /** @param release - called when all is done */
  async run(release?: () => Promise<void>): Promise<History> {
    const { model, settings, training } = this;
    let failure: { readonly error: unknown } | undefined;
    const attempt = async (work: () => void | Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        failure ??= { error }; // what happened first is what the caller is told
      }
    };
    const others = model.serving.begin(this.claim);
    if (others) await attempt(() => abortable(others, settings.signal).then(() => undefined));
    if (!failure) await attempt(() => this.train());
    if (failure && settings.signal?.aborted && failure.error === settings.signal.reason && this.whole)
      await attempt(() => this.save(() => true));
    await model.serving.end();
    // Each gets to clean up, whatever happened before.
    for (const callback of settings.callbacks) await attempt(() => this.call(callback.onTrainEnd?.(training)));
    for (const source of Object.values(this.sources)) await attempt(() => this.call(source?.close()));
    await release?.();
    if (failure) throw failure.error;
    return { curves: this.curves, epochs: this.epoch, stopped: this.stopped };
  }

  private async train(): Promise<void> {
    const { settings, training } = this;
    this.lock();
    await this.callEach((callback) => callback.onTrainBegin?.(training));
    if (this.stored) await this.takeUp(this.stored);
    this.whole = true;
    while (this.epoch < settings.epochs && this.stopped === undefined) if (!(await this.trainEpoch())) return;
    await this.save(() => true);
  }

  /** Trains an epoch, or the rest of one. Returns whether it got to its end. */
  private async trainEpoch(): Promise<boolean> {
    const { epoch, settings, training, compiled } = this;
    const { optimizer } = compiled;
    settings.signal?.throwIfAborted();
    if (!this.figures) {
      if (!this.tally) await this.callEach((callback) => callback.onEpochBegin?.(epoch, training));
      this.tally ??= new Tally();
      const figures = await this.pass(this.tally);
      if (!figures) return false;
      optimizer.epoch++;
      this.stepsBefore += this.tally.steps;
      [this.tally, this.figures] = [undefined, figures];
    }
    const logs = { ...this.figures, ...(await this.validate()), learningRate: optimizer.learningRate.item() };
    for (const [name, value] of Object.entries(logs)) (this.curves[name] ??= []).push(value);
    await this.callEach((callback) => callback.onEpochEnd?.(epoch, logs, training), () => {
      this.epoch++;
      this.figures = undefined;
    }); // prettier-ignore
    await this.save((checkpointer, position) => checkpointer.isDue(position));
    return true;
  }

  /** The steps of one epoch; undefined when a callback stopped the training since the loss is no longer finite. */
  private async pass(tally: Tally): Promise<Figures | undefined> {
    const { epoch, settings, training } = this;
    const { callbacks, threads, priority, signal, nonFinite, shuffle, seed } = settings;
    const { onProgress, onBatch, stop, throwFailure } = progressCaller(callbacks, training);
    const until = stop.signal;
    const unfollow = follow(stop, signal);
    const runs = this.sources.training.epoch(epoch, tally.steps, until, shuffle ? seed : undefined);
    const untilPause = (): number =>
      Math.min(...this.checkpointers.map((checkpointer) => checkpointer.stepsLeft(this.stepsBefore + tally.steps)));
    const pause = (): Promise<void> => this.save((checkpointer, { steps }) => checkpointer.stepsLeft(steps) <= 0);
    let firstSkipped: SimdnnError<"NonFiniteError"> | undefined;
    const onSkip = nonFinite === "skip" ? (error: SimdnnError<"NonFiniteError">) => void (firstSkipped ??= error) : undefined; // prettier-ignore
    const work = { threads, priority, signal: until, within: this.claim, tally, onProgress, onBatch, onSkip };
    try {
      const figures = await this.batches.pass(runs, { ...work, untilPause, pause });
      throwFailure();
      if (firstSkipped && tally.skipped === tally.steps) throw firstSkipped;
      return onSkip ? { ...figures, skipped: tally.skipped } : figures;
    } catch (error) {
      throwFailure();
      if (!isSimdnnError(error, "NonFiniteError")) throw error;
      const { stepsDone } = error as StoppedAt;
      if (stepsDone === undefined) throw error; // a source's own
      await this.stopAt(locatedIn(epoch, stepsDone, error));
      return undefined;
    } finally {
      unfollow();
    }
  }

  /** Throws, unless a callback stops the training instead. */
  private async stopAt(error: SimdnnError<"NonFiniteError">): Promise<void> {
    await this.callEach((callback) => callback.onNonFinite?.(error, this.training));
    if (this.stopped === undefined) throw error;
  }

  private async validate(): Promise<Figures> {
    const { validation } = this.sources;
    const { validationData, threads, signal } = this.settings;
    if (!validation || validationData === undefined) return {};
    const figures = await this.evaluator.pass(
      validationData,
      validation,
      only({ threads, signal, within: this.claim }),
    );
    return Object.fromEntries(Object.entries(figures).map(([name, value]) => [validationName(name), value]));
  }

  /** Goes on where a checkpoint was made. */
  private async takeUp(stored: StoredTraining): Promise<void> {
    const { state } = stored;
    const { callbacks } = this.settings;
    await this.model.serving.release();
    const fits =
      callbacks.length === state.callbacks.length &&
      callbacks.every((callback, i) => (callback.getState === undefined) === (state.callbacks[i] === null));
    if (!fits)
      throw wrongValue("fit", "callbacks", "those with which the training began, in the same order,", callbacks);
    try {
      callbacks.forEach((callback, i) => callback.setState?.(state.callbacks[i]!, this.training));
      stored.restore();
    } catch (cause) {
      const remedy = "resume with the same callbacks, or begin in another directory";
      throw fileError(stored.file, "a state that fits", `there is ${(cause as Error).message}`, remedy, cause);
    }
    const { position, curves, stopped } = state;
    this.epoch = position.epoch;
    this.stepsBefore = position.steps - (position.tally?.steps ?? 0);
    this.tally = position.tally && new Tally(position.tally);
    this.figures = position.figures;
    this.curves = Object.fromEntries(Object.entries(curves).map(([name, curve]) => [name, [...curve]]));
    this.stopped = stopped ?? undefined;
    this.lock();
  }

  /** Writes the checkpoints that are wanted, unless there has been no progress since the last. */
  private async save(wanted: (checkpointer: Checkpointer, position: Position) => boolean): Promise<void> {
    const { model, compiled, settings, tally, figures } = this;
    const steps = this.stepsBefore + (tally?.steps ?? 0);
    const position = { epoch: this.epoch, steps, ...(tally && { tally: tally.state }), ...(figures && { figures }) };
    for (const checkpointer of this.checkpointers) {
      if (checkpointer.has(position) || !wanted(checkpointer, position)) continue;
      await checkpointer.write(model, compiled, {
        position,
        order: orderOf(this.data, settings),
        modelSeed: model.seed,
        curves: Object.fromEntries(
          Object.entries(this.curves).map(([name, curve]) => [name, Float64Array.from(curve)]),
        ),
        stopped: this.stopped ?? null,
        optimizer: { epoch: compiled.optimizer.epoch, scheduled: compiled.optimizer.hasSchedule },
        callbacks: settings.callbacks.map((callback) => callback.getState?.() ?? null),
      });
    }
  }

  private lock(): void {
    this.claim.take([...this.model.weights.values()]);
  }

  /** Waits for a callback or the end of a source, though not for ever when the training is aborted. */
  private async call(returned: void | Promise<void>): Promise<void> {
    if (returned) await abortable(Promise.resolve(returned), this.settings.signal, patience);
  }

  /** Callbacks in turn, with the weights free meanwhile; then what they bring to an end. */
  private async callEach(call: (callback: Callback) => void | Promise<void>, end?: () => void): Promise<void> {
    const { callbacks } = this.settings;
    const { whole } = this;
    this.whole = false;
    if (callbacks.length > 0) {
      await this.model.serving.release();
      for (const callback of callbacks) await this.call(call(callback));
      this.lock();
    }
    end?.();
    this.whole = whole;
  }
}

/** The same error, saying where training was when the loss stopped being a number. */
function locatedIn(epoch: number, step: number, error: SimdnnError<"NonFiniteError">): SimdnnError<"NonFiniteError"> {
  const located = nonFiniteError({ ...error.details, where: undefined, epoch, step });
  return Object.assign(located, {
    stack: `${located.name}: ${located.message}\n${error.stack?.split("\n").slice(1).join("\n")}`,
  });
}
