// Losses between numbers, each averaged over an example's outputs.
import { add, minimum, mul, sub } from "../ops/binary.js";
import { abs, square } from "../ops/unary.js";
import { checkOptions, positiveNumber } from "../options.js";
import { overload, type Overloaded } from "../overload.js";
import type { Tensor } from "../tensor.js";
import type { Loss, LossFunction } from "./loss.js";
import { matchTargets, perExample } from "./targets.js";

/** A loss from a function of the error `ŷ - y`. */
function errorLoss(name: string, ofError: (error: Tensor) => Tensor): LossFunction {
  return (outputs, targets) => perExample(ofError(sub(outputs, matchTargets(name, outputs, targets))));
}

/** A loss without options: computes when called with outputs and targets, otherwise makes the loss. */
export type OverloadedLoss = Overloaded<[outputs: Tensor, targets: Tensor], [], Loss>;

function plain(name: string, ofError: (error: Tensor) => Tensor): OverloadedLoss {
  const call = errorLoss(name, ofError);
  return overload(
    (outputs: Tensor, targets: Tensor) => call(outputs, targets),
    () => ({ name, call }),
  );
}

/**
 * `(ŷ - y)²`. Targets: the outputs' shape, or `[m]` for one output; integers are converted.
 *
 * Called with outputs and targets it computes; called without, it makes the loss.
 *
 * @throws ShapeError when the targets have another shape
 */
export const meanSquaredError = plain("meanSquaredError", (error) => square(error));

/** `½ (ŷ - y)²`, whose derivative is the error itself. Otherwise as {@link meanSquaredError}. */
export const halfSquaredError = plain("halfSquaredError", (error) => mul(square(error), 0.5));

/** `|ŷ - y|`, with derivative 0 at 0. Otherwise as {@link meanSquaredError}. */
export const meanAbsoluteError = plain("meanAbsoluteError", (error) => abs(error));

/** Where {@link huber} turns from a parabola to a line. */
export interface HuberOptions {
  /** Default 1. */
  readonly delta?: number;
}

const huberFunction = (delta: number): LossFunction =>
  errorLoss("huber", (error) => {
    const size = abs(error);
    const inner = minimum(size, delta);
    return add(mul(square(inner), 0.5), mul(sub(size, inner), delta));
  });

/**
 * `½ e²` for errors up to `delta`, `delta · (|e| - ½ delta)` beyond (Huber, 1964). Targets as for {@link meanSquaredError}.
 *
 * `huber(outputs, targets, { delta })` computes; `huber({ delta })` makes the loss.
 */
export const huber = overload(
  (outputs: Tensor, targets: Tensor, options: HuberOptions = {}) => huberFunction(deltaOf(options))(outputs, targets),
  (options: HuberOptions = {}): Loss => {
    const delta = deltaOf(options);
    return { name: "huber", options: { delta }, call: huberFunction(delta) };
  },
);

function deltaOf(options: HuberOptions): number {
  checkOptions("huber", options, ["delta"]);
  return positiveNumber("huber", "delta", options.delta ?? 1);
}
