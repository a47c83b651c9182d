// What fit() is told, checked before any work, with defaults filled in.
import { Dataset } from "../data/dataset.js";
import type { Model } from "../model.js";
import {
  bool,
  checkOptions,
  isArray,
  isFunction,
  nonNegativeInteger,
  oneOf,
  only,
  positiveInteger,
  wrongValue,
} from "../options.js";
import { resolveSeed } from "../random.js";
import type { Augmentation } from "./augmentation.js";
import { checkData } from "./check-data.js";
import { checkCallbacks, type Callback } from "./callbacks.js";
import { checkWork } from "./check-work.js";
import { resolveClassWeight, type ClassWeight } from "./class-weight.js";
import { isStreamed, sourceOf, type Source, type TrainingData } from "./source.js";
import type { Order } from "./training-file.js";
import { watchable, type Watched } from "./watch.js";

/** What fit() does with a step that is NaN or infinite. */
export type NonFinite = "stop" | "skip";

/** @internal */
export const nonFiniteChoices: readonly NonFinite[] = ["stop", "skip"];

export interface FitOptions {
  /** Passes over the data. Default: 1. */
  readonly epochs?: number;
  /** Examples per step; the last step of an epoch takes what is left over. Batches of a stream stay as they are. Default: 32. */
  readonly batchSize?: number;
  /** Leave out the last step of an epoch when it would be short. Default: false. */
  readonly dropLast?: boolean;
  /** Take the examples of a dataset in a new random order in each epoch. Default: true. */
  readonly shuffle?: boolean;
  /** Decides the order of examples. Default: the model's seed. */
  readonly seed?: number;
  /** Batches of a stream that make an epoch; the next one goes on where it ended. Default: all, and the next epoch opens the stream anew. */
  readonly stepsPerEpoch?: number;
  /** Batches of a stream to hold ready, while others are trained on. Default: 2. */
  readonly prefetch?: number;
  /** Data whose loss and metrics are reported after each epoch as `valLoss`, `valAccuracy` … */
  readonly validationData?: TrainingData;
  /** As `stepsPerEpoch`, for a stream of validation data. */
  readonly validationSteps?: number;
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
   * "balanced" makes it `m / (classes · examples of the class)`, as in scikit-learn, so that all classes count alike.
   */
  readonly classWeight?: ClassWeight | "balanced";
  /** Changes each batch before training sees it, inputs and targets together: {@link mixUp}, or a function of your own written in ops. */
  readonly augment?: Augmentation;
  /**
   * What to do with a step that is NaN or infinite. "stop" rejects with a NonFiniteError as soon as the loss is, or what an update would write.
   * "skip" looks at the loss and at every gradient before the update and leaves the step out, as if its batch did not exist: weights, optimizer,
   * running averages and counters stay as they were. The curve `skipped` counts such steps; an epoch of nothing else rejects all the same.
   * Default: "stop".
   */
  readonly nonFinite?: NonFinite;
  /** Threads that the kernels may use. Default: setThreads(). Results do not depend on it. */
  readonly threads?: number;
  /** Among the trainings of a process, those of higher priority go first. Default: 0. */
  readonly priority?: number;
  /** Ends training before the next step; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const optionNames: readonly (keyof FitOptions)[] = [
  "epochs", "batchSize", "dropLast", "shuffle", "seed", "stepsPerEpoch", "prefetch", "validationData", "validationSteps", "callbacks",
  "watch", "classWeight", "augment", "nonFinite", "threads", "priority", "signal",
]; // prettier-ignore

export type Settings = Required<
  Pick<FitOptions, "epochs" | "batchSize" | "dropLast" | "shuffle" | "nonFinite" | "callbacks">
> &
  Omit<FitOptions, "classWeight"> & { readonly seed: number; readonly classWeight?: ClassWeight };

/** @throws OptionError for options of the wrong kind, or that do not fit each other or the data */
export function checkFitOptions(model: Model, data: TrainingData, options: FitOptions): Settings {
  const where = "fit";
  if (!isStreamed(data)) checkData(where, model, data); // first: whoever passes inputs and targets by themselves is wrong there
  checkOptions(where, options, optionNames);
  const settings = {
    epochs: 1,
    batchSize: 32,
    dropLast: false,
    shuffle: data instanceof Dataset,
    nonFinite: "stop" as const,
    callbacks: [],
    ...only(options),
    seed: resolveSeed(where, options.seed ?? model.seed),
  };
  for (const name of ["epochs", "batchSize", "stepsPerEpoch", "validationSteps"] as const)
    if (settings[name] !== undefined) positiveInteger(where, name, settings[name]);
  if (settings.prefetch !== undefined) nonNegativeInteger(where, "prefetch", settings.prefetch);
  for (const name of ["dropLast", "shuffle"] as const) {
    bool(where, name, settings[name]);
    if (settings[name] && !(data instanceof Dataset))
      throw wrongValue(where, name, "false with a stream, which comes as it comes,", true);
  }
  oneOf(where, "nonFinite", settings.nonFinite, nonFiniteChoices);
  checkWork(where, options);
  checkCallbacks(where, settings.callbacks);
  if (settings.watch !== undefined && !isArray(settings.watch))
    throw wrongValue(where, "watch", 'an array such as ["gradients"]', settings.watch);
  for (const watched of settings.watch ?? []) oneOf(where, "watch", watched, watchable);
  if (settings.augment !== undefined && !isFunction(settings.augment))
    throw wrongValue(where, "augment", "a function of a batch such as mixUp()", settings.augment);
  if (data instanceof Dataset && settings.dropLast && data.size < settings.batchSize)
    throw wrongValue(
      where,
      "batchSize",
      `at most ${data.size}, the number of examples, with dropLast`,
      settings.batchSize,
    );
  const { classWeight, ...rest } = settings;
  return classWeight === undefined ? rest : { ...rest, classWeight: resolveClassWeight(where, classWeight, data) };
}

/** @throws OptionError, ShapeError for data that does not fit the model */
export function sourcesOf(
  model: Model,
  data: TrainingData,
  { batchSize, dropLast, stepsPerEpoch, prefetch, validationData, validationSteps }: Settings,
): { readonly training: Source; readonly validation: Source | undefined } {
  const training = sourceOf("fit", model, data, { batchSize, dropLast, stepsPerEpoch, prefetch });
  const inference = { batchSize: 256, stepsPerEpoch: validationSteps, prefetch };
  const validation =
    validationData === undefined ? undefined : sourceOf("fit", model, validationData, inference, "validationData");
  return { training, validation };
}

/** What decides the examples of each step. */
export function orderOf(data: TrainingData, settings: Settings): Order {
  const { seed, batchSize, shuffle, dropLast, stepsPerEpoch = null } = settings;
  return { seed, batchSize, shuffle, dropLast, stepsPerEpoch, examples: data instanceof Dataset ? data.size : null };
}

/**
 * The settings of a training that goes on, which takes over a seed that was drawn.
 * @throws OptionError where they or the data are not what the training began with
 */
export function sameOrder(data: TrainingData, settings: Settings, { seed }: FitOptions, before: Order): Settings {
  const now = { ...orderOf(data, settings), seed: seed ?? before.seed };
  for (const key of Object.keys(now) as (keyof Order)[])
    if (now[key] !== before[key])
      throw wrongValue("fit", key, `${before[key]}, with which the training began that is to be resumed,`, now[key]);
  return { ...settings, seed: before.seed };
}
