// The network that `simdnn train` builds: a classifier with any number of hidden layers, each dense, batch norm, ReLU, dropout.
import {
  adam, adamw, batchNorm, dense, dropout, momentum, nesterov, normalization, relu, rmsprop, sequential, sgd,
  type Dataset, type Model,
} from "../index.js"; // prettier-ignore

const optimizers = { adam, adamw, momentum, nesterov, rmsprop, sgd };

export type OptimizerName = keyof typeof optimizers;
export const optimizerNames = Object.keys(optimizers) as OptimizerName[];

export interface NetworkOptions {
  /** Widths of the hidden layers; none for a linear model. */
  readonly hidden: readonly number[];
  readonly dropout: number;
  readonly optimizer: OptimizerName;
  /** The optimizer's own default when absent. */
  readonly learningRate?: number;
  readonly seed: number;
}

/** A compiled model for `fitting`; its first layer normalises images by what is known of the training data alone. */
export function buildNetwork(fitting: Dataset, classes: number, options: NetworkOptions): Model {
  const { hidden, dropout: rate, optimizer, learningRate, seed } = options;
  const layers = [
    normalization(fitting.statistics({ per: "all" })),
    ...hidden.flatMap((units) => [
      // Batch norm takes the mean away, and with it any bias; He's deviation is for the ReLU that follows.
      dense(units, { bias: false, weightInitializer: "heNormal" }),
      batchNorm(),
      relu(),
      ...(rate > 0 ? [dropout(rate)] : []),
    ]),
    dense(classes),
  ];
  const model = sequential(layers, { inputShape: fitting.inputShape, seed });
  return model.compile({
    loss: "softmaxCrossEntropy",
    optimizer: optimizers[optimizer](learningRate === undefined ? {} : { learningRate }),
    metrics: ["accuracy"],
  });
}

/** `784-512-256-10` */
export function describeWidths(model: Model, hidden: readonly number[]): string {
  return [...model.inputShape, ...hidden, ...model.outputShape].join("-");
}
