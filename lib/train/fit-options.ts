// What fit() is told, checked before any work, with defaults filled in.
import type { Dataset } from "../data/dataset.js";
import type { Model } from "../model.js";
import {
  bool,
  checkOptions,
  nonNegativeInteger,
  nonNegativeNumber,
  oneOf,
  only,
  positiveInteger,
  wrongValue,
} from "../options.js";
import { resolveSeed } from "../random.js";
import { checkCallbacks, type Callback } from "./callbacks.js";
import { checkData } from "./check-data.js";
import { checkWork } from "./check-work.js";
import type { ClassWeight } from "./cost.js";
import { watchable, type Watched } from "./watch.js";

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
  /**
   * Norms to follow through the layers, as curves of the history: `activations.dense1` is the root of the mean square of a layer's outputs,
   * `gradients.dense1` the Euclidean norm of the gradient of its parameters, before clipping; both over the steps of an epoch. {@link gradientFlow}
   * reads them. Default: none.
   */
  readonly watch?: readonly Watched[];
  /**
   * What the loss of an example counts, by its class: `{ 3: 10 }` or a number per class; classes left out count 1. Multiplies with the dataset's
   * sample weights. The loss is `1/m Σ weight · loss` as in Keras; PyTorch divides by the sum of the weights. Validation is not weighted by it.
   */
  readonly classWeight?: ClassWeight;
  /** Threads that the kernels may use. Default: setThreads(). Results do not depend on it. */
  readonly threads?: number;
  /** Among the trainings of a process, those of higher priority go first. Default: 0. */
  readonly priority?: number;
  /** Ends training before the next step; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const optionNames: readonly (keyof FitOptions)[] = [
  "epochs", "batchSize", "dropLast", "shuffle", "seed", "validationData", "callbacks", "watch", "classWeight", "threads", "priority", "signal",
]; // prettier-ignore

export type Settings = Required<Pick<FitOptions, "epochs" | "batchSize" | "dropLast" | "shuffle" | "callbacks">> &
  FitOptions & { readonly seed: number };

/** @throws OptionError, ShapeError for options that do not fit each other, the model or the data */
export function checkFitOptions(model: Model, data: Dataset, options: FitOptions): Settings {
  const where = "fit";
  checkOptions(where, options, optionNames);
  const settings = {
    epochs: 1,
    batchSize: 32,
    dropLast: false,
    shuffle: true,
    callbacks: [],
    ...only(options),
    seed: resolveSeed(where, options.seed ?? model.seed),
  };
  positiveInteger(where, "epochs", settings.epochs);
  positiveInteger(where, "batchSize", settings.batchSize);
  bool(where, "dropLast", settings.dropLast);
  bool(where, "shuffle", settings.shuffle);
  checkWork(where, options);
  checkCallbacks(where, settings.callbacks);
  if (settings.watch !== undefined && !Array.isArray(settings.watch))
    throw wrongValue(where, "watch", 'an array such as ["gradients"]', settings.watch);
  for (const watched of settings.watch ?? []) oneOf(where, "watch", watched, watchable);
  for (const [label, weight] of Object.entries(options.classWeight ?? {})) {
    nonNegativeInteger(where, "classWeight", Number(label));
    nonNegativeNumber(where, "classWeight", weight);
  }
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
