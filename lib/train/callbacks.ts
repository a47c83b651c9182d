// What callbacks are and what they may do. The callbacks themselves are beside this file.
import type { SimdnnError } from "../errors.js";
import type { Model } from "../model.js";

/** Loss and metrics by name; at the end of an epoch also those of the validation data, as `valLoss`, `valAccuracy` …, and the learning rate. */
export type Logs = Readonly<Record<string, number>>;

/** The training that a callback takes part in. */
export interface Training {
  readonly model: Model;
  /** Epochs asked for. */
  readonly epochs: number;
  /** Steps in an epoch. */
  readonly steps: number;
  /** Ends the training after this epoch. `reason` goes into the history. */
  stop(reason: string): void;
}

/**
 * Functions that fit() calls on the JavaScript thread; promises are awaited. Between epochs the weights are free to be read, evaluated or set.
 *
 * @example
 * ```ts
 * const log: Callback = { onEpochEnd: (epoch, { loss }) => console.log(epoch, loss) };
 * ```
 */
export interface Callback {
  onTrainBegin?(training: Training): void | Promise<void>;
  /** `epoch` counts from 0. */
  onEpochBegin?(epoch: number, training: Training): void | Promise<void>;
  /**
   * While an epoch runs, at most every 50 ms: steps run natively, many of them between two calls. `logs` are the epoch's so far.
   * Must not be async: training goes on meanwhile and the weights are locked.
   */
  onProgress?(step: number, logs: Logs, training: Training): void;
  /**
   * Once for each step, in order, with the figures of its batch alone. Steps run natively, so calls come after the fact, many at a time: whenever
   * onProgress is called, and at the end of the epoch. Must not be async. `step` counts from 0 in each epoch.
   */
  onBatchEnd?(step: number, logs: Logs, training: Training): void;
  /** When the loss is no longer finite; `stop` then ends the training with the weights of the last whole step, instead of a rejection. */
  onNonFinite?(error: SimdnnError<"NonFiniteError">, training: Training): void | Promise<void>;
  onEpochEnd?(epoch: number, logs: Logs, training: Training): void | Promise<void>;
  /** Also called when training failed or was aborted. */
  onTrainEnd?(training: Training): void | Promise<void>;
  /**
   * Called before all others, while a training step is being recorded, once per size of batch: the ops that it applies run natively at the end of
   * every step, after the update. A number that it reads in JavaScript is frozen.
   */
  recordStep?(model: Model): void;
}

/** Calls what runs during an epoch from native progress events. A callback that throws ends the fit, but not from inside the event. */
export function progressCaller(callbacks: readonly Callback[], training: Training, batchSize: number) {
  let thrown: { error: unknown } | undefined;
  const guarded =
    <A extends readonly unknown[]>(call: (...args: A) => void) =>
    (...args: A): void => {
      if (thrown) return;
      try {
        call(...args);
      } catch (error) {
        thrown = { error };
      }
    };
  const progress = guarded((examplesDone: number, logs: Logs) => {
    for (const callback of callbacks) callback.onProgress?.(Math.ceil(examplesDone / batchSize), logs, training);
  });
  const perBatch = callbacks.filter((callback) => "onBatchEnd" in callback);
  const batch = guarded((step: number, logs: Logs) => {
    for (const callback of perBatch) callback.onBatchEnd?.(step, logs, training);
  });
  return {
    onProgress: progress,
    onBatch: perBatch.length === 0 ? undefined : batch,
    rethrow: (): void => {
      if (thrown) throw thrown.error;
    },
  };
}
