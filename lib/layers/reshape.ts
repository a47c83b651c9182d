// Layers that change the shape of an example and none of its values.
import { reshape as reshapeOp } from "../ops/view.js";
import { isArray, isObject, wrongValue } from "../options.js";
import { overload } from "../overload.js";
import { sizeOf, type Shape } from "../tensor.js";
import type { Layer } from "./layer.js";

/** A layer from `[batch, ...]` to `[batch, features]`. */
export function flatten(): Layer {
  const call: Layer["call"] = (input) => reshapeOp(input, [input.shape[0] ?? 1, sizeOf(input.shape.slice(1))]);
  return { type: "flatten", options: {}, call };
}

function reshapeLayer(given: Shape | { readonly shape: Shape }): Layer {
  const shape: Shape = isObject(given) && "shape" in given ? given.shape : given;
  if (!isTarget(shape)) throw wrongValue("reshape", "shape", "a list of dimensions, one of which may be -1,", shape);
  return { type: "reshape", options: { shape }, call: (input) => reshapeOp(input, [input.shape[0] ?? 1, ...shape]) };
}

function isTarget(shape: unknown): boolean {
  return isArray(shape) && shape.every((dim: unknown) => Number.isInteger(dim) && (dim as number) >= -1);
}

/**
 * The same values under another shape. `reshape(tensor, shape)` is the op; `reshape([28, 28])` makes a layer that gives this shape to each
 * example. One dimension may be -1: it becomes whatever is left.
 *
 * @throws ShapeError when the number of values differs
 */
export const reshape = overload(reshapeOp, reshapeLayer);
