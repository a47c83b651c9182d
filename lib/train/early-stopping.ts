// Callbacks that end training: when a curve has stopped improving, with the best weights put back, or when the loss is no longer finite.
import { bool, checkOptions, nonNegativeNumber, positiveInteger } from "../options.js";
import type { TypedArray } from "../tensor.js";
import { Best, bestOptions, type BestOptions } from "./best.js";
import type { Callback } from "./callbacks.js";

export interface EarlyStoppingOptions extends BestOptions {
  /** Epochs without improvement after which to stop. Default: 3. */
  readonly patience?: number;
  /** Smallest change that counts as an improvement. Default: 0. */
  readonly minDelta?: number;
  /** Put the best epoch's weights back at the end, also after an abort. Default: true. */
  readonly restoreBest?: boolean;
}

/**
 * Stops when the watched curve has not improved for `patience` epochs and puts the best weights back.
 *
 * @throws OptionError for an unknown option or a wrong value; from fit(), before the training, when it will not have the curve: that of `valLoss` needs
 *   validation data
 *
 * @example
 * ```ts
 * await model.fit(train, { epochs: 100, validationData: dev, callbacks: [earlyStopping({ patience: 3 })] });
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  checkOptions("earlyStopping", options, [...bestOptions, "patience", "minDelta", "restoreBest"]);
  return stopping("earlyStopping", options);
}

function stopping(where: string, options: EarlyStoppingOptions): Callback {
  const { patience = 3, minDelta = 0, restoreBest = true } = options;
  positiveInteger(where, "patience", patience);
  nonNegativeNumber(where, "minDelta", minDelta);
  bool(where, "restoreBest", restoreBest);
  const best = new Best(where, options, minDelta);
  let weights: ReadonlyMap<string, TypedArray> | undefined;
  return {
    onTrainBegin: (training) => {
      best.begin(training);
      weights = undefined;
    },
    onEpochEnd: (epoch, logs, training) => {
      if (best.update(epoch, logs)) weights = restoreBest ? training.model.getWeights() : undefined;
      else if (epoch - best.epoch >= patience) training.stop("earlyStopping");
    },
    onTrainEnd: ({ model }) => {
      if (weights) model.setWeights(weights);
    },
    getState: () => ({ best: best.state, weights: weights ? Object.fromEntries(weights) : null }),
    setState: (state) => {
      best.resume(state.best);
      weights = state.weights ? new Map(Object.entries(state.weights as Record<string, TypedArray>)) : undefined;
    },
  };
}

/**
 * Trains to the end, then puts back the weights of the best epoch, also after an abort.
 *
 * @example
 * ```ts
 * await model.fit(train, { epochs: 20, validationData: dev, callbacks: [keepBest({ monitor: "valAccuracy" })] });
 * ```
 */
export function keepBest(options: BestOptions = {}): Callback {
  checkOptions("keepBest", options, bestOptions);
  return stopping("keepBest", { ...options, patience: Number.MAX_SAFE_INTEGER });
}

/**
 * Ends the training with the weights of the last whole step when the loss is no longer finite; `history.stopped` is then "terminateOnNaN".
 * Without it fit() rejects with a NonFiniteError, and the weights are the same.
 *
 * @example
 * ```ts
 * await model.fit(train, { epochs: 2, callbacks: [terminateOnNaN()] });
 * ```
 */
export function terminateOnNaN(): Callback {
  return { onNonFinite: (_, training) => training.stop("terminateOnNaN") };
}
