// The training loop: epochs of native passes over shuffled rows, validation and callbacks between them.
import { Claim } from "../claim.js";
import type { Dataset } from "../data/dataset.js";
import { isSimdnnError, nonFiniteError } from "../errors.js";
import type { Compiled, Model } from "../model.js";
import { gradients } from "../ops/gradient.js";
import { assertFinite } from "../ops/guard.js";
import { only } from "../options.js";
import type { StoppedAt } from "../program.js";
import { deriveSeed, randomStream } from "../random.js";
import { Batches, type PassOptions } from "./batches.js";
import { progressCaller, type Callback, type Training } from "./callbacks.js";
import { costAndFigures } from "./cost.js";
import { Evaluator } from "./evaluate.js";
import { warnOfSymmetry } from "./symmetry.js";
import { Watcher } from "./watch.js";
import { checkFitOptions, type FitOptions, type Settings } from "./fit-options.js";

export interface History {
  /** One number per epoch and curve: `loss`, with regularizers `cost`, the metrics, and those of the validation data as `valLoss` …, and `learningRate`, that of the epoch's last step. */
  readonly curves: Readonly<Record<string, readonly number[]>>;
  /** Whole epochs trained. */
  readonly epochs: number;
  /** What a callback ended training for, undefined when all epochs were trained. */
  readonly stopped: string | undefined;
}

export async function fit(model: Model, compiled: Compiled, data: Dataset, options: FitOptions): Promise<History> {
  const settings = checkFitOptions(model, data, options);
  const { epochs, batchSize, callbacks, validationData, threads, signal } = settings;
  const { optimizer } = compiled;
  const batches = trainingSteps(model, compiled, data, settings);
  const count = settings.dropLast ? data.size - (data.size % batchSize) : data.size;
  batches.prepare(count, batchSize);
  warnOfSymmetry(model);

  const curves: Record<string, number[]> = {};
  let stopped: string | undefined;
  let epoch = 0;
  const training: Training = {
    model,
    epochs,
    steps: Math.ceil(count / batchSize),
    stop: (reason) => {
      stopped = reason;
    },
  };
  const claim = new Claim("being trained", "await the fit() promise first");
  const weights = [...model.weights.values()];
  /** Callbacks in turn, with the weights free meanwhile. */
  const callEach = async (call: (callback: Callback) => void | Promise<void>): Promise<void> => {
    claim.release();
    for (const callback of callbacks) await call(callback);
    claim.take(weights);
  };
  claim.take(weights);
  let failure: { readonly error: unknown } | undefined;
  try {
    const evaluator = new Evaluator(model, compiled);
    await callEach((callback) => callback.onTrainBegin?.(training));
    for (; epoch < epochs && stopped === undefined; epoch++) {
      signal?.throwIfAborted();
      await callEach((callback) => callback.onEpochBegin?.(epoch, training));
      const rows = orderOf(data.rows, settings, epoch).subarray(0, count);
      const { onProgress, onBatch, failed } = progressCaller(callbacks, training, batchSize);
      const until = signal ? AbortSignal.any([signal, failed]) : failed;
      const pass = { ...settings, within: claim, signal: until, onProgress, onBatch };
      const logs = await runPass(batches, rows, epoch, pass).catch(async (error: unknown) => {
        if (!isSimdnnError(error, "NonFiniteError")) throw error;
        await callEach((callback) => callback.onNonFinite?.(error, training));
        if (stopped === undefined) throw error;
      });
      failed.throwIfAborted();
      if (!logs) break;
      optimizer.epoch++;
      const validation = validationData
        ? await evaluator.evaluate(validationData, only({ threads, signal }), claim)
        : {};
      for (const [name, value] of Object.entries(validation))
        logs[`val${name[0]!.toUpperCase()}${name.slice(1)}`] = value;
      logs.learningRate = optimizer.learningRate.item();
      for (const [name, value] of Object.entries(logs)) (curves[name] ??= []).push(value);
      await callEach((callback) => callback.onEpochEnd?.(epoch, logs, training));
    }
  } catch (error) {
    failure = { error };
  }
  claim.release();
  // Each gets to clean up, whatever happened before; what happened first is what the caller is told.
  for (const callback of callbacks) {
    try {
      await callback.onTrainEnd?.(training);
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure) throw failure.error;
  return { curves, epochs: epoch, stopped };
}

/** What a pass over `data` does to train `model`: forward, loss, backward, update, and what callbacks add to a step. */
export function trainingSteps(
  model: Model,
  compiled: Compiled,
  data: Dataset,
  { callbacks = [], classWeight, watch }: Pick<FitOptions, "callbacks" | "classWeight" | "watch"> = {},
): Batches {
  return new Batches(data, model.dtype, (batch) => {
    const watched = new Watcher(watch);
    const { cost, figures } = costAndFigures(model, compiled, batch, true, { classWeight, onLayer: watched.onLayer });
    const computed = gradients(cost, model.parameters);
    assertFinite(cost);
    watched.gradients(model.parameters, computed);
    compiled.optimizer.apply(model.parameters, computed);
    for (const callback of callbacks) callback.recordStep?.(model);
    return { ...figures, ...watched.figures };
  });
}

/** The rows of one epoch: a function of the seed and the epoch alone, so that training can be taken up again anywhere. */
function orderOf(rows: Int32Array, { shuffle, seed }: Settings, epoch: number): Int32Array {
  const order = rows.slice();
  if (shuffle) randomStream(deriveSeed(seed, epoch)).shuffle(order);
  return order;
}

/** One epoch; says where it was when the loss stopped being a number. */
async function runPass(
  batches: Batches,
  rows: Int32Array,
  epoch: number,
  settings: Settings & PassOptions,
): Promise<Record<string, number>> {
  const { threads, priority, signal, within, onProgress, onBatch } = settings;
  try {
    return await batches.pass(rows, settings.batchSize, { threads, priority, signal, within, onProgress, onBatch });
  } catch (error) {
    if (!isSimdnnError(error, "NonFiniteError")) throw error;
    const located = nonFiniteError({
      ...error.details,
      epoch,
      step: (error as StoppedAt).stepsDone,
    });
    throw Object.assign(located, {
      stack: `${located.name}: ${located.message}\n${error.stack?.split("\n").slice(1).join("\n")}`,
    });
  }
}
