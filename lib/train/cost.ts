// From a batch to its cost and figures: what training and evaluation compute alike.
import { shapeError } from "../errors.js";
import { byClass, classCount, classNumbers, perExample } from "../losses/targets.js";
import type { Metric, MetricContext } from "../metrics/metric.js";
import type { Compiled, Model } from "../model.js";
import type { ForwardOptions } from "../network.js";
import { add, mul } from "../ops/binary.js";
import { mean } from "../ops/reduce.js";
import { wrongValue } from "../options.js";
import { Tensor } from "../tensor.js";
import { augmented, type Augmentation } from "./augmentation.js";
import type { ClassWeight } from "./class-weight.js";
import type { Figure } from "./figures.js";

/** What training adds to a batch's cost. */
export interface CostOptions extends Pick<ForwardOptions, "onLayer"> {
  readonly classWeight?: ClassWeight | undefined;
  readonly augment?: Augmentation | undefined;
}

/** The layers of a model draw from the streams of their places. */
const augmentationStream = 2 ** 30;
import type { Batch } from "./runs.js";

/**
 * `cost` is what training minimizes: the mean loss, and in training the penalty where there is one. Figures are the loss, the cost where it is
 * another number, and the metrics.
 */
export function costAndFigures(
  model: Model,
  { loss, metrics }: Pick<Compiled, "loss" | "metrics">,
  batch: Batch,
  training: boolean,
  { classWeight, augment, onLayer }: CostOptions = {},
): { cost: Tensor; figures: Record<string, Figure> } {
  const { targets, weights } = batch;
  const random = { seed: model.seed, stream: augmentationStream, step: model.passes };
  const shown = augment ? augmented(augment, batch, { outputShape: model.outputShape, random }) : batch;
  const { inputs } = shown;
  const outputs = model.forward(inputs, { training, onLayer });
  const byClass = classWeight && classWeights(classWeight, outputs, targets);
  const counted = weights && byClass ? mul(weights, byClass) : (weights ?? byClass);
  const losses = checked(loss.name, loss.call(outputs, shown.targets));
  const meanLoss = mean(counted ? mul(ofExamples(loss.name, losses, inputs.shape[0]!), counted) : losses);
  meanLoss.name = "loss";
  const penalty = training ? model.penalty(inputs.shape[0]!) : undefined;
  const cost = penalty ? add(meanLoss, penalty) : meanLoss;
  if (penalty) cost.name = "cost";
  // Dead code unless a metric looks at it.
  const predictions = loss.link ? loss.link(outputs) : outputs;
  const scores = loss.linkKeepsOrder ? outputs : predictions;
  return {
    cost,
    figures: {
      loss: { values: meanLoss, over: "mean" },
      ...(penalty && { cost: { values: cost, over: "mean" } }),
      ...metricFigures(metrics, { outputs, predictions, scores, targets }),
    },
  };
}

/** The metrics of a batch, by name. */
export function metricFigures(metrics: readonly Metric[], context: MetricContext): Record<string, Figure> {
  return Object.fromEntries(metrics.map((metric) => [metric.name, figureOf(metric, context)]));
}

function figureOf({ name, call, over = "mean", finish }: Metric, context: MetricContext): Figure {
  const values = checked(name, call(context));
  const examples = context.outputs.shape[0]!;
  if (over === "all" && values.shape[0] !== examples)
    throw shapeError(name, `expected a row for each of ${examples} examples`, [
      { label: "values", shape: values.shape, name: values.name },
    ]);
  return { values: over === "mean" ? mean(values) : values, over, ...(finish && { finish }) };
}

/** One weight per example, from the weights of the classes. */
function classWeights(given: ClassWeight, outputs: Tensor, targets: Tensor): Tensor {
  const table = new Array<number>(classCount(outputs)).fill(1);
  for (const [label, weight] of Object.entries(given)) {
    if (Number(label) >= table.length)
      throw wrongValue("fit", "classWeight", `classes below ${table.length}, the number of classes,`, Number(label));
    table[Number(label)] = weight;
  }
  return byClass("classWeight", table, classNumbers("classWeight", outputs, targets), outputs.dtype);
}

function ofExamples(name: string, losses: Tensor, examples: number): Tensor {
  if (losses.shape[0] === examples) return perExample(losses);
  throw shapeError(name, `weights need a loss for each of ${examples} examples`, [
    { label: "losses", shape: losses.shape, name: losses.name },
  ]);
}

function checked(name: string, result: unknown): Tensor {
  if (!(result instanceof Tensor)) throw wrongValue(name, "its result", "a tensor", result);
  return result;
}
