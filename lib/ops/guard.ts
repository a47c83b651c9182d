// Guards: they compute nothing and stop a run whose numbers are not fit to go on with.
import { apply, defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import type { NoAttrs } from "./constant.js";
import { elementShapes, float } from "./samples.js";
import { floatType } from "./shapes.js";

const record = defineOp<NoAttrs>({
  name: "assertFinite",
  operands: ["input"],
  attrs: {},
  shape: (operands) => {
    floatType("assertFinite", ["input"], operands);
    return [];
  },
  vjp: "none",
  effects: [],
  guard: true,
  samples: () => elementShapes.map((shape) => ({ operands: [float(shape)], attrs: {} })),
});

/**
 * Throws a NonFiniteError if `x` holds NaN or an infinity; in a captured function, whenever a run comes to it.
 *
 * @throws NonFiniteError; DTypeError for integers
 *
 * @example
 * ```ts
 * assertFinite(tensor([1, NaN], { name: "input" })); // NonFiniteError: input became NaN
 * ```
 */
export function assertFinite(x: Tensor): void {
  apply(record, [x], {});
}
