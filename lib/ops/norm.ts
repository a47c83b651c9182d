// Batch normalisation per feature, with the statistics of the batch and with fixed ones. The layer is layers/batch-norm.ts.
import { shapeError } from "../errors.js";
import { apply, apply1, defineOp, type Sample } from "../op.js";
import type { Shape, Spec, Tensor } from "../tensor.js";
import { add, div, mul, sub } from "./binary.js";
import type { NoAttrs } from "./constant.js";
import { sumTo } from "./reduce.js";
import { float } from "./samples.js";
import { features, floatType, notes, sameShape } from "./shapes.js";
import { neg, sqrt } from "./unary.js";

/** Share of the old running statistics that stays, and ε, of {@link batchNorm}. */
export type BatchNormAttrs = { readonly momentum: number; readonly epsilon: number };
/** ε of {@link batchNormInference}. */
export type BatchNormInferenceAttrs = { readonly epsilon: number };

/** Operands [..., c] in front, `vectors` from index `from` on must be [c]. Returns the input's shape, its dtype and c. */
function checkVectors(
  where: string,
  labels: readonly string[],
  operands: readonly Spec[],
  from: number,
): Spec & { readonly count: number } {
  const { shape } = operands[0]!;
  const dtype = floatType(where, labels, operands);
  const count = features(where, labels, operands);
  if (operands.slice(from).some((vector) => !sameShape(vector.shape, [count])))
    throw shapeError(
      where,
      `${labels.slice(from).join(", ")} must be [${count}], one number per feature of ${labels[0]}`,
      notes(labels, operands),
    );
  return { shape, dtype, count };
}

const labels = ["input", "gamma", "beta", "runningMean", "runningVariance"];
const shapes: readonly Shape[] = [[2, 1], [5, 3], [3, 2, 5], [4, 1, 1, 2], [9, 17], [70, 33], [130, 16]]; // prettier-ignore

const record = defineOp<BatchNormAttrs>({
  name: "batchNorm",
  operands: labels,
  attrs: { momentum: "number", epsilon: "number" },
  shape: (operands) => {
    const { shape, dtype, count } = checkVectors("batchNorm", labels, operands, 1);
    if (shape.slice(0, -1).reduce((rows, dim) => rows * dim, 1) < 2)
      throw shapeError(
        "batchNorm",
        "the statistics of a batch need more than one row; use larger batches, or drop the last short one (dropLast)",
        notes(labels, operands),
      );
    return [{ shape, dtype }, { shape: [count], dtype }, { shape: [count], dtype }]; // prettier-ignore
  },
  vjp: ({ operands: [input, gamma], outputs: [, mean, inverseDeviation], needs }, [dout]) => {
    const gradients = apply(gradRecord, [dout!, input!, gamma!, mean!, inverseDeviation!], {});
    return gradients.map((gradient, i) => (needs[i] ? gradient : undefined));
  },
  inPlace: [0],
  effects: [3, 4],
  saved: [1, 2],
  samples: () =>
    shapes.flatMap((shape): Sample<BatchNormAttrs>[] => {
      const vector = [shape.at(-1)!];
      const operands = [
        float(shape, [-1, 3]),
        float(vector, [0.5, 2]),
        float(vector),
        float(vector),
        float(vector, [0.5, 2]),
      ];
      return [{ operands, attrs: { momentum: 0.9, epsilon: 1e-5 } }, { operands, attrs: { momentum: 0, epsilon: 1e-3 } }]; // prettier-ignore
    }),
});

const inferenceLabels = ["input", "gamma", "beta", "mean", "variance"];

const inferenceRecord = defineOp<BatchNormInferenceAttrs>({
  name: "batchNormInference",
  operands: inferenceLabels,
  attrs: { epsilon: "number" },
  shape: (operands) => {
    const { shape, dtype } = checkVectors("batchNormInference", inferenceLabels, operands, 1);
    return [{ shape, dtype }];
  },
  // y = γ x̂ + β with x̂ = (x - mean) r and r = 1/√(variance + ε), so that dr/dvariance = -r³/2.
  vjp: ({ operands, attrs: { epsilon }, needs }, [dout]) => {
    const [x, gamma, , mean, variance] = operands as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const r = div(1, sqrt(add(variance, epsilon)));
    const scale = mul(gamma, r);
    const dbeta = needs[2] || needs[3] ? sumTo(dout!, variance.shape) : undefined;
    const dgamma = needs[1] || needs[4] ? mul(sumTo(mul(dout!, sub(x, mean)), variance.shape), r) : undefined;
    return [
      needs[0] ? mul(dout!, scale) : undefined,
      needs[1] ? dgamma : undefined,
      needs[2] ? dbeta : undefined,
      needs[3] ? neg(mul(dbeta!, scale)) : undefined,
      needs[4] ? mul(mul(mul(dgamma!, gamma), mul(r, r)), -0.5) : undefined,
    ];
  },
  inPlace: [0],
  epilogue: ([, gamma, beta, mean, variance], { epsilon }) => ({
    center: mean!,
    scale: div(gamma!, sqrt(add(variance!, epsilon))),
    shift: beta!,
  }),
  samples: () =>
    [[1], [1, 1], [0, 3], ...shapes].map((shape) => {
      const vector = [shape.at(-1)!];
      const operands = [float(shape), float(vector), float(vector), float(vector), float(vector, [0.5, 2])];
      return { operands, attrs: { epsilon: 1e-5 } };
    }),
});

const gradLabels = ["dout", "input", "gamma", "mean", "inverseDeviation"];

const gradRecord = defineOp<NoAttrs>({
  name: "batchNormGrad",
  operands: gradLabels,
  attrs: {},
  shape: (operands) => {
    const { shape, dtype, count } = checkVectors("batchNormGrad", gradLabels, operands, 2);
    if (!sameShape(operands[1]!.shape, shape))
      throw shapeError("batchNormGrad", "dout and input must have the same shape", notes(gradLabels, operands));
    return [{ shape, dtype }, { shape: [count], dtype }, { shape: [count], dtype }]; // prettier-ignore
  },
  vjp: "missing",
  inPlace: [0, 1],
  samples: () =>
    shapes.map((shape) => {
      const vector = [shape.at(-1)!];
      return {
        operands: [float(shape), float(shape), float(vector), float(vector), float(vector, [0.5, 2])],
        attrs: {},
      };
    }),
});

/**
 * `γ (x - μ) / √(σ² + ε) + β` with mean μ and variance σ² of each feature over the batch. Along the way the running statistics move:
 * `running = momentum · running + (1 - momentum) · batch`, its variance being the unbiased one, as in PyTorch.
 *
 * @param input - `[..., features]`, more than one row
 * @param gamma - `[features]`; so are `beta`, `runningMean` and `runningVariance`, of which the last two are updated in place
 * @throws ShapeError or DTypeError when they do not fit together, and for a single row
 *
 * @example
 * ```ts
 * const ones = tensor([1]), zero = tensor([0]);
 * batchNorm(tensor([[1], [3]]), ones, zero, tensor([0]), tensor([1]), { momentum: 0.9, epsilon: 0 }).data(); // [-1, 1]
 * ```
 */
export function batchNorm(
  input: Tensor,
  gamma: Tensor,
  beta: Tensor,
  runningMean: Tensor,
  runningVariance: Tensor,
  options: BatchNormAttrs,
): Tensor {
  return apply(record, [input, gamma, beta, runningMean, runningVariance], options)[0]!;
}

/**
 * `γ (x - mean) / √(variance + ε) + β` with given statistics, for any number of rows.
 *
 * @param input - `[..., features]`
 * @param gamma - `[features]`; so are `beta`, `mean` and `variance`
 * @throws ShapeError or DTypeError when they do not fit together
 *
 * @example
 * ```ts
 * batchNormInference(tensor([[5]]), tensor([2]), tensor([1]), tensor([3]), tensor([4]), { epsilon: 0 }).data(); // [3]
 * ```
 */
export function batchNormInference(
  input: Tensor,
  gamma: Tensor,
  beta: Tensor,
  mean: Tensor,
  variance: Tensor,
  options: BatchNormInferenceAttrs,
): Tensor {
  return apply1(inferenceRecord, [input, gamma, beta, mean, variance], options);
}
