// gradients(): differentiation for users. The walk over the tape is tape.ts.
import { wrongValue, isArray } from "../options.js";
import { shapeError, SimdnnError } from "../errors.js";
import { backward } from "../tape.js";
import { checkTensor, type Tensor } from "../tensor.js";
import { add, addScaled, mul } from "./binary.js";
import { constant } from "./constant.js";

/**
 * Gradients of a scalar with respect to tensors, each of which is like its tensor.
 *
 * @param loss - shape `[]`
 * @param wrt - parameters, or tensors computed from them, on which `loss` depends
 * @throws ShapeError unless `loss` is a scalar; GradientError for a tensor on which it does not depend, or whose value was changed after its use
 *
 * @example
 * ```ts
 * const w = parameter(3);
 * const [dw] = gradients(square(w), [w]);
 * dw.item(); // 6
 * ```
 */
export function gradients<const T extends readonly Tensor[]>(
  loss: Tensor,
  wrt: T,
): { readonly [K in keyof T]: Tensor } {
  checkTensor("gradients", "loss", loss);
  if (!isArray(wrt)) throw wrongValue("gradients", "wrt", "an array of tensors", wrt);
  wrt.forEach((tensor, i) => checkTensor("gradients", `wrt[${i}]`, tensor));
  if (loss.rank !== 0)
    throw shapeError("gradients", "the loss must be a scalar; take its mean() or sum() first", [{ label: "loss", shape: loss.shape, name: loss.name }]); // prettier-ignore
  const found = backward(loss, constant(1, loss.dtype), wrt, { add, mul, addScaled });
  found.forEach((gradient, i) => {
    if (gradient) return;
    const { label, requiresGrad } = wrt[i]!;
    const reason = requiresGrad ? "leave it out, or check that no stopGradient() or comparison is in between" : "make it a parameter()"; // prettier-ignore
    throw new SimdnnError("GradientError", `gradients: the loss does not depend on "${label}"; ${reason}`, { where: "gradients" }); // prettier-ignore
  });
  return found as { [K in keyof T]: Tensor };
}
