// Network: layers in sequence with their weights, and the way through them. What is done with one is model.ts.
import { types } from "node:util";
import { formatShape, shapeError } from "./errors.js";
import type { Initializer, WeightSpec } from "./initializers.js";
import type { CallContext, Layer, Weights } from "./layers/layer.js";
import { Made } from "./made.js";
import { add } from "./ops/binary.js";
import { tick } from "./ops/random.js";
import { bool, checkOptions, hasMethod, isFunction, wrongValue } from "./options.js";
import { deriveSeed, resolveSeed } from "./random.js";
import type { Regularizer } from "./regularizers.js";
import { Tape, withScope, withTape } from "./tape.js";
import { checkTensor, Tensor, tensor, zeros, type Shape, type TypedArray } from "./tensor.js";
import { textTable } from "./text-table.js";

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

export interface ForwardOptions {
  /** Run the layers as in training. Default: false. */
  readonly training?: boolean;
  /** Called with each layer's name, such as `dense1`, and its output, in order. */
  readonly onLayer?: ((layer: string, output: Tensor) => void) | undefined;
}

interface BuiltLayer {
  readonly layer: Layer;
  readonly name: string;
  readonly weights: Weights;
  readonly outputShape: Shape;
}

/** What a {@link Model} computes with: its layers, their weights, and the way through them. */
export class Network extends Made {
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
  private readonly built: readonly BuiltLayer[];
  private readonly regularized: readonly (readonly [weight: Tensor, regularizer: Regularizer])[];

  /**
   * @internal Use sequential().
   * @param blank - leave all weights 0, for others to be copied into them
   */
  constructor(layers: readonly Layer[], { inputShape, seed, name, dtype }: SequentialOptions, blank = false) {
    super();
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
          if (!hasMethod(initializer, "make"))
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

  /** What the layers are called, such as `dense1`, in order. */
  get layerNames(): readonly string[] {
    return this.built.map(({ name }) => name);
  }

  /** Whether a layer has a regularizer, so that there is a penalty. */
  get isRegularized(): boolean {
    return this.regularized.length > 0;
  }

  /** Number of trained values. */
  get parameterCount(): number {
    return this.parameters.reduce((sum, parameter) => sum + parameter.size, 0);
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
    if (onLayer !== undefined && !isFunction(onLayer)) throw wrongValue(where, "onLayer", "a function", onLayer);
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
    if (!this.isRegularized) return undefined;
    return withScope(`${this.name}.penalty`, () =>
      this.regularized.map(([weight, regularizer]) => regularizer.penalty(weight, examples)).reduce(add),
    );
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
    if (!types.isMap(values)) throw wrongValue("setWeights", "weights", "a Map such as getWeights() gives", values);
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
}
