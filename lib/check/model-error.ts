// The error of a model on a dataset as one number: which figure of evaluate() it is made of.
import type { Dataset } from "../data/dataset.js";
import { oneOf, wrongValue } from "../options.js";
import type { Model } from "../model.js";
import { modeOf } from "../train/best.js";
import type { EvaluateOptions } from "../train/evaluate.js";
import { biasVariance, type BiasVariance, type BiasVarianceOptions } from "./bias-variance.js";

/** A figure, and how it becomes an error. */
export interface ErrorMeasure {
  /** Such as `1 - accuracy`, or `loss`. */
  readonly name: string;
  of(data: Dataset, options: EvaluateOptions): Promise<number>;
  /** With a tolerance of 0.02 where errors are shares, else of a tenth of the dev error, unless one is given. */
  judge(
    errors: Pick<BiasVarianceOptions, "trainError" | "devError">,
    options: Pick<BiasVarianceOptions, "baseline" | "tolerance">,
  ): BiasVariance;
}

/**
 * The figure `metric` of a compiled model; by default the first of its metrics of which much is good, such as accuracy or R², else its loss.
 *
 * @throws OptionError for a figure that the model has not got
 */
export function errorMeasure(where: string, model: Model, metric?: string): ErrorMeasure {
  model.ready(where);
  const names = model.metrics.map(({ name }) => name);
  const figure = metric === undefined ? (names.find((name) => modeOf(name) === "max") ?? "loss") : oneOf(where, "metric", metric, ["loss", ...names]); // prettier-ignore
  const share = modeOf(figure) === "max";
  return {
    name: share ? `1 - ${figure}` : figure,
    judge: ({ trainError, devError }, { baseline = 0, tolerance = share ? 0.02 : 0.1 * devError }) =>
      biasVariance({ trainError, devError, baseline, tolerance }),
    of: async (data, options) => {
      const value = (await model.evaluate(data, options))[figure]!;
      if (!Number.isFinite(value)) throw wrongValue(where, figure, "a finite number", value);
      return share ? 1 - value : value;
    },
  };
}
