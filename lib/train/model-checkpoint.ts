// Model checkpoints: saves the model while it trains, to be used. What training itself can go on with is checkpoint.ts.
import { checkWritable } from "../files.js";
import { bool, isFunction, positiveInteger, requireOptions, wrongValue } from "../options.js";
import { Best, bestOptions, type BestOptions } from "./best.js";
import type { Callback, Logs } from "./callbacks.js";

export interface ModelCheckpointOptions extends BestOptions {
  /** The file; `{epoch}` in it stands for the number of epochs done. Or a function of the epoch, from 0, and the logs. */
  readonly path: string | ((epoch: number, logs: Logs) => string);
  /** Save only after epochs that are better than all before; default false. */
  readonly bestOnly?: boolean;
  /** Save after every so many epochs; default 1. */
  readonly every?: number;
}

/**
 * Saves the model after epochs, such as the best one. A crash leaves the last whole file. It holds no state of the training: to go on with one
 * that was broken off, use {@link checkpoint}.
 *
 * @throws OptionError for an unknown option or a wrong value; FileError before the training when the file cannot be written
 *
 * @example
 * ```ts
 * const best = modelCheckpoint({ path: "best.safetensors", bestOnly: true, monitor: "valAccuracy" });
 * await model.fit(train, { epochs: 2, validationData: dev, callbacks: [best, modelCheckpoint({ path: "run/epoch-{epoch}.safetensors" })] });
 * ```
 */
export function modelCheckpoint(options: ModelCheckpointOptions): Callback {
  const where = "modelCheckpoint";
  requireOptions(where, options, [...bestOptions, "path", "bestOnly", "every"]);
  const { path, bestOnly = false, every = 1 } = options;
  if (!isFunction(path) && (typeof path !== "string" || path === ""))
    throw wrongValue(where, "path", "a path or a function that makes one", path);
  bool(where, "bestOnly", bestOnly);
  positiveInteger(where, "every", every);
  const pathOf = (epoch: number, logs: Logs): string =>
    isFunction(path) ? path(epoch, logs) : path.replaceAll("{epoch}", String(epoch + 1));
  const best = new Best(where, options);
  return {
    onTrainBegin: async (training) => {
      if (bestOnly) best.begin(training);
      if (typeof path === "string") await checkWritable(pathOf(0, {}));
    },
    onEpochEnd: async (epoch, logs, { model }) => {
      if ((epoch + 1) % every !== 0 || (bestOnly && !best.update(epoch, logs))) return;
      await model.save(pathOf(epoch, logs));
    },
    getState: () => ({ best: best.state }),
    setState: (state) => best.resume(state.best),
  };
}
