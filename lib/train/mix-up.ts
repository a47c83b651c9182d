// mixUp: examples between examples, with targets between targets.
import { oneHot } from "../losses/targets.js";
import { add, mul, sub } from "../ops/binary.js";
import { cast } from "../ops/cast.js";
import { gather } from "../ops/gather.js";
import { slice } from "../ops/move.js";
import { randomUniform } from "../ops/random.js";
import { reshape } from "../ops/view.js";
import { checkOptions, positiveNumber } from "../options.js";
import { isFloat, tensor, type DType, type Shape, type Tensor } from "../tensor.js";
import type { Augmentation } from "./augmentation.js";

const resolution = 1024;

/**
 * Mixes each example with another one of its batch, drawn at random: `x' = λ x + (1 - λ) x₂` and `y' = λ y + (1 - λ) y₂`, where class numbers become
 * rows of probabilities. λ is drawn for each example from Beta(alpha, alpha), and the larger of λ and 1 - λ is taken, so that an example stays mostly
 * what it was (Zhang et al., 2018). For losses that take soft targets: the cross-entropies, and those between numbers.
 *
 * λ has a resolution of 1/1024 of its probability. A larger `alpha` mixes more; 0.1 to 0.4 is usual.
 *
 * @param options - `alpha` > 0, default 0.2
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * await model.fit(train, { epochs: 1, augment: mixUp({ alpha: 0.2 }) });
 * ```
 */
export function mixUp(options: { readonly alpha?: number } = {}): Augmentation {
  checkOptions("mixUp", options, ["alpha"]);
  const shares = smallerShares(positiveNumber("mixUp", "alpha", options.alpha ?? 0.2), resolution);
  return ({ inputs, targets }, { outputShape, random }) => {
    const { dtype } = inputs;
    const batch = inputs.shape[0]!;
    const drawn = randomUniform([2, batch], { ...random, dtype: dtype === "float64" ? dtype : "float32" });
    // Below 1 by at least 2^-24, a draw times n rounds to less than n.
    const integers = (row: number, below: number): Tensor =>
      cast(mul(reshape(slice(drawn, [row, 0], [1, batch]), [batch]), below), "int32");
    const others = integers(0, batch);
    const share = gather(tensor(shares, { dtype, name: "mixUp.shares" }), integers(1, resolution));
    const mixed = (values: Tensor): Tensor => {
      const factor = reshape(share, values.shape.map((dim, axis) => (axis === 0 ? dim : 1))); // prettier-ignore
      return add(values, mul(sub(gather(values, others), values), factor));
    };
    return { inputs: mixed(inputs), targets: mixed(soft(targets, outputShape, dtype)) };
  };
}

/** Targets as floating-point numbers; class numbers as rows of probabilities where there is an output for each class. */
function soft(targets: Tensor, outputShape: Shape, dtype: DType): Tensor {
  if (isFloat(targets.dtype)) return targets;
  const classes = outputShape.at(-1) ?? 1;
  const oneEach = targets.size === targets.shape[0];
  return oneEach && classes > 1 ? oneHot("mixUp", targets, classes, dtype) : cast(targets, dtype);
}

/**
 * Of x from Beta(alpha, alpha), `min(x, 1 - x)` at `count` quantiles of equal distance. Up to ½ the density is `(x (1-x))^(alpha-1)`; over z in
 * [0, 1] with `x = z^(1/alpha) / 2` it has no pole for alpha < 1.
 */
export function smallerShares(alpha: number, count: number): Float64Array {
  const pieces = 8 * count;
  const power = Math.min(alpha, 1);
  const place = (z: number): number => z ** (1 / power) / 2;
  const density = (z: number): number => z ** (alpha / power - 1) * (2 - 2 * place(z)) ** (alpha - 1);
  const upTo = new Float64Array(pieces + 1);
  for (let i = 0; i < pieces; i++) {
    const [a, middle, b] = [i, i + 0.5, i + 1].map((at) => density(at / pieces)) as [number, number, number];
    upTo[i + 1] = upTo[i]! + (a + 4 * middle + b) / 6; // Simpson's rule
  }
  let piece = 0;
  return Float64Array.from({ length: count }, (_, i) => {
    const wanted = (upTo[pieces]! * (i + 0.5)) / count;
    while (upTo[piece + 1]! < wanted) piece++;
    const within = (wanted - upTo[piece]!) / (upTo[piece + 1]! - upTo[piece]!);
    return place((piece + within) / pieces);
  });
}
