// Softmax, its logarithm and its hard limit over the last axis. With the loss in one step it is cross-entropy.ts.
import { apply1, defineOp, type Op } from "../op.js";
import { checkTensor, tensor, type Tensor } from "../tensor.js";
import { cast } from "./cast.js";
import { equal } from "./comparison.js";
import type { NoAttrs } from "./constant.js";
import { argmax } from "./reduce.js";
import { float, rowShapes } from "./samples.js";
import { alike, features } from "./shapes.js";
import { reshape } from "./view.js";

/** An op on the rows of a tensor whose gradient is an op on dout and its output. */
function onRows(name: string, outputRange: readonly [number, number]): Op<NoAttrs> {
  const gradient = defineOp<NoAttrs>({
    name: `${name}Grad`,
    operands: ["dout", "output"],
    attrs: {},
    shape: rowsAlike(`${name}Grad`, ["dout", "output"]),
    vjp: "missing",
    inPlace: [0, 1],
    samples: () => rowShapes.map((shape) => ({ operands: [float(shape), float(shape, outputRange)], attrs: {} })),
  });
  return defineOp<NoAttrs>({
    name,
    operands: ["input"],
    attrs: {},
    shape: rowsAlike(name, ["input"]),
    vjp: ({ outputs: [y] }, [dout]) => [apply1(gradient, [dout!, y!], {})],
    inPlace: [0],
    samples: () => rowShapes.map((shape) => ({ operands: [float(shape, [-5, 5])], attrs: {} })),
  });
}

function rowsAlike(name: string, labels: readonly string[]): Op<NoAttrs>["shape"] {
  const rule = alike(name, labels);
  return (operands) => {
    features(name, labels, operands);
    return rule(operands);
  };
}

const softmaxRecord = onRows("softmax", [0.01, 0.5]);
const logSoftmaxRecord = onRows("logSoftmax", [-5, -0.1]);

/**
 * `exp(xⱼ) / Σₖ exp(xₖ)` over the last axis, without overflow: each row becomes probabilities that add up to 1. The error in
 * float32 is at most |x - max| + 12 ULP for rows of 10.
 *
 * @throws ShapeError for scalars and for rows of no elements; DTypeError for integers
 *
 * @example
 * ```ts
 * softmax(tensor([[0, 0], [0, Math.log(3)]])).data(); // [0.5, 0.5, 0.25, 0.75]
 * ```
 */
export function softmax(x: Tensor): Tensor {
  return apply1(softmaxRecord, [x], {});
}

/**
 * `log(softmax(x))` over the last axis, exact also where the probability rounds to 0.
 *
 * @throws ShapeError for scalars and for rows of no elements; DTypeError for integers
 *
 * @example
 * ```ts
 * logSoftmax(tensor([0, 1000])).data(); // [-1000, 0]
 * ```
 */
export function logSoftmax(x: Tensor): Tensor {
  return apply1(logSoftmaxRecord, [x], {});
}

/**
 * 1 at the largest element of each row over the last axis (the first of equal ones), 0 elsewhere: what {@link softmax} comes to as differences grow. No
 * gradient flows through it.
 *
 * @throws ShapeError for scalars and for rows of no elements; DTypeError for integers
 *
 * @example
 * ```ts
 * hardmax(tensor([[1, 3, 2], [5, 5, 0]])).data(); // [0, 1, 0, 1, 0, 0]
 * ```
 */
export function hardmax(x: Tensor): Tensor {
  checkTensor("hardmax", "x", x);
  const classes = features("hardmax", ["input"], [x]);
  const places = tensor(Int32Array.from({ length: classes }, (_, i) => i));
  const largest = argmax(x);
  return cast(equal(reshape(largest, [...largest.shape, 1]), places), x.dtype);
}
