// One look at a trained model: bias and variance, the curves of its training, and how signals get through its layers.
import type { Dataset } from "../data/dataset.js";
import { Model } from "../model.js";
import { checkOptions, only, wrongValue } from "../options.js";
import { checkData } from "../train/check-data.js";
import type { EvaluateOptions } from "../train/evaluate.js";
import type { History } from "../train/fit.js";
import type { BiasVariance, BiasVarianceOptions } from "./bias-variance.js";
import { gradientFlow, type GradientFlow } from "./gradient-flow.js";
import { LearningCurve } from "./learning-curve.js";
import { errorMeasure } from "./model-error.js";
import { readTraining, type TrainingReading } from "./training-curves.js";

export interface DiagnoseOptions
  extends Pick<BiasVarianceOptions, "baseline" | "tolerance">, Pick<EvaluateOptions, "threads" | "signal"> {
  /** What the model learnt from. */
  readonly train: Dataset;
  /** Data that it did not learn from. */
  readonly dev: Dataset;
  /** What fit() returned: what its curves say goes into the diagnosis, and watched norms into the gradient flow. */
  readonly history?: History;
  /** What {@link learningCurve} returned, to be reported along with the rest. */
  readonly learningCurve?: LearningCurve;
  /** What error is made of: a metric of the model, or "loss". Default: its first metric of which much is good, such as accuracy, else the loss. */
  readonly metric?: string;
}

/** The outcome of {@link diagnose}: plain data, and as a string everything that was found. */
export class Diagnosis {
  /** @internal */
  constructor(
    /** What the error is, such as `1 - accuracy`. */
    readonly error: string,
    readonly biasVariance: BiasVariance,
    readonly gradientFlow: GradientFlow,
    /** What the curves of the training say; undefined without a history. */
    readonly training: TrainingReading | undefined,
    readonly learningCurve: LearningCurve | undefined,
  ) {}

  toString(): string {
    const { error, biasVariance, gradientFlow, training, learningCurve } = this;
    const parts = [
      `${String(biasVariance)}\n(error: ${error})`,
      training && ["training", ...training.remarks.map((remark) => `- ${remark}`)].join("\n"),
      String(gradientFlow),
      learningCurve && String(learningCurve),
    ];
    return parts.filter((part) => part !== undefined).join("\n\n");
  }
}

/**
 * Measures a trained model on its training set and on the dev set, and says what to do next: bias or variance, whether to train on or to stop earlier,
 * and whether gradients vanish or explode.
 *
 * The error is `1 - accuracy`, or of whatever metric there is of which much is good; without one it is the loss, for which `baseline` should be given.
 *
 * @returns plain data; `String(...)` is the report
 * @throws StateError before compile(); OptionError, ShapeError for data that does not fit, or a metric that the model has not got
 *
 * @example
 * ```ts
 * const history = await model.fit(train, { epochs: 2, validationData: dev, watch: ["gradients"] });
 * const { biasVariance } = await diagnose(model, { train, dev, history, baseline: 0.01 });
 * console.log(biasVariance.verdict, biasVariance.recipe);
 * ```
 */
export async function diagnose(model: Model, options: DiagnoseOptions): Promise<Diagnosis> {
  const where = "diagnose";
  if (!(model instanceof Model)) throw wrongValue(where, "model", "a model", model);
  if (options === undefined) throw wrongValue(where, "options", "an object with train and dev", options);
  checkOptions(where, options, ["train", "dev", "history", "learningCurve", "metric", "baseline", "tolerance", "threads", "signal"]); // prettier-ignore
  const { train, dev, history, learningCurve, metric, threads, signal } = options;
  const measure = errorMeasure(where, model, metric);
  checkData(where, model, train, "train");
  checkData(where, model, dev, "dev");
  if (learningCurve !== undefined && !(learningCurve instanceof LearningCurve))
    throw wrongValue(where, "learningCurve", "what learningCurve() returned", learningCurve);
  const training = history && readTraining(where, history);
  const work = only({ threads, signal });
  const errors = { trainError: await measure.of(train, work), devError: await measure.of(dev, work) };
  const watched = history && Object.keys(history.curves).some((name) => name.startsWith("gradients."));
  const flow = watched ? gradientFlow(history) : await gradientFlow(model, train, work);
  return new Diagnosis(measure.name, measure.judge(errors, options), flow, training, learningCurve);
}
