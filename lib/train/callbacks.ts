// What callbacks are and what they may do. The callbacks themselves are beside this file.
import type { Model } from "../model.js";

/** Loss and metrics by name; of the validation data as `valLoss`, `valAccuracy` … */
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
   * While an epoch runs, at most every 50 ms: steps run natively, many of them between two calls. `logs` are means over the epoch so far.
   * Must not be async: training goes on meanwhile and the weights are locked.
   */
  onProgress?(step: number, logs: Logs, training: Training): void;
  onEpochEnd?(epoch: number, logs: Logs, training: Training): void | Promise<void>;
  /** Also called when training failed or was aborted. */
  onTrainEnd?(training: Training): void | Promise<void>;
}
