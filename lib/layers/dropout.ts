// Dropout as a layer. The mask is drawn by the op.
import { dropout as dropoutOp } from "../ops/dropout.js";
import { checkOptions, fraction, wrongValue } from "../options.js";
import type { Layer } from "./layer.js";

/** How much is dropped, either way round: `keepProb` is `1 - rate`. */
export type DropoutOptions =
  { readonly rate: number; readonly keepProb?: never } | { readonly keepProb: number; readonly rate?: never };

/**
 * Inverted dropout: in training each value is 0 with probability `rate`, and otherwise multiplied by `1 / (1 - rate)`. Every step draws
 * a new mask, the same forward and backward. Outside of training it does nothing. (Srivastava et al., 2014.)
 *
 * @param options - the rate, in [0, 1), or `{ rate }`, or `{ keepProb }`; masks have a resolution of 2⁻¹⁶
 * @throws OptionError for anything else
 *
 * @example
 * ```ts
 * dropout(0.2);
 * dropout({ keepProb: 0.8 }); // the same
 * ```
 */
export function dropout(options: number | DropoutOptions): Layer {
  const rate = rateOf(options);
  return {
    type: "dropout",
    options: { rate },
    call: (input, _weights, { training, random: { seed, stream, counter } }) =>
      training && rate > 0 ? dropoutOp(input, counter, { rate, seed, stream }) : input,
  };
}

function rateOf(options: number | DropoutOptions): number {
  if (typeof options !== "object") return fraction("dropout", "rate", options);
  checkOptions("dropout", options, ["rate", "keepProb"]);
  const { rate, keepProb } = options;
  if (keepProb === undefined) return fraction("dropout", "rate", rate);
  if (rate !== undefined) throw wrongValue("dropout", "rate", "either rate or keepProb, not a value", rate);
  if (typeof keepProb !== "number" || !(keepProb > 0 && keepProb <= 1))
    throw wrongValue("dropout", "keepProb", "a number above 0, up to 1,", keepProb);
  return 1 - keepProb;
}
