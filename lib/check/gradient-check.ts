// Gradient checking: are the gradients of a model, or of a cost written by hand, the slopes of its cost? What it finds is gradient-report.ts.
import type { Dataset } from "../data/dataset.js";
import { SimdnnError } from "../errors.js";
import { Model } from "../model.js";
import { add } from "../ops/binary.js";
import { bool, checkOptions, isArray, isFunction, positiveInteger, positiveNumber, wrongValue } from "../options.js";
import { randomStream, resolveSeed } from "../random.js";
import { withTape, type Entry } from "../tape.js";
import { parameter, Tensor, tensor, type TensorData } from "../tensor.js";
import { batchOf } from "../train/runs.js";
import { checkData } from "../train/check-data.js";
import { checkWork } from "../train/check-work.js";
import { costAndFigures } from "../train/cost.js";
import { differences, type Subject } from "./differences.js";
import { reportOf, type GradientReport } from "./gradient-report.js";

export interface GradientCheckOptions {
  /** How far each element is moved to either side. Default: 1e-7. */
  readonly epsilon?: number;
  /**
   * How many elements to check, each of which costs two forward passes. Of a larger net a random sample of about as many is taken, some of every
   * parameter; Infinity checks all. Default: 1000.
   */
  readonly elements?: number;
  /** Decides the sample. Default: 0, so that a check can be repeated. */
  readonly seed?: number;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface ModelGradientCheckOptions extends GradientCheckOptions {
  /** Examples of the data, from the first on, whose mean loss is the cost. Default: 32. */
  readonly batchSize?: number;
  /** Run the layers as in training; false runs them as in prediction, with dropout off and batch norm's running averages. Default: true. */
  readonly training?: boolean;
}

export interface CostGradientCheckOptions extends GradientCheckOptions {
  /** Your own backward pass, to be checked instead of the library's: from the parameters to a gradient for each. */
  readonly gradients?: (...parameters: Tensor[]) => readonly Tensor[];
}

const where = "gradientCheck";
const optionNames = ["epsilon", "elements", "seed", "threads", "signal"];
/** The least that is taken of each parameter. */
const fewest = 10;

/**
 * Compares a model's gradients with two-sided differences of its cost, `(J(θ + ε) - J(θ - ε)) / 2ε`, element by element, in double precision and
 * off the JavaScript thread. The cost is that of a training step: the mean loss and the penalties of regularizers. The model itself stays as it is.
 *
 * `report.figure` is `‖dθ_approx - dθ‖ / (‖dθ_approx‖ + ‖dθ‖)`; below 1e-7 is great, below 1e-5 worth a look, below 1e-3 a worry, anything above
 * wrong. Errors that are no larger than what rounding leaves of a difference count as none, which matters where gradients are tiny. `String(report)`
 * names the parameters and their worst elements.
 *
 * @param data - where the batch is taken from
 * @throws StateError before compile(), and where a layer such as dropout draws random numbers; OptionError for a wrong option; DTypeError for a layer
 *   of your own that brings float32 tensors into the sums: convert them with `cast(constant, input.dtype)`
 *
 * @example
 * ```ts
 * const report = await gradientCheck(model, train, { batchSize: 8, elements: 50 });
 * if (!report.passed) console.log(String(report));
 * ```
 */
export function gradientCheck(
  model: Model,
  data: Dataset,
  options?: ModelGradientCheckOptions,
): Promise<GradientReport>;
/**
 * The same for a cost written by hand, as a function of its parameters; with `gradients` also for a backward pass written by hand.
 *
 * @param cost - called with the parameters as float64 tensors, returns a float64 scalar; all other tensors in it have to be float64, too
 * @param parameters - where to check: tensors or their values, which are copied. Names appear in the report
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 3], { dtype: "float64" });
 * const cost = (w: Tensor): Tensor => x.mul(w).square().mean();
 * const report = await gradientCheck(cost, [0.5], { gradients: (w) => [x.square().mul(w).mean()] }); // forgot a factor of 2
 * report.verdict; // "wrong"
 * ```
 */
export function gradientCheck(
  cost: (...parameters: Tensor[]) => Tensor,
  parameters: readonly (Tensor | TensorData)[],
  options?: CostGradientCheckOptions,
): Promise<GradientReport>;
export async function gradientCheck(
  subject: Model | ((...parameters: Tensor[]) => Tensor),
  at: Dataset | readonly (Tensor | TensorData)[],
  options: ModelGradientCheckOptions & CostGradientCheckOptions = {},
): Promise<GradientReport> {
  if (subject instanceof Model) return check(ofModel(subject, at as Dataset, options), options);
  if (!isFunction(subject)) throw wrongValue(where, "its subject", "a model or a cost function", subject);
  return check(ofFunction(subject, at as readonly (Tensor | TensorData)[], options), options);
}

async function check(subject: Subject, options: GradientCheckOptions): Promise<GradientReport> {
  const { epsilon = 1e-7, elements = 1000, threads, signal } = options;
  positiveNumber(where, "epsilon", epsilon);
  if (elements !== Infinity) positiveInteger(where, "elements", elements);
  checkWork(where, options);
  const { parameters } = subject;
  const chosen = sample(parameters, elements, resolveSeed(where, options.seed ?? 0));
  const { cost, slopes } = await differences(where, subject, chosen, epsilon, { threads, signal });
  const named = parameters.map(({ label, shape }) => ({ name: label, shape }));
  return reportOf(named, slopes, cost, epsilon);
}

/** A copy of the model in float64, and its cost over one batch. */
function ofModel(model: Model, data: Dataset, options: ModelGradientCheckOptions): Subject {
  checkOptions(where, options, [...optionNames, "batchSize", "training"]);
  checkData(where, model, data);
  const { batchSize = Math.min(32, data.size), training = true } = options;
  positiveInteger(where, "batchSize", batchSize);
  bool(where, "training", training);
  const compiled = model.ready(where);
  const copy = model.clone({ dtype: "float64" });
  if (copy.parameters.length === 0) throw wrongValue(where, "model", "a model with parameters", model.name);
  const rows = tensor(data.take(batchSize).rows);
  const batch = withTape(undefined, () => batchOf(data, rows, "float64"));
  return {
    parameters: copy.parameters,
    cost: () => {
      const { cost } = costAndFigures(copy, { loss: compiled.loss, metrics: [] }, batch, training);
      const penalty = training ? undefined : copy.penalty(batchSize); // in training it is in the cost
      return penalty ? add(cost, penalty) : cost;
    },
    inspect: (entries) => refuseRandom(copy, entries),
  };
}

function ofFunction(
  cost: (...parameters: Tensor[]) => Tensor,
  given: readonly (Tensor | TensorData)[],
  options: CostGradientCheckOptions,
): Subject {
  checkOptions(where, options, [...optionNames, "gradients"]);
  if (!isArray(given) || given.length === 0)
    throw wrongValue(where, "parameters", "an array of at least one tensor", given);
  const { gradients } = options;
  if (gradients !== undefined && !isFunction(gradients))
    throw wrongValue(where, "gradients", "a function from the parameters to their gradients", gradients);
  const parameters = given.map((values: Tensor | TensorData, i) => {
    const name = (values instanceof Tensor ? values.name : undefined) ?? `parameter ${i + 1}`;
    return values instanceof Tensor
      ? parameter(values.read(), { shape: values.shape, dtype: "float64", name })
      : parameter(values, { dtype: "float64", name });
  });
  return {
    parameters,
    cost: () => {
      const result = cost(...parameters);
      if (!(result instanceof Tensor)) throw wrongValue(where, "the cost function's result", "a tensor", result);
      return result;
    },
    gradients: gradients && (() => gradients(...parameters)),
  };
}

/** Finds layers that draw by the number of the pass: their cost would differ from one evaluation to the next. */
function refuseRandom(model: Model, entries: readonly Entry[]): void {
  const counts = new Set(
    entries.filter(({ operands }) => operands[0] === model.passes).flatMap((entry) => entry.outputs),
  );
  const random = entries.find(({ operands }) => operands.some((operand) => counts.has(operand)));
  if (!random) return;
  const layer = random.scope ?? random.op.name;
  throw new SimdnnError(
    "StateError",
    `${where}: ${layer} draws new random numbers in every pass, so the cost has no slope to compare with; ` +
      `leave it out, or set its rate to 0 (keepProb to 1), or check the layers as in prediction with { training: false }`,
    { where },
  );
}

/** Places in each parameter: all where they are few enough, else a random share of each, in order. */
function sample(parameters: readonly Tensor[], most: number, seed: number): Int32Array[] {
  const total = parameters.reduce((sum, { size }) => sum + size, 0);
  const random = randomStream(seed);
  return parameters.map(({ size }) => {
    const count = total <= most ? size : Math.min(size, Math.max(fewest, Math.round((most * size) / total)));
    if (count === size) return Int32Array.from({ length: size }, (_, i) => i);
    const places = new Set<number>();
    while (places.size < count) places.add(random.integer(size));
    return Int32Array.from(places).sort();
  });
}
