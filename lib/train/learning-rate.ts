// Callbacks that change the learning rate between epochs. Schedules, which need no callback, are schedules.ts.
import { SimdnnError } from "../errors.js";
import {
  checkOptions,
  isFunction,
  nonNegativeInteger,
  nonNegativeNumber,
  positiveInteger,
  share,
  wrongValue,
} from "../options.js";
import { Best, bestOptions, type BestOptions } from "./best.js";
import type { Callback } from "./callbacks.js";

/**
 * Sets the learning rate by hand before each epoch: `rate(epoch, current)` gives the new one.
 *
 * @throws OptionError before the epoch, when it gives no positive number
 *
 * @example
 * ```ts
 * const callbacks = [learningRateScheduler((epoch, current) => (epoch > 0 && epoch % 10 === 0 ? current / 2 : current))];
 * await model.fit(train, { epochs: 3, callbacks });
 * ```
 */
export function learningRateScheduler(rate: (epoch: number, current: number) => number): Callback {
  if (!isFunction(rate)) throw wrongValue("learningRateScheduler", "rate", "a function of the epoch", rate);
  return {
    onEpochBegin: (epoch, { model: { optimizer } }) => {
      const next = rate(epoch, optimizer.learningRate.item());
      if (typeof next !== "number") throw wrongValue("learningRateScheduler", "rate", "a positive number", next);
      optimizer.setLearningRate(next);
    },
  };
}

export interface ReduceOnPlateauOptions extends BestOptions {
  /** What the rate is multiplied by, in (0, 1); default 0.1. */
  readonly factor?: number;
  /** Epochs without improvement after which to do it; default 10. */
  readonly patience?: number;
  /** Smallest change that counts as an improvement; default 1e-4. */
  readonly minDelta?: number;
  /** Epochs after a reduction in which to count nothing; default 0. */
  readonly cooldown?: number;
  /** The rate is not reduced below this; default 0. */
  readonly minRate?: number;
}

/**
 * Multiplies the learning rate by `factor` when the watched curve has not improved for `patience` epochs, with Keras's options and defaults.
 *
 * @throws OptionError for an unknown option or a wrong value; StateError when the optimizer has a schedule
 *
 * @example
 * ```ts
 * await model.fit(train, { epochs: 3, validationData: dev, callbacks: [reduceOnPlateau({ factor: 0.5, patience: 2 })] });
 * ```
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Callback {
  const where = "reduceOnPlateau";
  checkOptions(where, options, [...bestOptions, "factor", "patience", "minDelta", "cooldown", "minRate"]);
  const { factor = 0.1, patience = 10, minDelta = 1e-4, cooldown = 0, minRate = 0 } = options;
  share(where, "factor", factor);
  positiveInteger(where, "patience", patience);
  nonNegativeNumber(where, "minDelta", minDelta);
  nonNegativeInteger(where, "cooldown", cooldown);
  nonNegativeNumber(where, "minRate", minRate);
  const best = new Best(where, options, minDelta);
  let [waited, cooling] = [0, 0];
  return {
    onTrainBegin: (training) => {
      const { model } = training;
      if (model.optimizer.hasSchedule) {
        const message = `${where}: the learning rate follows a schedule; give ${model.optimizer.name} a number to reduce`;
        throw new SimdnnError("StateError", message, { where });
      }
      best.begin(training);
      [waited, cooling] = [0, 0];
    },
    onEpochEnd: (epoch, logs, { model: { optimizer } }) => {
      if (cooling > 0) [waited, cooling] = [0, cooling - 1];
      if (best.update(epoch, logs)) waited = 0;
      else if (cooling === 0 && ++waited >= patience) {
        const rate = optimizer.learningRate.item();
        if (rate > minRate) optimizer.setLearningRate(Math.max(rate * factor, minRate));
        [waited, cooling] = [0, cooldown];
      }
    },
    getState: () => ({ best: best.state, waited, cooling }),
    setState: (state) => {
      best.resume(state.best);
      [waited, cooling] = [Number(state.waited), Number(state.cooling)];
    },
  };
}
