// Model: layers in sequence with their weights, and what can be done with them. The loops behind fit, evaluate and predict are in train/.
import { busyError, formatShape, shapeError, SimdnnError } from "./errors.js";
import { Constants } from "./inference.js";
import type { Initializer, WeightSpec } from "./initializers.js";
import type { CallContext, Layer, Weights } from "./layers/layer.js";
import type { Loss } from "./losses/loss.js";
import { resolveLoss, type LossOption } from "./losses/registry.js";
import type { ConfusionMatrix } from "./metrics/confusion.js";
import type { Metric } from "./metrics/metric.js";
import { resolveMetric, type MetricOption } from "./metrics/registry.js";
import { resolveOptimizer, type OptimizerOption } from "./optimizers/registry.js";
import type { Optimizer } from "./optimizers/optimizer.js";
import { add } from "./ops/binary.js";
import { tick } from "./ops/random.js";
import { bool, checkOptions, isArray, oneOf, wrongValue } from "./options.js";
import { deriveSeed, resolveSeed } from "./random.js";
import type { Regularizer } from "./regularizers.js";
import { Tape, withScope, withTape } from "./tape.js";
import { checkTensor, Tensor, tensor, zeros, type Shape, type TypedArray } from "./tensor.js";
import { textTable } from "./text-table.js";
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

export interface SequentialOptions {
  /** Shape of one example, without the batch dimension. */
  readonly inputShape: Shape;
  /** Decides the initial weights and the dropout masks; the order of examples is fit's seed. Default: a random one. */
  readonly seed?: number;
  /** What messages call the model. Default: "model". */
  readonly name?: string;
  /**
   * What weights, inputs and everything in between are computed in. Default: "float32". "float64" is many times slower, since only the reference
   * kernels do it: for small problems that need the digits, and for gradient checks.
   */
  readonly dtype?: WeightSpec["dtype"];
}

export interface CompileOptions {
  readonly loss: LossOption;
  /** Default: `adam()`. */
  readonly optimizer?: OptimizerOption;
  readonly metrics?: readonly MetricOption[];
}

export interface ForwardOptions {
  /** Run the layers as in training. Default: false. */
  readonly training?: boolean;
  /** Called with each layer's name, such as `dense1`, and its output, in order. */
  readonly onLayer?: ((layer: string, output: Tensor) => void) | undefined;
}

/** What compile() settled. */
export interface Compiled {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly metrics: readonly Metric[];
}

interface BuiltLayer {
  readonly layer: Layer;
  readonly name: string;
  readonly weights: Weights;
  readonly outputShape: Shape;
}

export class Model {
  readonly name: string;
  readonly seed: number;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** What it computes in. */
  readonly dtype: WeightSpec["dtype"];
  /** What gradients train, in order. */
  readonly parameters: readonly Tensor[];
  /** Every weight by its name, such as `dense1.weight`: parameters and running averages. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Forward passes made in training, which dropout draws its masks by. */
  readonly passes: Tensor;
  /** @internal What predictions and evaluations compute from the weights alone. */
  readonly constants = new Constants();
  private readonly built: readonly BuiltLayer[];
  private readonly regularized: readonly (readonly [weight: Tensor, regularizer: Regularizer])[];
  private compiled: Compiled | undefined;
  private evaluator: Evaluator | undefined;
  private predictor: Predictor | undefined;
  private online: OnlineTrainer | undefined;
  private fitting = false;
  /** @internal */ readonly serving = new Serving(this);

  /**
   * @internal Use sequential().
   * @param blank - leave all weights 0, for others to be copied into them
   */
  constructor(layers: readonly Layer[], { inputShape, seed, name, dtype }: SequentialOptions, blank = false) {
    this.name = name ?? "model";
    this.seed = resolveSeed(this.name, seed);
    this.inputShape = [...inputShape];
    this.dtype = dtype ?? "float32";
    this.passes = zeros({ shape: [], dtype: "int32" }, { name: `${this.name}.passes` });
    const weights = new Map<string, Tensor>();
    const parameters: Tensor[] = [];
    const regularized: [Tensor, Regularizer][] = [];
    const names = new Map<string, number>();
    const built: BuiltLayer[] = [];
    let shape: Shape = this.inputShape;
    for (const [index, layer] of layers.entries()) {
      const count = (names.get(layer.type) ?? 0) + 1;
      names.set(layer.type, count);
      const layerName = `${layer.type}${count}`;
      const make =
        (requiresGrad: boolean) =>
        (weight: string, weightShape: Shape, initializer: Initializer, regularizer?: Regularizer) => {
          const full = `${layerName}.${weight}`;
          if (weights.has(full)) throw wrongValue(layerName, "weight", "a name of its own for each", weight);
          if (typeof initializer?.make !== "function")
            throw wrongValue(layerName, `the initializer of ${weight}`, "one such as zeros()", initializer);
          const spec = { shape: weightShape, dtype: this.dtype };
          const values = blank ? zeros(spec) : initializer.make(spec, deriveSeed(this.seed, weights.size));
          // One of the user's own may know one dtype only.
          const storage = (values.dtype === spec.dtype ? values : tensor(values.read(), spec)).read();
          const made = new Tensor(spec, { storage, name: full, requiresGrad });
          weights.set(full, made);
          if (requiresGrad) parameters.push(made);
          if (regularizer) regularized.push([made, regularizer]);
          return made;
        };
      const own = layer.build?.({ inputShape: shape, parameter: make(true), state: make(false) }) ?? {};
      const made = new Set(weights.values());
      const strange = Object.keys(own).find((name) => !made.has(own[name]!));
      if (strange !== undefined)
        throw wrongValue(
          layerName,
          strange,
          "a weight that parameter() or state() of its build context made",
          own[strange],
        );
      const outputShape = this.shapeAfter(layer, layerName, index, own, shape);
      built.push({ layer, name: layerName, weights: own, outputShape });
      shape = outputShape;
    }
    this.built = built;
    this.regularized = regularized;
    this.weights = weights;
    this.parameters = parameters;
    this.outputShape = shape;
  }

  get layers(): readonly Layer[] {
    return this.built.map(({ layer }) => layer);
  }

  /** Number of trained values. */
  get parameterCount(): number {
    return this.parameters.reduce((sum, parameter) => sum + parameter.size, 0);
  }

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
   * The forward pass over a batch `[n, ...inputShape]`, for training steps written by hand.
   *
   * @returns the raw outputs, such as logits
   * @throws ShapeError when the input does not fit
   */
  forward(input: Tensor, options: ForwardOptions = {}): Tensor {
    const where = `${this.name}.forward`;
    checkOptions(where, options, ["training", "onLayer"]);
    const training = bool(where, "training", options.training ?? false);
    const { onLayer } = options;
    if (onLayer !== undefined && typeof onLayer !== "function")
      throw wrongValue(where, "onLayer", "a function", onLayer);
    checkTensor(this.name, "input", input);
    if (input.rank !== this.inputShape.length + 1 || !this.inputShape.every((dim, i) => dim === input.shape[i + 1]))
      throw shapeError(
        this.name,
        `expected a batch of ${formatShape(this.inputShape)}, that is [n, ${this.inputShape.join(", ")}]`,
        [{ label: "input", shape: input.shape, name: input.name }],
      );
    const counter = training ? tick(this.passes) : this.passes;
    return this.built.reduce((x, { layer, name, weights }, stream) => {
      const context: CallContext = { training, random: { seed: this.seed, stream, counter } };
      const output = withScope(`${this.name}.${name}`, () => layer.call(x, weights, context));
      output.name = `${name}.output`;
      onLayer?.(name, output);
      return output;
    }, input);
  }

  /**
   * What the layers' regularizers add to the mean loss of `examples` examples, for training steps written by hand.
   *
   * @returns a scalar, or undefined where no layer has a regularizer
   */
  penalty(examples: number): Tensor | undefined {
    if (this.regularized.length === 0) return undefined;
    return withScope(`${this.name}.penalty`, () =>
      this.regularized.map(([weight, regularizer]) => regularizer.penalty(weight, examples)).reduce(add),
    );
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
   *   a stream throws. After a rejection the weights are those of the last whole step.
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
   * @throws as {@link fit}, and after a rejection the weights are as they were before the step
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
    await saveModel(path, this, this.compiled);
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

  /** Copies of all weights. */
  getWeights(): Map<string, TypedArray> {
    return new Map([...this.weights].map(([name, weight]) => [name, weight.data()]));
  }

  /**
   * Replaces weights by name, all or none.
   * @throws ShapeError for a name the model has not got or values of another length
   */
  setWeights(values: ReadonlyMap<string, TypedArray>): void {
    if (!((values as unknown) instanceof Map))
      throw wrongValue("setWeights", "weights", "a Map such as getWeights() gives", values);
    const fitting = [...values].map(([name, value]) => {
      const weight = this.weights.get(name);
      if (!weight)
        throw shapeError(this.name, `has no weight "${name}"; its weights are ${[...this.weights.keys()].join(", ")}`);
      if (weight.size !== value.length)
        throw shapeError(this.name, `${value.length} values do not fill "${name}"`, [
          { label: name, shape: weight.shape },
        ]);
      return [weight, tensor(value).read()] as const;
    });
    for (const [weight] of fitting) weight.writable();
    for (const [weight, value] of fitting) weight.write().set(value);
  }

  /** A table of the layers, their output shapes and numbers of parameters. */
  summary(): string {
    const count = (weights: Weights): number => Object.values(weights).reduce((sum, { size }) => sum + size, 0);
    const rows = [
      ["layer", "output", "values"],
      ...this.built.map(({ name, outputShape, weights }) => [
        name,
        `[n, ${outputShape.join(", ")}]`,
        count(weights).toLocaleString("en"),
      ]),
    ];
    return [...textTable(rows, [0, 1]), `${this.parameterCount.toLocaleString("en")} trained parameters`].join("\n");
  }

  /** Finds a layer's output shape by recording its forward pass over one example; nothing is computed. */
  private shapeAfter(layer: Layer, name: string, index: number, weights: Weights, shape: Shape): Shape {
    const input = zeros(
      { shape: [1, ...shape], dtype: this.dtype },
      { name: index === 0 ? `${this.name}.input` : "input" },
    );
    const context: CallContext = { training: false, random: { seed: this.seed, stream: index, counter: this.passes } };
    const output = withTape(new Tape(), () =>
      withScope(`${this.name}.${name}`, () => layer.call(input, weights, context)),
    );
    if (!(output instanceof Tensor)) throw wrongValue(name, "call", "a function that returns a tensor", output);
    if (output.shape[0] !== 1)
      throw shapeError(name, "a layer must keep the batch dimension first", [{ label: "output", shape: output.shape }]);
    return output.shape.slice(1);
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
  if (!Array.isArray(layers) || layers.length === 0)
    throw wrongValue("sequential", "layers", "an array of at least one layer", layers);
  Array.from(layers as (Layer | undefined)[]).forEach((layer, i) => {
    if (typeof layer?.type === "string" && typeof layer.call === "function") return;
    const expected = typeof layer === "function" ? "a layer; call the function that makes it," : "a layer";
    throw wrongValue("sequential", `layers[${i}]`, expected, layer);
  });
  if (options?.name !== undefined && typeof options.name !== "string")
    throw wrongValue("sequential", "name", "text", options.name);
  const shape: unknown = options?.inputShape;
  if (!Array.isArray(shape) || !shape.every((dim) => Number.isInteger(dim) && dim >= 0))
    throw wrongValue("sequential", "inputShape", "the shape of one example, such as [784],", shape);
  if (options.dtype !== undefined) oneOf("sequential", "dtype", options.dtype, weightTypes);
  return new Model(layers, options);
}
