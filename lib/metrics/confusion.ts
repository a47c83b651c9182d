// Metrics made of the confusion matrix: which class is taken for which.
import { classCount, classNumbers, oneHot } from "../losses/targets.js";
import { cast } from "../ops/cast.js";
import { greater } from "../ops/comparison.js";
import { matmul } from "../ops/matmul.js";
import { argmax } from "../ops/reduce.js";
import { reshape } from "../ops/view.js";
import { checkOptions, isArray, nonNegativeInteger, oneOf, wrongValue } from "../options.js";
import { isFloat, type Tensor } from "../tensor.js";
import type { Metric, MetricContext } from "./metric.js";

/** `matrix[true class][predicted class]` is a number of examples. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** How good a classifier is at one class, or at all of them. */
export interface ClassScore {
  /** Of the examples that were taken for the class, the share that is of it: `tp / (tp + fp)`; 0 where none was. */
  readonly precision: number;
  /** Of the examples of the class, the share that was found: `tp / (tp + fn)`; 0 where there is none. */
  readonly recall: number;
  /** `2 precision recall / (precision + recall)`, that is `2 tp / (2 tp + fp + fn)`; 0 where the class does not occur. */
  readonly f1: number;
  /** Examples of the class. */
  readonly support: number;
}

export interface ClassScores {
  readonly perClass: readonly ClassScore[];
  /** Mean over the classes that occur among the examples or the predictions. */
  readonly macro: ClassScore;
  /** Mean over the classes, weighted by their support. */
  readonly weighted: ClassScore;
  /** Of the sums of true positives and so on over all classes; all three are the accuracy. */
  readonly micro: ClassScore;
}

/**
 * Precision, recall and F1 per class and averaged, from a confusion matrix. The averages are those of scikit-learn.
 *
 * @example
 * ```ts
 * const { perClass, macro } = classScores([[8, 2], [1, 9]]);
 * perClass[1].recall; // 0.9
 * macro.recall; // 0.85
 * ```
 */
export function classScores(matrix: ConfusionMatrix): ClassScores {
  const square =
    isArray(matrix) &&
    matrix.every(
      (row: unknown) =>
        isArray(row) && row.length === matrix.length && row.every((count) => typeof count === "number" && count >= 0),
    );
  if (!square) throw wrongValue("classScores", "matrix", "as many rows of counts as classes", matrix);
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  const predicted = matrix.map((_, k) => total(matrix.map((row) => row[k]!)));
  const perClass = matrix.map((row, k) => scoreOf(row[k]!, predicted[k]!, total(row)));
  const examples = total(predicted);
  const mean = (weights: readonly number[]): ClassScore => {
    const sum = total(weights);
    const of = (key: keyof ClassScore): number =>
      sum === 0 ? 0 : total(perClass.map((score, k) => score[key] * weights[k]!)) / sum;
    return { precision: of("precision"), recall: of("recall"), f1: of("f1"), support: examples };
  };
  const right = total(matrix.map((row, k) => row[k]!));
  return {
    perClass,
    macro: mean(perClass.map(({ support }, k) => (support + predicted[k]! > 0 ? 1 : 0))),
    weighted: mean(perClass.map(({ support }) => support)),
    micro: scoreOf(right, examples, examples),
  };
}

function scoreOf(truePositives: number, predicted: number, support: number): ClassScore {
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return {
    precision: share(truePositives, predicted),
    recall: share(truePositives, support),
    f1: share(2 * truePositives, predicted + support),
    support,
  };
}

export interface ClassMetricOptions {
  /**
   * How classes are averaged. Default: "binary" with one output or two classes, which looks at class 1 only, else "macro"; see
   * {@link ClassScores}.
   */
  readonly average?: "binary" | "macro" | "weighted" | "micro";
  /** Look at this class only; reported as `recall[3]` and so on. */
  readonly class?: number;
  /** With one output: the probability above which an example counts as class 1. Default: 0.5. */
  readonly threshold?: number;
}

const averages = ["binary", "macro", "weighted", "micro"] as const;

function classMetric(score: "precision" | "recall" | "f1", options: ClassMetricOptions): Metric {
  checkOptions(score, options, ["average", "class", "threshold"]);
  const { average, class: only, threshold = 0.5 } = options;
  if (average !== undefined) oneOf(score, "average", average, averages);
  if (only !== undefined) nonNegativeInteger(score, "class", only);
  if (average !== undefined && only !== undefined)
    throw wrongValue(score, "average", "either average or class, not a value", average);
  if (!(typeof threshold === "number" && threshold >= 0 && threshold <= 1))
    throw wrongValue(score, "threshold", "a number from 0 to 1", threshold);
  return {
    name: only === undefined ? score : `${score}[${only}]`,
    type: score,
    options: { ...options },
    over: "sum",
    call: (context) => {
      const counts = confusionCounts(score, context, threshold);
      const classes = counts.shape[0]!;
      if (only !== undefined && only >= classes)
        throw wrongValue(score, "class", `a class below ${classes}, the number of classes,`, only);
      if (average === "binary" && classes > 2)
        throw wrongValue(score, "average", `"macro", "weighted" or "micro" with ${classes} classes`, average);
      return counts;
    },
    finish: (counts) => {
      const scores = classScores(matrixOf(counts));
      const positive = only ?? (average === "binary" || (!average && scores.perClass.length === 2) ? 1 : undefined);
      if (positive !== undefined) return scores.perClass[positive]![score];
      return scores[(average ?? "macro") as Exclude<typeof average, "binary" | undefined>][score];
    },
  };
}

/**
 * Precision over all examples: of what was taken for a class, the share that is of it. Targets as for {@link accuracy}.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * model.compile({ loss: "softmaxCrossEntropy", metrics: [precision(), precision({ class: 3 }), recall(), f1({ average: "weighted" })] });
 * ```
 */
export const precision = (options: ClassMetricOptions = {}): Metric => classMetric("precision", options);

/** Recall (sensitivity) over all examples: of the examples of a class, the share that was found. Otherwise as {@link precision}. */
export const recall = (options: ClassMetricOptions = {}): Metric => classMetric("recall", options);

/** F1 over all examples, the harmonic mean of precision and recall. Otherwise as {@link precision}. */
export const f1 = (options: ClassMetricOptions = {}): Metric => classMetric("f1", options);

/** @internal Counts of a batch `[classes, classes]`, true class first. One output is two classes. */
export function confusionCounts(
  where: string,
  { predictions, scores = predictions, targets }: MetricContext,
  threshold = 0.5,
): Tensor {
  const classes = classCount(predictions);
  const oneOutput = predictions.size === predictions.shape[0];
  const predicted = oneOutput
    ? cast(reshape(greater(predictions, threshold), [predictions.size]), "int32")
    : argmax(scores, { axis: 1 });
  const labels = classNumbers(where, predictions, targets);
  const dtype = isFloat(predictions.dtype) ? predictions.dtype : "float32";
  return matmul(oneHot(where, labels, classes, dtype), oneHot(where, predicted, classes, dtype), { transposeA: true });
}

/** @internal A square matrix from its values, row by row. */
export function matrixOf(counts: ArrayLike<number>): number[][] {
  const classes = Math.round(Math.sqrt(counts.length));
  return Array.from({ length: classes }, (_, row) =>
    Array.from({ length: classes }, (_, k) => counts[row * classes + k]!),
  );
}
