// The training loop: epochs of native passes over shuffled rows, validation and callbacks between them.
import { Claim } from "../claim.js";
import type { Dataset } from "../data/dataset.js";
import { nonFiniteError, SimdnnError } from "../errors.js";
import type { Compiled, Model } from "../model.js";
import { bool, checkOptions, nonNegativeInteger, positiveInteger, wrongValue } from "../options.js";
import type { StoppedAt } from "../program.js";
import { deriveSeed, randomStream, resolveSeed } from "../random.js";
import { Batches, type PassOptions } from "./batches.js";
import type { Callback, Training } from "./callbacks.js";
import { checkData } from "./check-data.js";
import { costAndFigures } from "./cost.js";
import { Evaluator } from "./evaluate.js";

export interface FitOptions {
  /** Passes over the data. Default: 1. */
  readonly epochs?: number;
  /** Examples per step; the last step of an epoch takes what is left over. Default: 32. */
  readonly batchSize?: number;
  /** Leave out the last step of an epoch when it would be short. Default: false. */
  readonly dropLast?: boolean;
  /** Take the examples in a new random order in each epoch. Default: true. */
  readonly shuffle?: boolean;
  /** Decides the order of examples. Default: the model's seed. */
  readonly seed?: number;
  /** Data whose loss and metrics are reported after each epoch as `valLoss`, `valAccuracy` … */
  readonly validationData?: Dataset;
  readonly callbacks?: readonly Callback[];
  /** Threads that the kernels may use. Default: setThreads(). Results do not depend on it. */
  readonly threads?: number;
  /** Among the trainings of a process, those of higher priority go first. Default: 0. */
  readonly priority?: number;
  /** Ends training before the next step; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface History {
  /** One number per epoch and curve: `loss`, with regularizers `cost`, the metrics, and those of the validation data as `valLoss` …, and `learningRate`, that of the epoch's last step. */
  readonly curves: Readonly<Record<string, readonly number[]>>;
  /** Whole epochs trained. */
  readonly epochs: number;
  /** What a callback ended training for, undefined when all epochs were trained. */
  readonly stopped: string | undefined;
}

const optionNames: readonly (keyof FitOptions)[] = [
  "epochs", "batchSize", "dropLast", "shuffle", "seed", "validationData", "callbacks", "threads", "priority", "signal",
]; // prettier-ignore

export async function fit(model: Model, compiled: Compiled, data: Dataset, options: FitOptions): Promise<History> {
  const settings = check(model, data, options);
  const { epochs, batchSize, callbacks, validationData, threads, signal } = settings;
  const { optimizer } = compiled;
  const batches = trainingSteps(model, compiled, data);
  const count = settings.dropLast ? data.size - (data.size % batchSize) : data.size;
  batches.prepare(count, batchSize);

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
  try {
    const evaluator = new Evaluator(model, compiled);
    await callEach((callback) => callback.onTrainBegin?.(training));
    for (; epoch < epochs && stopped === undefined; epoch++) {
      signal?.throwIfAborted();
      await callEach((callback) => callback.onEpochBegin?.(epoch, training));
      const rows = orderOf(data.rows, settings, epoch).subarray(0, count);
      const progress = progressCaller(callbacks, training, batchSize);
      const logs: Record<string, number> = await runPass(batches, rows, epoch, {
        ...settings,
        within: claim,
        onProgress: progress.call,
      });
      progress.rethrow();
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
  } finally {
    claim.release();
    for (const callback of callbacks) await callback.onTrainEnd?.(training);
  }
  return { curves, epochs: epoch, stopped };
}

/** What a pass over `data` does to train `model`: forward, loss, backward, update. */
export function trainingSteps(model: Model, compiled: Compiled, { inputs, targets }: Dataset): Batches {
  return new Batches(inputs, targets, (x, y) => {
    const { cost, figures } = costAndFigures(model, compiled, x, y, true);
    compiled.optimizer.minimize(cost, model.parameters);
    return figures;
  });
}

/** The options that are there. */
function only<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

type Settings = Required<Pick<FitOptions, "epochs" | "batchSize" | "dropLast" | "shuffle" | "callbacks">> &
  FitOptions & { readonly seed: number };

function check(model: Model, data: Dataset, options: FitOptions): Settings {
  const where = "fit";
  checkOptions(where, options, optionNames);
  const settings = {
    epochs: 1,
    batchSize: 32,
    dropLast: false,
    shuffle: true,
    callbacks: [],
    ...options,
    seed: resolveSeed(where, options.seed ?? model.seed),
  };
  positiveInteger(where, "epochs", settings.epochs);
  positiveInteger(where, "batchSize", settings.batchSize);
  bool(where, "dropLast", settings.dropLast);
  bool(where, "shuffle", settings.shuffle);
  if (options.threads !== undefined) positiveInteger(where, "threads", options.threads);
  if (options.priority !== undefined) nonNegativeInteger(where, "priority", options.priority);
  const { callbacks } = settings;
  if (!Array.isArray(callbacks) || !callbacks.every((callback) => typeof callback === "object" && callback !== null))
    throw wrongValue(where, "callbacks", "an array of objects with onEpochEnd or the like", callbacks);
  checkData(where, model, data);
  if (options.validationData) checkData(where, model, options.validationData, "validationData");
  if (settings.dropLast && data.size < settings.batchSize)
    throw wrongValue(
      where,
      "batchSize",
      `at most ${data.size}, the number of examples, with dropLast`,
      settings.batchSize,
    );
  return settings;
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
  const { threads, priority, signal, within, onProgress } = settings;
  try {
    return await batches.pass(rows, settings.batchSize, { threads, priority, signal, within, onProgress });
  } catch (error) {
    if (!(error instanceof SimdnnError) || error.code !== "NonFiniteError") throw error;
    const located = nonFiniteError({
      ...(error as SimdnnError<"NonFiniteError">).details,
      epoch,
      step: (error as StoppedAt).stepsDone,
    });
    throw Object.assign(located, {
      stack: `${located.name}: ${located.message}\n${error.stack?.split("\n").slice(1).join("\n")}`,
    });
  }
}

/** Calls onProgress from native progress events. A callback that throws ends the fit, but not from inside the event. */
function progressCaller(callbacks: readonly Callback[], training: Training, batchSize: number) {
  let thrown: { error: unknown } | undefined;
  return {
    call: (examplesDone: number, means: Record<string, number>): void => {
      if (thrown) return;
      try {
        for (const callback of callbacks) callback.onProgress?.(Math.ceil(examplesDone / batchSize), means, training);
      } catch (error) {
        thrown = { error };
      }
    },
    rethrow: (): void => {
      if (thrown) throw thrown.error;
    },
  };
}
