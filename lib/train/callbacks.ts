// What callbacks are and what they may do. The callbacks themselves are beside this file.
import { types } from "node:util";
import type { SimdnnError } from "../errors.js";
import type { Model } from "../model.js";
import { isArray, isFunction, isObject, unknownOption, wrongValue } from "../options.js";
import type { Tensor, TypedArray } from "../tensor.js";
import type { PassOptions } from "./batches.js";

/** Loss and metrics by name; at the end of an epoch also those of the validation data, as `valLoss`, `valAccuracy` …, and the learning rate. */
export type Logs = Readonly<Record<string, number>>;

/** The training that a callback takes part in. */
export interface Training {
  readonly model: Model;
  /** Epochs asked for. */
  readonly epochs: number;
  /** Steps in an epoch; undefined for a stream whose end is not known. */
  readonly steps: number | undefined;
  /** The names of all curves that the training will have. */
  readonly curves: readonly string[];
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
  /**
   * What it has to remember, so that a training goes on from a checkpoint as if it had not been interrupted. Arrays in it must not change afterwards;
   * tensors are read at once.
   */
  getState?(): CallbackState;
  /** Takes back what getState gave, in which tensors have become arrays; after onTrainBegin. */
  setState?(state: CallbackState, training: Training): void;
}

/** Anything that consists of numbers, text, arrays of numbers, and lists and records of them. */
export type StateValue =
  | number
  | string
  | boolean
  | null
  | TypedArray
  | Tensor
  | readonly StateValue[]
  | { readonly [key: string]: StateValue };

export type CallbackState = { readonly [key: string]: StateValue };

interface ProgressCaller extends Required<Pick<PassOptions, "onProgress">>, Pick<PassOptions, "onBatch"> {
  readonly stop: AbortController;
  /** Throws what a callback has thrown. */
  readonly throwFailure: () => void;
}

/** Calls what runs during an epoch from native progress events, inside which nothing may be thrown: a callback that throws aborts `stop`. */
export function progressCaller(callbacks: readonly Callback[], training: Training): ProgressCaller {
  const stop = new AbortController();
  let failure: { readonly error: unknown } | undefined; // which the signal's reason is not where that is undefined
  const each = (hook: "onProgress" | "onBatchEnd", among: readonly Callback[], step: number, logs: Logs): void => {
    if (failure) return;
    try {
      for (const callback of among) {
        const returned: unknown = callback[hook]?.(step, logs, training);
        if (!types.isPromise(returned)) continue;
        returned.catch(() => undefined); // nobody would wait for it
        throw wrongValue("fit", hook, "a function that is not async", returned);
      }
    } catch (error) {
      failure = { error };
      stop.abort(error);
    }
  };
  const perBatch = callbacks.filter((callback) => callback.onBatchEnd !== undefined);
  return {
    stop,
    throwFailure: () => {
      if (failure) throw failure.error;
    },
    onProgress: (step: number, logs: Logs): void => each("onProgress", callbacks, step, logs),
    onBatch:
      perBatch.length === 0 ? undefined : (step: number, logs: Logs): void => each("onBatchEnd", perBatch, step, logs),
  };
}

const hooks: readonly (keyof Callback)[] = [
  "onTrainBegin", "onEpochBegin", "onProgress", "onBatchEnd", "onNonFinite", "onEpochEnd", "onTrainEnd", "recordStep",
  "getState", "setState",
]; // prettier-ignore

/**
 * A callback may hold whatever it likes beside its hooks, but nothing that is nearly one.
 * @throws OptionError
 */
export function checkCallbacks(where: string, callbacks: readonly Callback[]): void {
  if (!isArray(callbacks)) throw wrongValue(where, "callbacks", "an array", callbacks);
  callbacks.forEach((callback: unknown, i) => {
    const name = `callbacks[${i}]`;
    if (!isObject(callback)) throw wrongValue(where, name, "an object with hooks", callback);
    const misspelt = Object.keys(callback).find(
      (key) => /^on[A-Z]/.test(key) && !(hooks as readonly string[]).includes(key),
    );
    if (misspelt !== undefined) throw unknownOption(name, misspelt, hooks);
    for (const hook of hooks) {
      const value = (callback as Record<string, unknown>)[hook];
      if (value !== undefined && !isFunction(value)) throw wrongValue(name, hook, "a function", value);
    }
  });
}
