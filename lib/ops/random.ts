// Tensors of random numbers, and the counter that makes each run draw new ones. lib/random.ts draws the same ones in TypeScript.
import { dtypeError } from "../errors.js";
import { apply1, defineOp, type Op } from "../op.js";
import { requireOptions, nonNegativeInteger } from "../options.js";
import type { DType, Shape, Spec, Tensor } from "../tensor.js";
import type { NoAttrs } from "./constant.js";
import { counter } from "./samples.js";
import { notes } from "./shapes.js";

/** The dtypes that numbers are drawn in. */
export type FloatType = Extract<DType, "float32" | "float64">;

/** Which random numbers, apart from their distribution. */
export type RandomOptions = {
  readonly seed: number;
  /** Which of the seed's streams, below 2³¹; the default is 0. */
  readonly stream?: number;
  /** An int32 scalar, such as from {@link tick}: another value gives other numbers. Without one it is as if it were 0. */
  readonly step?: Tensor;
  /** The default is float32. */
  readonly dtype?: FloatType;
};
type Source = { readonly seed: number; readonly stream: number; readonly dtype: FloatType };
type UniformAttrs = { readonly shape: Shape; readonly low: number; readonly high: number } & Source;
type NormalAttrs = { readonly shape: Shape; readonly mean: number; readonly deviation: number } & Source;

const source = { seed: "number", stream: "number", dtype: ["float32", "float64", "int32", "uint8"] } as const;

function counterShape(where: string, operands: readonly Spec[]): void {
  if (operands.some(({ dtype, shape }) => dtype !== "int32" || shape.length > 0))
    throw dtypeError(where, "the counter must be an int32 scalar", notes(["counter"], operands));
}

const tickRecord = defineOp<NoAttrs>({
  name: "tick",
  operands: ["counter"],
  attrs: {},
  shape: (operands) => {
    counterShape("tick", operands);
    return [{ shape: [], dtype: "int32" }];
  },
  vjp: "none",
  effects: [0],
  samples: () => [{ operands: [counter], attrs: {} }],
});

function randomShape(name: string): (operands: readonly Spec[], attrs: { readonly shape: Shape } & Source) => Spec[] {
  return (operands, { shape, dtype }) => {
    counterShape(name, operands);
    return [{ shape, dtype }];
  };
}

function randomSamples<A>(
  distributions: readonly A[],
): { operands: (typeof counter)[]; attrs: A & { shape: Shape } & Source }[] {
  const shapes: Shape[] = [[], [0], [1], [63], [64], [65], [3, 50], [2, 3, 4, 5]]; // prettier-ignore
  return distributions.flatMap((distribution, i) =>
    shapes.map((shape, j) => ({
      operands: j % 2 ? [counter] : [],
      attrs: { ...distribution, shape, seed: i ? 2 ** 50 + j : j, stream: 3 * i, dtype: "float32" },
    })),
  );
}

const uniformRecord: Op<UniformAttrs> = defineOp<UniformAttrs>({
  name: "randomUniform",
  operands: ["counter"],
  attrs: { shape: "integers", low: "number", high: "number", ...source },
  shape: randomShape("randomUniform"),
  vjp: "none",
  samples: () => randomSamples([{ low: 0, high: 1 }, { low: -3, high: 0.5 }]), // prettier-ignore
});

const normalRecord: Op<NormalAttrs> = defineOp<NormalAttrs>({
  name: "randomNormal",
  operands: ["counter"],
  attrs: { shape: "integers", mean: "number", deviation: "number", ...source },
  shape: randomShape("randomNormal"),
  vjp: "none",
  samples: () => randomSamples([{ mean: 0, deviation: 1 }, { mean: 5, deviation: 0.1 }]), // prettier-ignore
});

function checkSource(where: string, options: RandomOptions, own: readonly string[]): [Tensor[], Source] {
  requireOptions(where, options, [...own, "seed", "stream", "step", "dtype"]);
  const { seed, stream = 0, step, dtype = "float32" } = options;
  nonNegativeInteger(where, "seed", seed);
  nonNegativeInteger(where, "stream", stream);
  return [step === undefined ? [] : [step], { seed, stream, dtype }];
}

/**
 * The value of a counter, which thereby grows by one. Handed to `dropout` or as `step` to the random functions, it makes every run of a captured
 * function draw new numbers.
 *
 * @param count - int32 scalar, changed in place
 * @throws DTypeError unless it is one
 *
 * @example
 * ```ts
 * const counter = tensor(7, { dtype: "int32" });
 * tick(counter).item();    // 7
 * counter.item();          // 8
 * ```
 */
export function tick(count: Tensor): Tensor {
  return apply1(tickRecord, [count], {});
}

/**
 * Random numbers, uniform in `[low, high)` (default [0, 1)).
 *
 * @throws OptionError for an unknown option or a seed that is no integer >= 0
 *
 * @example
 * ```ts
 * randomUniform([2, 3], { seed: 1, low: -1 }).shape; // [2, 3], with the same numbers each time
 * ```
 */
export function randomUniform(
  shape: Shape,
  options: RandomOptions & { readonly low?: number; readonly high?: number },
): Tensor {
  const [operands, rest] = checkSource("randomUniform", options, ["low", "high"]);
  return apply1(uniformRecord, operands, { shape, low: options.low ?? 0, high: options.high ?? 1, ...rest });
}

/**
 * Random numbers from the normal distribution (default: mean 0, deviation 1).
 *
 * @throws OptionError for an unknown option or a seed that is no integer >= 0
 *
 * @example
 * ```ts
 * randomNormal([784, 512], { seed: 1, deviation: Math.sqrt(2 / 784) }).shape; // [784, 512]
 * ```
 */
export function randomNormal(
  shape: Shape,
  options: RandomOptions & { readonly mean?: number; readonly deviation?: number },
): Tensor {
  const [operands, rest] = checkSource("randomNormal", options, ["mean", "deviation"]);
  return apply1(normalRecord, operands, { shape, mean: options.mean ?? 0, deviation: options.deviation ?? 1, ...rest });
}
