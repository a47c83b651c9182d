// The fully connected layer. Its arithmetic is one op.
import { shapeError } from "../errors.js";
import { describeInitializers, resolveInitializer, type InitializerOption } from "../initializers.js";
import { dense as denseOp } from "../ops/dense.js";
import { softmax } from "../ops/softmax.js";
import { bool, checkOptions, isObject, oneOf, positiveInteger, wrongValue } from "../options.js";
import { describeRegularizers, optionalRegularizer, type Regularizer } from "../regularizers.js";
import type { Tensor } from "../tensor.js";
import { activationNames, activationNumber, type ActivationName, type ActivationOptions } from "./activations.js";
import type { Layer } from "./layer.js";

export interface DenseOptions extends ActivationOptions {
  /** Default `"linear"`. */
  readonly activation?: ActivationName;
  /** Whether a learned number per unit is added; default true. Needless in front of batchNorm, which takes it off again. */
  readonly bias?: boolean;
  /** Default `"glorotUniform"`; `"heNormal"` suits ReLU and its relatives in deep networks. */
  readonly weightInitializer?: InitializerOption;
  /** Default `"zeros"`. */
  readonly biasInitializer?: InitializerOption;
  /** What the weights add to the cost, such as `l2(0.01)`. Default: nothing. */
  readonly weightRegularizer?: Regularizer;
  /** As weightRegularizer, for the biases, which are usually left out. */
  readonly biasRegularizer?: Regularizer;
}

export type DenseWeights = Readonly<{ weight: Tensor; bias?: Tensor }>;

/**
 * A fully connected layer: `activation(input · weight + bias)` from `[batch, ..., in]` to `[batch, ..., units]`, with weight `[in, units]`.
 *
 * The op behind it is `ops.dense(input, weight, bias, { activation, slope })`.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * sequential([dense(64, { activation: "relu", weightInitializer: "heNormal" }), dense(10)], { inputShape: [784] });
 * ```
 */
export function dense(units: number, options: DenseOptions = {}): Layer<DenseWeights> {
  positiveInteger("dense", "units", units);
  if (!isObject(options)) throw wrongValue("dense", "options", "an object", options);
  const activation = oneOf("dense", "activation", options.activation ?? "linear", activationNames);
  const number = activationNumber(activation, options, "dense");
  const where = activation === "linear" ? "dense" : `dense with activation "${activation}"`;
  checkOptions(where, options, [
    "activation", "bias", "weightInitializer", "biasInitializer", "weightRegularizer", "biasRegularizer", ...number.known,
  ]); // prettier-ignore
  const bias = bool("dense", "bias", options.bias ?? true);
  const weightInitializer = resolveInitializer(
    "dense",
    "weightInitializer",
    options.weightInitializer ?? "glorotUniform",
  );
  const biasInitializer = resolveInitializer("dense", "biasInitializer", options.biasInitializer ?? "zeros");
  const weightRegularizer = optionalRegularizer("dense", "weightRegularizer", options.weightRegularizer);
  const biasRegularizer = optionalRegularizer("dense", "biasRegularizer", options.biasRegularizer);
  const inOp = activation === "softmax" ? {} : { activation, slope: number.value };

  return {
    type: "dense",
    options: {
      units,
      activation,
      ...number.described,
      bias,
      ...describeInitializers({ weightInitializer, biasInitializer }),
      ...describeRegularizers({ weightRegularizer, biasRegularizer }),
    },
    build({ inputShape, parameter }) {
      const width = inputShape.at(-1);
      if (width === undefined)
        throw shapeError("dense", "expected examples of at least one dimension", [
          { label: "input", shape: inputShape },
        ]);
      const weight = parameter("weight", [width, units], weightInitializer, weightRegularizer);
      return bias ? { weight, bias: parameter("bias", [units], biasInitializer, biasRegularizer) } : { weight };
    },
    call(input, weights) {
      const output = denseOp(input, weights.weight, weights.bias, inOp);
      return activation === "softmax" ? softmax(output) : output;
    },
  };
}
