// What the curves of a training say: whether it was over, and when it began to fit the training set only. Finding errors is model-error.ts.
import { wrongValue } from "../options.js";
import type { History } from "../train/fit.js";

/** What stands out in the curves of a training. */
export interface TrainingReading {
  /** By what share of itself the cost fell per epoch, over the last quarter of the epochs; negative where it rose. */
  readonly fallPerEpoch: number;
  /** Whether that is more than 1 %. */
  readonly stillFalling: boolean;
  /** The epoch with the lowest loss on the validation data, from 0; undefined where there was none. */
  readonly bestEpoch: number | undefined;
  /** Whether the validation loss has risen by more than 2 % since then, while the cost has fallen. */
  readonly overfitting: boolean;
  /** The same in words. */
  readonly remarks: readonly string[];
}

/** @throws OptionError for what is no history, or one of no epochs */
export function readTraining(where: string, history: Pick<History, "curves">): TrainingReading {
  const cost = history?.curves?.cost ?? history?.curves?.loss;
  if (!cost || cost.length === 0) throw wrongValue(where, "history", "what fit() returned after some epochs", history);
  const validation = history.curves.valLoss;
  const span = Math.max(1, Math.floor(cost.length / 4));
  const [before, last] = [cost.at(-1 - span), cost.at(-1)!];
  const fallPerEpoch = before === undefined || !(before > 0) ? 0 : 1 - Math.max(last / before, 0) ** (1 / span);
  const stillFalling = fallPerEpoch > 0.01;
  const bestEpoch = validation?.reduce((best, loss, epoch) => (loss < validation[best]! ? epoch : best), 0);
  const overfitting =
    bestEpoch !== undefined && validation!.at(-1)! > 1.02 * validation![bestEpoch]! && last < cost[bestEpoch]!;
  const percent = (100 * Math.abs(fallPerEpoch)).toFixed(1);
  const remarks = [
    before === undefined
      ? "one epoch is not enough to see where the cost is going"
      : stillFalling
        ? `the cost was still falling, by ${percent} % per epoch: train longer, or with a higher learning rate`
        : fallPerEpoch < -0.01
          ? `the cost was rising, by ${percent} % per epoch: lower the learning rate`
          : "the cost had levelled off",
    ...(overfitting
      ? [`the loss on the dev set has risen since epoch ${bestEpoch}, from ${validation![bestEpoch]!.toPrecision(3)} to ${validation!.at(-1)!.toPrecision(3)}, while the cost fell: stop there (earlyStopping), or regularize`]
      : []),
  ]; // prettier-ignore
  return { fallPerEpoch, stillFalling, bestEpoch, overfitting, remarks };
}
