// A model builder with its data as an objective: builds, trains and rates one network per trial.
import { Dataset } from "../data/dataset.js";
import type { Model } from "../model.js";
import { checkOptions, isFunction, isObject, wrongValue } from "../options.js";
import { modeOf } from "../train/best.js";
import { validationName } from "../train/curve-names.js";
import type { FitOptions } from "../train/fit-options.js";
import type { Mode, Objective, Trial } from "./trial.js";

/** Networks to choose from, and the data on which to train and rate them. */
export interface ModelSearch<Config> {
  /** Makes a network and compiles it. Give it `trial.seed`, so that the search can be repeated. */
  readonly build: (config: Config, trial: Trial) => Model;
  readonly train: Dataset;
  /** The dev set, by which the networks are rated. Leave the test set out of the search. */
  readonly validationData: Dataset;
  /** Options of {@link Model.fit}, such as epochs, batch size and callbacks; data, threads and signal are the search's business. */
  readonly fit?: ModelFitOptions | ((config: Config, trial: Trial) => ModelFitOptions);
  /** By what to rate them: "valLoss" (default), "valAccuracy" and so on. */
  readonly monitor?: string;
}

export type ModelFitOptions = Omit<FitOptions, "validationData" | "threads" | "signal">;

/** Whether `value` is meant as a ModelSearch. */
export function isModelSearch<Config>(value: unknown): value is ModelSearch<Config> {
  return isObject(value) && "build" in value;
}

/** @throws OptionError for what is missing or wrong */
export function objectiveOf<Config>(search: ModelSearch<Config>): { objective: Objective<Config>; mode: Mode } {
  const where = "tune";
  checkOptions(where, search, ["build", "train", "validationData", "fit", "monitor"]);
  const { build, train, validationData, fit = {}, monitor = "valLoss" } = search;
  if (!isFunction(build)) throw wrongValue(where, "build", "a function that makes a compiled model", build);
  for (const [name, data] of Object.entries({ train, validationData }))
    if (!(data instanceof Dataset)) throw wrongValue(where, name, "a dataset", data);
  if (typeof monitor !== "string" || !/^val[A-Z0-9]/.test(monitor))
    throw wrongValue(where, "monitor", 'a curve of the validation data, such as "valLoss",', monitor);
  // Rated as it is in the end: early stopping and averages of weights may have given it others than the last epoch's.
  const objective: Objective<Config> = async (config, trial) => {
    const model = build(config, trial);
    const options = isFunction(fit) ? fit(config, trial) : fit;
    const { threads, signal } = trial;
    const callbacks = [...(options.callbacks ?? []), trial.watch(monitor)];
    const { epochs } = await model.fit(train, { ...options, validationData, threads, signal, callbacks });
    const figures = await model.evaluate(validationData, { threads, signal });
    const rated = Object.fromEntries(Object.entries(figures).map(([name, value]) => [validationName(name), value]));
    return { score: rated[monitor]!, ...rated, epochs };
  };
  return { objective, mode: modeOf(monitor) };
}
