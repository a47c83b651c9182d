// What a metric is, and the metrics.
import { meanAbsoluteError, meanSquaredError } from "./losses/regression.js";
import { matchClasses, matchTargets, perExample } from "./losses/targets.js";
import { equal, greater } from "./ops/comparison.js";
import { argmax } from "./ops/reduce.js";
import { oneOf } from "./options.js";
import type { Tensor } from "./tensor.js";

export interface MetricContext {
  /** The network's raw outputs, such as logits. */
  readonly outputs: Tensor;
  /** What `predict` would return: the outputs through the loss's link. */
  readonly predictions: Tensor;
  readonly targets: Tensor;
}

export interface Metric {
  readonly name: string;
  /** One value per example; reported as the mean over all examples. */
  readonly call: (context: MetricContext) => Tensor;
}

/**
 * The share of examples whose likeliest class is the target's. Targets: class numbers `[m]` or one-hot rows `[m, classes]`. With
 * one output, a prediction above 0.5 counts as 1 and must equal the target, 0 or 1.
 */
export const accuracy: Metric = {
  name: "accuracy",
  call: (context) => {
    const { predictions, targets } = context;
    if (predictions.rank !== 2 || predictions.shape[1] === 1) return binaryAccuracy.call(context);
    const matched = matchClasses("accuracy", predictions, targets);
    const classes = matched.rank === 1 ? matched : argmax(matched, { axis: 1 });
    return equal(argmax(predictions, { axis: 1 }), classes);
  },
};

/** The share of outputs on the right side of 0.5, for targets 0 or 1 in the outputs' shape: for several labels that do not exclude each other. */
export const binaryAccuracy: Metric = {
  name: "binaryAccuracy",
  call: ({ predictions, targets }) => {
    const matched = matchTargets("binaryAccuracy", predictions, targets);
    return perExample(equal(greater(predictions, 0.5), matched));
  },
};

/** The metrics that a model knows by name. */
export type MetricName = "accuracy" | "binaryAccuracy" | "meanAbsoluteError" | "meanSquaredError";

const metrics: Readonly<Record<MetricName, Metric>> = {
  accuracy,
  binaryAccuracy,
  meanAbsoluteError: {
    name: "meanAbsoluteError",
    call: ({ predictions, targets }) => meanAbsoluteError(predictions, targets),
  },
  meanSquaredError: {
    name: "meanSquaredError",
    call: ({ predictions, targets }) => meanSquaredError(predictions, targets),
  },
};

/** What a model takes as a metric: a name, or an object of your own. */
export type MetricOption = MetricName | Metric;

/** @internal Whether the library has a metric of this name. */
export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(metrics, name);
}

/** @internal The metric meant by an option. */
export function resolveMetric(where: string, value: MetricOption): Metric {
  if (typeof value === "object" && typeof value?.call === "function") return value;
  return metrics[oneOf(where, "metrics", value, Object.keys(metrics) as MetricName[])];
}
