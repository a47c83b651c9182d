// Model: a network that can be trained, and what is done with it. The loops behind fit, evaluate and predict are in train/.
import { busyError, SimdnnError } from "./errors.js";
import { Constants } from "./inference.js";
import type { WeightSpec } from "./initializers.js";
import type { Layer } from "./layers/layer.js";
import type { Loss } from "./losses/loss.js";
import { resolveLoss, type LossOption } from "./losses/registry.js";
import type { ConfusionMatrix } from "./metrics/confusion.js";
import type { Metric } from "./metrics/metric.js";
import { resolveMetric, type MetricOption } from "./metrics/registry.js";
import { Network, type SequentialOptions } from "./network.js";
import { resolveOptimizer, type OptimizerOption } from "./optimizers/registry.js";
import type { Optimizer } from "./optimizers/optimizer.js";
import { checkOptions, filePath, isArray, isFunction, isObject, oneOf, wrongValue } from "./options.js";
import { Tensor, tensor } from "./tensor.js";
import type { Dataset, Rows } from "./data/dataset.js";
import { confusionMatrix, Evaluator, type EvaluateOptions } from "./train/evaluate.js";
import { fit, type History } from "./train/fit.js";
import type { FitOptions } from "./train/fit-options.js";
import { OnlineTrainer, type TrainOnBatchOptions } from "./train/online.js";
import { profileTraining, type Profile, type ProfileOptions } from "./train/profile.js";
import { Predictor, type PredictInput, type PredictOptions } from "./train/predict.js";
import { saveModel } from "./train/save.js";
import { Serving } from "./train/serving.js";
import type { TrainingData } from "./train/source.js";

export interface CompileOptions {
  readonly loss: LossOption;
  /** Default: `adam()`. */
  readonly optimizer?: OptimizerOption;
  readonly metrics?: readonly MetricOption[];
}

/** What compile() settled. */
export interface Compiled {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly metrics: readonly Metric[];
}

/** A network, and what can be done with it; made by {@link sequential} or {@link loadModel}. */
export class Model extends Network {
  /** @internal What predictions and evaluations compute from the weights alone. */
  readonly constants = new Constants();
  private compiled: Compiled | undefined;
  private evaluator: Evaluator | undefined;
  private predictor: Predictor | undefined;
  private online: OnlineTrainer | undefined;
  private fitting = false;
  /** @internal */ readonly serving = new Serving(this);

  /** The metrics that compile() was given. */
  get metrics(): readonly Metric[] {
    return this.compiled?.metrics ?? [];
  }

  /** @internal From raw outputs to what predict() returns. */
  link(outputs: Tensor): Tensor {
    return this.compiled?.loss.link?.(outputs) ?? outputs;
  }

  /** The optimizer that compile() was given. */
  get optimizer(): Optimizer {
    return this.ready("optimizer").optimizer;
  }

  /**
   * Chooses the loss, the optimizer and the metrics.
   *
   * @throws OptionError for a name that does not exist, with the nearest one that does
   */
  compile(options: CompileOptions): this {
    if (options === undefined) throw wrongValue("compile", "options", "an object with a loss", options);
    checkOptions("compile", options, ["loss", "optimizer", "metrics"]);
    this.refuseWhileFitting("compile");
    const { loss, optimizer = "adam", metrics = [] } = options;
    if (!isArray(metrics)) throw wrongValue("compile", "metrics", "an array", metrics);
    this.compiled = {
      loss: resolveLoss("compile", loss),
      optimizer: resolveOptimizer("compile", optimizer),
      metrics: distinct(metrics.map((metric) => resolveMetric("compile", metric))),
    };
    this.evaluator = undefined;
    this.predictor = undefined;
    this.online = undefined;
    this.serving.forget();
    return this;
  }

  /**
   * Trains on `data` off the JavaScript thread. The weights are locked until the promise settles, but predict() works on.
   *
   * `loss` is the mean of the loss over the examples, without the regularizers' penalty, so that it compares with `valLoss`. Where a layer has a
   * regularizer there is also `cost`, loss and penalty together: what is minimized, and falls with each step of a full-batch descent.
   *
   * A second fit() goes on where the first ended, with the optimizer's averages and steps as they are.
   *
   * @param data - a dataset, or a stream of batches that need not fit into memory; see {@link TrainingData}
   * @returns the curves: loss and metrics per epoch
   * @throws OptionError, ShapeError before any work; NonFiniteError when the loss stops being a number; the signal's reason when aborted; what
   *   a stream throws. After a rejection the weights are those of the last whole step, unless an update overflowed: then each is finite, but some
   *   have taken that step.
   *
   * @example
   * ```ts
   * async function* batches() {
   *   for (let i = 0; i < 10; i++) yield { inputs: new Float32Array(8 * 784), targets: new Int32Array(8) };
   * }
   * const { curves } = await model.fit(batches, { epochs: 2 });
   * ```
   */
  async fit(data: TrainingData, options: FitOptions = {}): Promise<History> {
    const compiled = this.ready("fit");
    this.refuseWhileFitting("fit");
    this.fitting = true;
    try {
      return await fit(this, compiled, data, options);
    } finally {
      this.fitting = false;
    }
  }

  /**
   * One step of training on one batch, for data that comes as it is used: online learning. Calls are worked off in order; between them the weights
   * are free. The first call with a batch of another size records it, as a new shape of arguments does for capture().
   *
   * @param inputs - `[n, ...inputShape]`, or a typed array of n examples one after the other
   * @param targets - as {@link dataset} takes them: integers in an Int32Array or Uint8Array are class numbers
   * @returns loss and metrics of the batch before the update
   * @throws as {@link fit}, and after a rejection the weights are as they were before the step, with the same exception
   *
   * @example
   * ```ts
   * const { loss } = await model.trainOnBatch(new Float32Array(2 * 784), Int32Array.of(3, 7));
   * ```
   */
  async trainOnBatch(inputs: Rows, targets: Rows, options: TrainOnBatchOptions = {}): Promise<Record<string, number>> {
    const compiled = this.ready("trainOnBatch");
    if (this.fitting) this.refuseWhileFitting("trainOnBatch");
    this.online ??= new OnlineTrainer(this, compiled);
    return this.online.step(inputs, targets, options);
  }

  /**
   * Loss and metrics over a whole dataset or stream: the loss is the mean over its examples.
   *
   * @example
   * ```ts
   * const { loss, accuracy } = await model.evaluate(test);
   * ```
   */
  async evaluate(data: TrainingData, options: EvaluateOptions = {}): Promise<Record<string, number>> {
    this.evaluator ??= new Evaluator(this, this.ready("evaluate"));
    return this.evaluator.evaluate(data, options);
  }

  /**
   * The confusion matrix of a classifier over a whole dataset: `matrix[true class][predicted class]` examples. {@link classScores} makes precision,
   * recall and F1 of it. A model with one output has two classes, divided at 0.5.
   *
   * @example
   * ```ts
   * const matrix = await model.confusionMatrix(test);
   * const hardest = classScores(matrix).perClass.map(({ recall }) => recall);
   * ```
   */
  async confusionMatrix(data: TrainingData, options: EvaluateOptions = {}): Promise<ConfusionMatrix> {
    return confusionMatrix(this, this.ready("confusionMatrix"), data, options);
  }

  /**
   * Predictions for a batch: the outputs through the loss's link, so probabilities where the loss takes logits.
   *
   * While the model is being trained, they are those of its weights between two steps, from the time of the call or just after it, all of a call
   * by the same weights. Training does not wait for them, but the first such call makes a second copy of the weights.
   *
   * @param inputs - a tensor or nested arrays `[n, ...inputShape]`, or a typed array of n examples one after the other
   * @returns `[n, ...outputShape]`
   */
  async predict(inputs: PredictInput, options: PredictOptions = {}): Promise<Tensor> {
    let given = inputs;
    return this.serving.use(
      (by) => (by.predictor ??= new Predictor(by, this.compiled?.loss.link)).predict(given, options),
      () => (given = copyOf(inputs)),
    );
  }

  /**
   * How long each instruction of a training step takes, beside what the machine can do. Nothing is trained by it.
   *
   * @param data - where the batch is taken from
   * @throws StateError before compile(), OptionError for a batch larger than the data
   *
   * @example
   * ```ts
   * console.log(String(await model.profile(train, { batchSize: 128 })));
   * ```
   */
  async profile(data: Dataset, options: ProfileOptions = {}): Promise<Profile> {
    const compiled = this.ready("profile");
    this.refuseWhileFitting("profile");
    return profileTraining(this, compiled, data, options);
  }

  /** Writes architecture and weights to one safetensors file; a failed write leaves an old file as it was. */
  async save(path: string): Promise<void> {
    await saveModel(filePath("save", "path", path), this, this.compiled);
  }

  /**
   * A model of its own with the same layers and weights, compiled alike with an optimizer that starts afresh.
   *
   * @param options - `dtype`: what the copy computes in; default: as this model
   */
  clone(options: Pick<SequentialOptions, "dtype"> = {}): Model {
    checkOptions("clone", options, ["dtype"]);
    const copy = this.twin(oneOf("clone", "dtype", options.dtype ?? this.dtype, weightTypes));
    copy.setWeights(this.getWeights());
    return this.compiled ? copy.compile({ ...this.compiled, optimizer: this.compiled.optimizer.fresh() }) : copy;
  }

  /** @internal Takes over the seed of a training that goes on, which may have been drawn. */
  reseed(seed: number): void {
    if (seed !== this.seed) this.online = undefined; // recorded with the other
    (this as { seed: number }).seed = seed;
  }

  /** @internal One with the same layers whose weights are all 0. */
  twin(dtype = this.dtype): Model {
    const { inputShape, seed, name } = this;
    return new Model(this.layers, { inputShape, seed, name, dtype }, true);
  }

  /** @internal What compile() settled; throws where it was not called yet. */
  ready(where: string): Compiled {
    if (this.compiled) return this.compiled;
    throw new SimdnnError(
      "StateError",
      `${where}: ${this.name} has no loss yet; call compile({ loss, optimizer }) first`,
      { where },
    );
  }

  private refuseWhileFitting(where: string): void {
    if (this.fitting || this.online?.busy)
      throw busyError(this.name, "being trained", `await the fit() promise before ${where}()`);
  }
}

const weightTypes: readonly WeightSpec["dtype"][] = ["float32", "float64"];

/** What the caller may not change any more. */
function copyOf(inputs: PredictInput): PredictInput {
  if (inputs instanceof Tensor) return tensor(inputs.read(), { shape: inputs.shape });
  const copy = tensor(inputs);
  return ArrayBuffer.isView(inputs) ? copy.read() : copy;
}

/** Metrics whose names tell them apart in logs, from each other and from the other curves. */
function distinct(metrics: readonly Metric[]): readonly Metric[] {
  const taken = new Set(["loss", "cost", "learningRate"]);
  for (const { name } of metrics) {
    if (taken.has(name)) throw wrongValue("compile", "metrics", "a name of its own for each metric", name);
    taken.add(name);
  }
  return metrics;
}

/**
 * A model whose layers follow one another. Its weights are made at once.
 *
 * @throws ShapeError when a layer does not fit the one before it
 *
 * @example
 * ```ts
 * const model = sequential([dense(512, { bias: false }), batchNorm(), relu(), dropout(0.2), dense(10)], { inputShape: [784], seed: 1 });
 * model.compile({ loss: "softmaxCrossEntropy", optimizer: adam({ learningRate: 1e-3 }), metrics: ["accuracy"] });
 * ```
 */
export function sequential(layers: readonly Layer[], options: SequentialOptions): Model {
  checkOptions("sequential", options, ["inputShape", "seed", "name", "dtype"]);
  if (!isArray(layers) || layers.length === 0)
    throw wrongValue("sequential", "layers", "an array of at least one layer", layers);
  Array.from(layers as (Layer | undefined)[]).forEach((layer, i) => {
    const { type, call, build } = (isObject(layer) ? layer : {}) as Partial<Layer>;
    if (typeof type === "string" && isFunction(call) && (build === undefined || isFunction(build))) return;
    const expected = typeof layer === "function" ? "a layer; call the function that makes it," : "a layer";
    throw wrongValue("sequential", `layers[${i}]`, expected, layer);
  });
  if (options?.name !== undefined && typeof options.name !== "string")
    throw wrongValue("sequential", "name", "text", options.name);
  const shape: unknown = options?.inputShape;
  if (!isArray(shape) || !shape.every((dim) => Number.isSafeInteger(dim) && (dim as number) >= 0))
    throw wrongValue("sequential", "inputShape", "the shape of one example, such as [784],", shape);
  if (options.dtype !== undefined) oneOf("sequential", "dtype", options.dtype, weightTypes);
  return new Model(layers, options);
}
