// Metrics by name, and what a model accepts as one.
import { isFunction, isObject, oneOf } from "../options.js";
import { accuracy, binaryAccuracy, topK } from "./accuracy.js";
import { f1, precision, recall } from "./confusion.js";
import type { Metric } from "./metric.js";
import { auc } from "./ranking.js";
import { logLoss, meanAbsoluteError, meanSquaredError, perplexity, r2, rootMeanSquaredError } from "./regression.js";

/** The metrics that a model knows by name. */
export type MetricName =
  | "accuracy"
  | "binaryAccuracy"
  | "topK"
  | "precision"
  | "recall"
  | "f1"
  | "auc"
  | "logLoss"
  | "perplexity"
  | "meanAbsoluteError"
  | "meanSquaredError"
  | "rootMeanSquaredError"
  | "r2";

const factories: Readonly<Record<MetricName, (options?: object) => Metric>> = {
  accuracy: () => accuracy,
  binaryAccuracy: () => binaryAccuracy,
  topK, precision, recall, f1, auc,
  logLoss: () => logLoss,
  perplexity: () => perplexity,
  meanAbsoluteError: () => meanAbsoluteError,
  meanSquaredError: () => meanSquaredError,
  rootMeanSquaredError: () => rootMeanSquaredError,
  r2: () => r2,
}; // prettier-ignore

/** What a model takes as a metric: a name, what a factory such as `topK({ k: 3 })` returns, or an object of your own. */
export type MetricOption = MetricName | Metric;

/** What a file says about a metric. */
export type MetricConfig = string | Required<Pick<Metric, "type" | "options">>;

/** @internal What a file says about it. */
export function describeMetric({ name, type, options }: Metric): MetricConfig {
  return type !== undefined && options !== undefined ? { type, options } : name;
}

/** @internal Whether a file's metric is one of the library's. */
export function isKnownMetric(config: MetricConfig): boolean {
  return Object.hasOwn(factories, typeof config === "string" ? config : config.type);
}

/** @internal The metric meant by an option (a name counts as what a file says), or by what a file says about one. */
export function resolveMetric(where: string, value: Metric | MetricConfig): Metric {
  if (isObject(value)) {
    if ("call" in value && isFunction(value.call)) return value;
    if (typeof value.type === "string") return factories[known(where, value.type)](value.options);
  }
  return factories[known(where, value)]();
}

function known(where: string, name: unknown): MetricName {
  return oneOf(where, "metrics", name, Object.keys(factories) as MetricName[]);
}
