// Functions of one tensor, element by element. Activation functions are activation.ts.
import { apply1, defineOp, type Op } from "../op.js";
import { wrongValue } from "../options.js";
import type { Tensor } from "../tensor.js";
import { div, mul } from "./binary.js";
import { equal } from "./comparison.js";
import type { NoAttrs } from "./constant.js";
import { elementShapes, float } from "./samples.js";
import { alike } from "./shapes.js";

type Gradient = (dout: Tensor, input: Tensor, output: Tensor) => Tensor;

function unary(name: string, gradient: Gradient | "none", range?: readonly [number, number]): Op<NoAttrs> {
  return defineOp<NoAttrs>({
    name,
    operands: ["input"],
    attrs: {},
    shape: alike(name, ["input"]),
    vjp: gradient === "none" ? gradient : ({ operands: [x], outputs: [y] }, [dout]) => [gradient(dout!, x!, y!)],
    inPlace: [0],
    samples: () => elementShapes.map((shape) => ({ operands: [float(shape, range)], attrs: {} })),
  });
}

const records = {
  neg: unary("neg", (dout) => neg(dout)),
  exp: unary("exp", (dout, _, y) => mul(dout, y)),
  log: unary("log", (dout, x) => div(dout, x), [0.1, 4]),
  sin: unary("sin", (dout, x) => mul(dout, cos(x))),
  cos: unary("cos", (dout, x) => neg(mul(dout, sin(x)))),
  sqrt: unary("sqrt", (dout, _, y) => div(mul(dout, 0.5), y), [0.1, 4]),
  square: unary("square", (dout, x) => mul(dout, mul(x, 2))),
  abs: unary("abs", (dout, x) => mul(dout, sign(x))),
  sign: unary("sign", "none"),
};

type ClipAttrs = { readonly min: number; readonly max: number };

const clipRecord = defineOp<ClipAttrs>({
  name: "clip",
  operands: ["input"],
  attrs: { min: "number", max: "number" },
  shape: alike("clip", ["input"]),
  // An element that came through unchanged lay within the bounds, the bounds themselves included.
  vjp: ({ operands: [x], outputs: [y] }, [dout]) => [mul(dout!, equal(x!, y!))],
  inPlace: [0],
  samples: () =>
    [
      { min: -1, max: 1 },
      { min: 0, max: Infinity },
      { min: -Infinity, max: 0.5 },
    ].flatMap((attrs) => elementShapes.map((shape) => ({ operands: [float(shape)], attrs }))),
});

/**
 * `-x`, for a floating-point tensor of any shape.
 *
 * @example
 * ```ts
 * neg(tensor([1, -2])).data(); // [-1, 2]
 * ```
 */
export function neg(x: Tensor): Tensor {
  return apply1(records.neg, [x], {});
}

/**
 * `eˣ` of each element. Largest error in float32: 1.04 ULP (units in the last place).
 *
 * @example
 * ```ts
 * exp(tensor([0, 1])).data(); // [1, 2.718…]
 * ```
 */
export function exp(x: Tensor): Tensor {
  return apply1(records.exp, [x], {});
}

/**
 * Natural logarithm of each element: -∞ for 0, NaN below. Largest error in float32: 0.86 ULP.
 *
 * @example
 * ```ts
 * log(tensor([1, Math.E])).data(); // [0, 1]
 * ```
 */
export function log(x: Tensor): Tensor {
  return apply1(records.log, [x], {});
}

/**
 * Sine of each element, an angle in radians.
 *
 * @example
 * ```ts
 * sin(tensor([0, Math.PI / 6])).data(); // [0, 0.5]
 * ```
 */
export function sin(x: Tensor): Tensor {
  return apply1(records.sin, [x], {});
}

/**
 * Cosine of each element, an angle in radians.
 *
 * @example
 * ```ts
 * cos(tensor([0, Math.PI / 3])).data(); // [1, 0.5]
 * ```
 */
export function cos(x: Tensor): Tensor {
  return apply1(records.cos, [x], {});
}

/**
 * Square root of each element, correctly rounded: NaN below 0. Its gradient at 0 is infinite.
 *
 * @example
 * ```ts
 * sqrt(tensor([4, 9])).data(); // [2, 3]
 * ```
 */
export function sqrt(x: Tensor): Tensor {
  return apply1(records.sqrt, [x], {});
}

/**
 * `x²` of each element.
 *
 * @example
 * ```ts
 * square(tensor([-3, 2])).data(); // [9, 4]
 * ```
 */
export function square(x: Tensor): Tensor {
  return apply1(records.square, [x], {});
}

/**
 * `|x|` of each element. Its gradient at 0 is 0.
 *
 * @example
 * ```ts
 * abs(tensor([-3, 2])).data(); // [3, 2]
 * ```
 */
export function abs(x: Tensor): Tensor {
  return apply1(records.abs, [x], {});
}

/**
 * -1, 0 or 1 as each element is negative, 0 or positive. No gradient flows through it.
 *
 * @example
 * ```ts
 * sign(tensor([-3, 0, 2])).data(); // [-1, 0, 1]
 * ```
 */
export function sign(x: Tensor): Tensor {
  return apply1(records.sign, [x], {});
}

/**
 * Each element moved into `[min, max]`; NaN stays. The gradient flows where nothing was moved.
 *
 * @param min - may be `-Infinity`
 * @param max - may be `Infinity`
 * @throws OptionError when a bound is not a number or they are the wrong way round
 *
 * @example
 * ```ts
 * clip(tensor([-3, 0.5, 2]), -1, 1).data(); // [-1, 0.5, 1]
 * ```
 */
export function clip(x: Tensor, min: number, max: number): Tensor {
  if (!(typeof min === "number" && !Number.isNaN(min))) throw wrongValue("clip", "min", "a number", min);
  if (!(typeof max === "number" && max >= min))
    throw wrongValue("clip", "max", `a number >= min, which is ${min},`, max);
  return apply1(clipRecord, [x], { min, max });
}
