// Batch normalization: its options, weights and running averages. The arithmetic is in ops.
import { shapeError } from "../errors.js";
import { describeInitializers, ones, resolveInitializer, zeros, type InitializerOption } from "../initializers.js";
import { batchNorm as batchNormOp, batchNormInference } from "../ops/norm.js";
import { checkOptions, fraction, positiveNumber } from "../options.js";
import { describeRegularizers, optionalRegularizer, type Regularizer } from "../regularizers.js";
import type { Tensor } from "../tensor.js";
import type { Layer } from "./layer.js";

export interface BatchNormOptions {
  /** Share of the old value in the running averages' exponential weighting, in [0, 1); default 0.9. (PyTorch's momentum is 1 minus this.) */
  readonly momentum?: number;
  /** Added to the variance, under the root; default 1e-5. */
  readonly epsilon?: number;
  /** Default `"ones"`. */
  readonly gammaInitializer?: InitializerOption;
  /** Default `"zeros"`. */
  readonly betaInitializer?: InitializerOption;
  /** What gamma adds to the cost, such as `l2(0.01)`. Default: nothing. */
  readonly gammaRegularizer?: Regularizer;
  /** As gammaRegularizer, for beta. */
  readonly betaRegularizer?: Regularizer;
}

export type BatchNormWeights = Readonly<{ gamma: Tensor; beta: Tensor; runningMean: Tensor; runningVariance: Tensor }>;

/**
 * Batch normalization over the last axis: `gamma · (input - μ) / √(σ² + epsilon) + beta` (Ioffe and Szegedy, 2015).
 *
 * In training μ and σ² are those of the batch, which needs at least two rows, and `running = momentum · running + (1 - momentum) · batch`, with the
 * unbiased variance. Otherwise they are the running averages, so that one example at a time is fine.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * sequential([dense(64, { bias: false }), batchNorm(), relu(), dense(10)], { inputShape: [784] });
 * ```
 */
export function batchNorm(options: BatchNormOptions = {}): Layer<BatchNormWeights> {
  checkOptions("batchNorm", options, [
    "momentum",
    "epsilon",
    "gammaInitializer",
    "betaInitializer",
    "gammaRegularizer",
    "betaRegularizer",
  ]);
  const momentum = fraction("batchNorm", "momentum", options.momentum ?? 0.9);
  const epsilon = positiveNumber("batchNorm", "epsilon", options.epsilon ?? 1e-5);
  const gammaInitializer = resolveInitializer("batchNorm", "gammaInitializer", options.gammaInitializer ?? "ones");
  const betaInitializer = resolveInitializer("batchNorm", "betaInitializer", options.betaInitializer ?? "zeros");
  const gammaRegularizer = optionalRegularizer("batchNorm", "gammaRegularizer", options.gammaRegularizer);
  const betaRegularizer = optionalRegularizer("batchNorm", "betaRegularizer", options.betaRegularizer);

  return {
    type: "batchNorm",
    options: {
      momentum,
      epsilon,
      ...describeInitializers({ gammaInitializer, betaInitializer }),
      ...describeRegularizers({ gammaRegularizer, betaRegularizer }),
    },
    build({ inputShape, parameter, state }) {
      const shape = inputShape.slice(-1);
      if (shape.length === 0)
        throw shapeError("batchNorm", "expected examples of at least one dimension", [
          { label: "input", shape: inputShape },
        ]);
      return {
        gamma: parameter("gamma", shape, gammaInitializer, gammaRegularizer),
        beta: parameter("beta", shape, betaInitializer, betaRegularizer),
        runningMean: state("runningMean", shape, zeros()),
        runningVariance: state("runningVariance", shape, ones()),
      };
    },
    call: (input, { gamma, beta, runningMean, runningVariance }, { training }) =>
      training
        ? batchNormOp(input, gamma, beta, runningMean, runningVariance, { momentum, epsilon })
        : batchNormInference(input, gamma, beta, runningMean, runningVariance, { epsilon }),
  };
}
