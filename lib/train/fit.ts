// The training loop: epochs of native passes, validation and callbacks between them, and checkpoints from which it is taken up again.
import { Claim } from "../claim.js";
import { isSimdnnError, nonFiniteError, type SimdnnError } from "../errors.js";
import type { Compiled, Model } from "../model.js";
import { gradients } from "../ops/gradient.js";
import { assertFinite } from "../ops/guard.js";
import { only } from "../options.js";
import type { StoppedAt } from "../program.js";
import { Batches } from "./batches.js";
import { progressCaller, type Callback, type Training } from "./callbacks.js";
import { costAndFigures } from "./cost.js";
import { Evaluator } from "./evaluate.js";
import { Tally, type Figures } from "./figures.js";
import { checkFitOptions, sourcesOf, type FitOptions, type Settings } from "./fit-options.js";
import type { TrainingData } from "./source.js";
import { warnOfSymmetry } from "./symmetry.js";
import { Watcher } from "./watch.js";

export interface History {
  /** One number per epoch and curve: `loss`, with regularizers `cost`, the metrics, and those of the validation data as `valLoss` …, `learningRate`, that of the epoch's last step, and the norms that `watch` follows. */
  readonly curves: Readonly<Record<string, readonly number[]>>;
  /** Whole epochs trained. */
  readonly epochs: number;
  /** What a callback ended training for, undefined when all epochs were trained. */
  readonly stopped: string | undefined;
}

export async function fit(model: Model, compiled: Compiled, data: TrainingData, options: FitOptions): Promise<History> {
  const settings = checkFitOptions(model, data, options);
  return new Fitting(model, compiled, data, settings).run();
}

class Fitting {
  private readonly curves: Record<string, number[]> = {};
  private stopped: string | undefined;
  private epoch = 0;
  private readonly batches: Batches;
  private readonly evaluator: Evaluator;
  private readonly sources: ReturnType<typeof sourcesOf>;
  private readonly training: Training;
  private readonly claim = new Claim("being trained", "await the fit() promise first");

  constructor(
    private readonly model: Model,
    private readonly compiled: Compiled,
    data: TrainingData,
    private readonly settings: Settings,
  ) {
    this.sources = sourcesOf(model, data, settings);
    this.batches = trainingSteps(model, compiled, settings);
    this.batches.prepare(this.sources.training.kinds);
    this.evaluator = new Evaluator(model, compiled);
    this.training = {
      model,
      epochs: settings.epochs,
      steps: this.sources.training.steps,
      stop: (reason) => {
        this.stopped = reason;
      },
    };
    warnOfSymmetry(model);
  }

  async run(): Promise<History> {
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
    if (others) await others;
    await attempt(async () => {
      this.lock();
      await this.callEach((callback) => callback.onTrainBegin?.(training));
      while (this.epoch < settings.epochs && this.stopped === undefined && (await this.trainEpoch())) this.epoch++;
    });
    await model.serving.end();
    // Each gets to clean up, whatever happened before.
    for (const callback of settings.callbacks) await attempt(() => callback.onTrainEnd?.(training));
    for (const source of Object.values(this.sources)) await attempt(() => source?.close());
    if (failure) throw failure.error;
    return { curves: this.curves, epochs: this.epoch, stopped: this.stopped };
  }

  /** Returns whether the epoch was trained to its end. */
  private async trainEpoch(): Promise<boolean> {
    const { epoch, settings, training } = this;
    settings.signal?.throwIfAborted();
    await this.callEach((callback) => callback.onEpochBegin?.(epoch, training));
    const figures = await this.pass();
    if (!figures) return false;
    this.compiled.optimizer.epoch++;
    const logs = { ...figures, ...(await this.validate()), learningRate: this.compiled.optimizer.learningRate.item() };
    for (const [name, value] of Object.entries(logs)) (this.curves[name] ??= []).push(value);
    await this.callEach((callback) => callback.onEpochEnd?.(epoch, logs, training));
    return true;
  }

  /** The steps of one epoch; undefined when a callback stopped the training since the loss is no longer finite. */
  private async pass(): Promise<Figures | undefined> {
    const { epoch, settings, training } = this;
    const { callbacks, threads, priority, signal } = settings;
    const { onProgress, onBatch, failed } = progressCaller(callbacks, training);
    const until = signal ? AbortSignal.any([signal, failed]) : failed;
    const runs = this.sources.training.epoch(epoch, 0, until);
    const work = { threads, priority, signal: until, within: this.claim };
    try {
      const figures = await this.batches.pass(runs, { ...work, tally: new Tally(), onProgress, onBatch });
      failed.throwIfAborted();
      return figures;
    } catch (error) {
      if (!isSimdnnError(error, "NonFiniteError")) throw error;
      const located = locatedIn(epoch, error);
      await this.callEach((callback) => callback.onNonFinite?.(located, training));
      if (this.stopped === undefined) throw located;
      failed.throwIfAborted();
      return undefined;
    }
  }

  private async validate(): Promise<Figures> {
    const { validation } = this.sources;
    const { validationData, threads, signal } = this.settings;
    if (!validation || !validationData) return {};
    const figures = await this.evaluator.pass(
      validationData,
      validation,
      only({ threads, signal, within: this.claim }),
    );
    return Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [`val${name[0]!.toUpperCase()}${name.slice(1)}`, value]),
    );
  }

  private lock(): void {
    this.claim.take([...this.model.weights.values()]);
  }

  /** Callbacks in turn, with the weights free meanwhile. */
  private async callEach(call: (callback: Callback) => void | Promise<void>): Promise<void> {
    if (this.settings.callbacks.length === 0) return;
    await this.model.serving.release();
    for (const callback of this.settings.callbacks) await call(callback);
    this.lock();
  }
}

type StepOptions = Partial<Pick<Settings, "callbacks" | "classWeight" | "augment" | "watch">>;

/** What a step does to train `model`: forward, loss, backward, update, and what callbacks add to it. */
export function trainingSteps(
  model: Model,
  compiled: Compiled,
  { callbacks = [], classWeight, augment, watch }: StepOptions = {},
): Batches {
  return new Batches(model.dtype, (batch) => {
    const watched = new Watcher(watch);
    const { cost, figures } = costAndFigures(model, compiled, batch, true, {
      classWeight,
      augment,
      onLayer: watched.onLayer,
    });
    const computed = gradients(cost, model.parameters);
    assertFinite(cost);
    watched.gradients(model.parameters, computed);
    compiled.optimizer.apply(model.parameters, computed);
    for (const callback of callbacks) callback.recordStep?.(model);
    return { ...figures, ...watched.figures };
  });
}

/** The same error, saying where training was when the loss stopped being a number. */
function locatedIn(epoch: number, error: SimdnnError<"NonFiniteError">): SimdnnError<"NonFiniteError"> {
  const located = nonFiniteError({ ...error.details, epoch, step: (error as StoppedAt).stepsDone });
  return Object.assign(located, {
    stack: `${located.name}: ${located.message}\n${error.stack?.split("\n").slice(1).join("\n")}`,
  });
}
