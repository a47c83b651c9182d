// Early stopping: ends training when a curve has stopped improving, and puts the best weights back.
import { bool, checkOptions, nonNegativeNumber, oneOf, positiveInteger, wrongValue } from "../options.js";
import type { TypedArray } from "../tensor.js";
import type { Callback, Logs, Training } from "./callbacks.js";

export interface BestOptions {
  /** The curve to watch. Default: "valLoss", or "loss" where there is no validation data. */
  readonly monitor?: string;
  /** Whether small or large is good. Default: "max" for accuracies, else "min". */
  readonly mode?: "min" | "max";
}

export interface EarlyStoppingOptions extends BestOptions {
  /** Epochs without improvement after which to stop. Default: 3. */
  readonly patience?: number;
  /** Smallest change that counts as an improvement. Default: 0. */
  readonly minDelta?: number;
  /** Put the best epoch's weights back at the end, also after an abort. Default: true. */
  readonly restoreBest?: boolean;
}

/** Remembers the best epoch of a curve and its weights. */
class Best {
  epoch = -1;
  private value = NaN;
  private weights: ReadonlyMap<string, TypedArray> | undefined;

  constructor(
    private readonly where: string,
    private readonly options: BestOptions,
    private readonly minDelta: number,
  ) {}

  /** Whether this epoch is better than all before it. */
  update(epoch: number, logs: Logs, training: Training): boolean {
    const { monitor = "valLoss" in logs ? "valLoss" : "loss" } = this.options;
    const value = logs[monitor];
    if (value === undefined) throw wrongValue(this.where, "monitor", `one of ${Object.keys(logs).join(", ")}`, monitor);
    const sign = (this.options.mode ?? (/accuracy/i.test(monitor) ? "max" : "min")) === "max" ? -1 : 1;
    if (this.epoch >= 0 && !(sign * value < sign * this.value - this.minDelta)) return false;
    this.epoch = epoch;
    this.value = value;
    this.weights = training.model.getWeights();
    return true;
  }

  restore({ model }: Training): void {
    if (this.weights) model.setWeights(this.weights);
  }
}

/**
 * Stops when the watched curve has not improved for `patience` epochs and puts the best weights back.
 *
 * @example
 * ```ts
 * await model.fit(train, { epochs: 100, validationData: dev, callbacks: [earlyStopping({ patience: 3 })] });
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const where = "earlyStopping";
  checkOptions(where, options, ["monitor", "mode", "patience", "minDelta", "restoreBest"]);
  const { patience = 3, minDelta = 0, restoreBest = true, mode } = options;
  positiveInteger(where, "patience", patience);
  nonNegativeNumber(where, "minDelta", minDelta);
  bool(where, "restoreBest", restoreBest);
  if (mode !== undefined) oneOf(where, "mode", mode, ["min", "max"]);
  let best = new Best(where, options, minDelta);
  return {
    onTrainBegin: () => {
      best = new Best(where, options, minDelta);
    },
    onEpochEnd: (epoch, logs, training) => {
      if (!best.update(epoch, logs, training) && epoch - best.epoch >= patience) training.stop("earlyStopping");
    },
    onTrainEnd: (training) => {
      if (restoreBest) best.restore(training);
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
  checkOptions("keepBest", options, ["monitor", "mode"]);
  return earlyStopping({ ...options, patience: Number.MAX_SAFE_INTEGER });
}
