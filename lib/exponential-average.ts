// The exponentially weighted average of a series of numbers. That of weights is train/averaging.ts.
import { wrongValue, bool, checkOptions, fraction } from "./options.js";

export interface ExponentialAverageOptions {
  /** Share of the old average, β in [0, 1); default 0.9. About the last 1 / (1 - β) values count. */
  readonly beta?: number;
  /** Divide by `1 - βᵗ`, which makes up for the start at 0; default true. */
  readonly correctBias?: boolean;
}

/**
 * The exponentially weighted average of the values it is given: `v = β v + (1 - β) θ`, from v = 0. With `correctBias` it gives `v / (1 - βᵗ)` after t
 * values, without it v, which is too close to 0 at first.
 */
export class ExponentialAverage {
  private average = 0;
  private correction = 1;

  /** @internal */
  constructor(
    private readonly beta: number,
    private readonly correctBias: boolean,
  ) {}

  /** The average so far; NaN before the first value with correction, 0 without. */
  get value(): number {
    return this.correctBias ? this.average / (1 - this.correction) : this.average;
  }

  /** Takes a value and returns the new average. */
  update(value: number): number {
    if (typeof value !== "number") throw wrongValue("exponentialAverage", "value", "a number", value);
    this.average = this.beta * this.average + (1 - this.beta) * value;
    this.correction *= this.beta;
    return this.value;
  }
}

/**
 * Makes an {@link ExponentialAverage}, such as for the curve of a loss that jumps from batch to batch.
 *
 * @throws OptionError for an unknown option or a β outside [0, 1)
 *
 * @example
 * ```ts
 * const average = exponentialAverage({ beta: 0.9 });
 * [40, 49, 45].map((value) => average.update(value)); // [40, 44.736842, 44.833948]
 * ```
 */
export function exponentialAverage(options: ExponentialAverageOptions = {}): ExponentialAverage {
  checkOptions("exponentialAverage", options, ["beta", "correctBias"]);
  return new ExponentialAverage(
    fraction("exponentialAverage", "beta", options.beta ?? 0.9),
    bool("exponentialAverage", "correctBias", options.correctBias ?? true),
  );
}
