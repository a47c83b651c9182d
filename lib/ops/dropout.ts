// Inverted dropout with a mask drawn from counters, so that its gradient draws the same one. The layer is layers/dropout.ts.
import { dtypeError } from "../errors.js";
import { apply1, defineOp } from "../op.js";
import { requireOptions, fraction, nonNegativeInteger } from "../options.js";
import type { Tensor } from "../tensor.js";
import { counter, elementShapes, float } from "./samples.js";
import { floatType, notes } from "./shapes.js";

export type DropoutOptions = {
  /** The share of elements that are dropped, in [0, 1). */
  readonly rate: number;
  readonly seed: number;
  /** Which of the seed's streams: layers of one model that share a seed must not share a mask. The default is 0. */
  readonly stream?: number;
};
type Attrs = Required<DropoutOptions>;

const labels = ["input", "counter"];

const record = defineOp<Attrs>({
  name: "dropout",
  operands: labels,
  attrs: { rate: "number", seed: "number", stream: "number" },
  shape: (operands) => {
    const [input, step] = operands;
    const dtype = floatType("dropout", labels, [input!]);
    if (step!.dtype !== "int32" || step!.shape.length > 0)
      throw dtypeError("dropout", "counter must be an int32 scalar, as tick() makes it", notes(labels, operands));
    return [{ shape: input!.shape, dtype }];
  },
  vjp: ({ operands: [, step], attrs }, [dout]) => [dropout(dout!, step!, attrs)],
  inPlace: [0],
  samples: () =>
    [0, 0.2, 0.5, 0.999].flatMap((rate, i) =>
      elementShapes.map((shape) => ({
        operands: [float(shape), counter],
        attrs: { rate, seed: i % 2 ? 2 ** 40 + i : i, stream: i },
      })),
    ),
});

/**
 * Each element is dropped (0) with probability `rate`, or else multiplied by `1 / (1 - rate)`.
 *
 * @param input - of any shape
 * @param step - int32 scalar: another value gives another mask; {@link tick} makes a new one each time
 * @throws OptionError for a rate outside [0, 1) or a seed that is no integer >= 0; DTypeError for integers
 *
 * @example
 * ```ts
 * const counter = tensor(0, { dtype: "int32" });
 * dropout(tensor([1, 1, 1, 1]), tick(counter), { rate: 0.5, seed: 1 }).data(); // zeros and twos
 * ```
 */
export function dropout(input: Tensor, step: Tensor, options: DropoutOptions): Tensor {
  requireOptions("dropout", options, ["rate", "seed", "stream"]);
  const { rate, seed, stream = 0 } = options;
  fraction("dropout", "rate", rate);
  nonNegativeInteger("dropout", "seed", seed);
  return apply1(record, [input, step], { rate, seed, stream });
}
