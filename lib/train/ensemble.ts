// Ensembles: models that predict together.
import type { Dataset } from "../data/dataset.js";
import { formatShape, shapeError, SimdnnError } from "../errors.js";
import type { Metric } from "../metrics/metric.js";
import { resolveMetric, type MetricOption } from "../metrics/registry.js";
import { Model } from "../model.js";
import { add, mul } from "../ops/binary.js";
import { sameShape } from "../ops/shapes.js";
import { isArray, checkOptions, positiveInteger, wrongValue } from "../options.js";
import type { Tensor } from "../tensor.js";
import { Batches } from "./batches.js";
import { checkData } from "./check-data.js";
import { metricFigures } from "./cost.js";
import type { EvaluateOptions } from "./evaluate.js";
import type { PredictInput, PredictOptions } from "./predict.js";
import { rowRuns } from "./runs.js";

/** Models whose predictions are averaged. */
export class Ensemble {
  /** @internal Use ensemble(). */
  constructor(
    readonly models: readonly Model[],
    private readonly metrics: readonly Metric[],
  ) {}

  /** The mean of what the models predict, as {@link Model.predict}; of probabilities where their losses take logits. */
  async predict(inputs: PredictInput, options: PredictOptions = {}): Promise<Tensor> {
    return meanOf(await Promise.all(this.models.map((model) => model.predict(inputs, options))));
  }

  /** The metrics of the averaged predictions over a whole dataset. There is no loss: take `logLoss` or `meanSquaredError` as a metric. */
  async evaluate(data: Dataset, options: EvaluateOptions = {}): Promise<Record<string, number>> {
    checkOptions("evaluate", options, ["batchSize", "threads", "signal"]);
    const { batchSize = 256, threads, signal } = options;
    positiveInteger("evaluate", "batchSize", batchSize);
    checkData("evaluate", this.models[0]!, data);
    if (this.metrics.length === 0) {
      const message = 'evaluate: there are no metrics; name some, such as ensemble(models, { metrics: ["accuracy"] })';
      throw new SimdnnError("StateError", message, { where: "evaluate" });
    }
    const batches = new Batches(this.models[0]!.dtype, ({ inputs, targets }) => {
      const predictions = meanOf(this.models.map((model) => model.link(model.forward(inputs))));
      return metricFigures(this.metrics, { outputs: predictions, predictions, targets });
    });
    return batches.pass(rowRuns(data, data.rows, batchSize), { threads, signal });
  }
}

/**
 * Puts models together whose predictions are averaged: usually right more often than each of them, if they err differently.
 *
 * @param models - with the same input and output shapes; from other seeds, other architectures, or {@link snapshots}
 * @param options - `metrics` for evaluate; default: those of the first model
 * @throws OptionError for no models, or metrics that there are not; ShapeError when they do not fit together
 *
 * @example
 * ```ts
 * const together = ensemble([model, model.clone()]);
 * const probabilities = await together.predict(images);
 * const { accuracy } = await together.evaluate(test);
 * ```
 */
export function ensemble(
  models: readonly Model[],
  options: { readonly metrics?: readonly MetricOption[] } = {},
): Ensemble {
  checkOptions("ensemble", options, ["metrics"]);
  if (!isArray(models) || models.length === 0 || !Array.from(models).every((model) => model instanceof Model))
    throw wrongValue("ensemble", "models", "an array of at least one model", models);
  const first = models[0]!;
  for (const { inputShape, outputShape } of models)
    if (!sameShape(inputShape, first.inputShape) || !sameShape(outputShape, first.outputShape))
      throw shapeError(
        "ensemble",
        `all models must go from ${formatShape(first.inputShape)} to ${formatShape(first.outputShape)}, but one goes from ${formatShape(inputShape)} to ${formatShape(outputShape)}`,
      );
  const odd = models.find(({ dtype }) => dtype !== first.dtype);
  if (odd)
    throw wrongValue("ensemble", "models", `models that all compute in ${first.dtype}, as the first,`, odd.dtype);
  const { metrics = first.metrics } = options;
  if (!isArray(metrics)) throw wrongValue("ensemble", "metrics", "an array", metrics);
  const resolved = metrics.map((metric) => resolveMetric("ensemble", metric));
  return new Ensemble([...models], resolved);
}

function meanOf(tensors: readonly Tensor[]): Tensor {
  return mul(
    tensors.reduce((sum, values) => add(sum, values)),
    1 / tensors.length,
  );
}
