// One name for a computation and for the layer or loss that does it: which is meant is told by the first argument. Makes neither.
import { Tensor } from "./tensor.js";

/**
 * A function that computes when it is called with a tensor, and otherwise makes the layer or loss that computes the same.
 *
 * @example
 * ```ts
 * relu(tensor([-1, 2])).data(); // [0, 2]
 * sequential([dense(64), relu(), dense(1)], { inputShape: [8] });
 * ```
 */
export interface Overloaded<Operands extends readonly unknown[], Options extends readonly unknown[], Made> {
  (...operands: Operands): Tensor;
  (...options: Options): Made;
}

/** @internal */
export function overload<Operands extends readonly [Tensor, ...unknown[]], Options extends readonly unknown[], Made>(
  compute: (...operands: Operands) => Tensor,
  make: (...options: Options) => Made,
): Overloaded<Operands, Options, Made> {
  const either = (...args: Operands | Options): Tensor | Made =>
    args[0] instanceof Tensor ? compute(...(args as Operands)) : make(...(args as Options));
  return either as Overloaded<Operands, Options, Made>;
}
