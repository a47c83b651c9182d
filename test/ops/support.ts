// How op tests turn a record's samples into tensors, run them, and compare what comes out. Not a test.
import { allOps, apply, type Attrs, type Op, type Sample } from "#lib/op.js";
import { constant } from "#lib/ops/constant.js";
import { add, addScaled, mul, sum } from "#lib/ops/index.js";
import { randomStream } from "#lib/random.js";
import { backward } from "#lib/tape.js";
import { allocate, isFloat, Tensor, type DType, type Spec } from "#lib/tensor.js";

export type Precision = "float32" | "float64";

/** Every op, each with its samples in one precision: where a sample says float32, it means that. */
export function opsIn(precision: Precision): { op: Op; samples: readonly Sample[] }[] {
  const dtype = (given: unknown): unknown => (given === "float32" ? precision : given);
  return allOps().map((op) => ({
    op,
    samples: op.samples().map(({ operands, attrs }) => ({
      operands: operands.map((operand) => ({ ...operand, dtype: dtype(operand.dtype) as DType })),
      attrs: Object.fromEntries(Object.entries(attrs).map(([key, value]) => [key, dtype(value)])) as Attrs,
    })),
  }));
}

/**
 * Tensors for a sample, the same for the same seed, and exact in float32.
 *
 * The numbers of an operand are its range cut into equal pieces, in random order, each piece represented by a point at a fraction of it that depends
 * on the operand. So no number is at a kink (0, the bounds of clip) or nearer to another one than a piece is long, also not across operands.
 */
export function draw({ operands }: Sample, options: { seed?: number; requiresGrad?: boolean } = {}): Tensor[] {
  return operands.map((operand, k) => {
    const random = randomStream(options.seed ?? 1, k);
    const storage = allocate(operand);
    const { range: [low, high] = [-2, 2], below = 2 } = operand;
    const order = random.permutation(storage.length);
    order.forEach((piece, i) => {
      const place = (piece + 0.3 + 0.07 * k) / storage.length;
      storage[i] = isFloat(operand.dtype) ? Math.fround(low + (high - low) * place) : random.integer(below);
    });
    return new Tensor(operand, {
      storage,
      requiresGrad: (options.requiresGrad ?? false) && isFloat(operand.dtype),
      name: `operand ${k}`,
    });
  });
}

/** Random numbers in [-1, 1) to weigh an output with. */
export function weights(spec: Spec, seed: number): Tensor {
  const random = randomStream(seed, 100);
  const storage = allocate(spec);
  for (let i = 0; i < storage.length; i++) storage[i] = Math.fround(2 * random.uniform() - 1);
  return new Tensor(spec, { storage });
}

/** The outputs through which gradients flow. */
export function differentiable(op: Op, outputs: readonly Tensor[]): Tensor[] {
  return outputs.filter((output, i) => isFloat(output.dtype) && !op.saved?.includes(i));
}

/** The operands that a gradient might flow to. */
export function differentiableOperands(op: Op, operands: readonly Tensor[]): Tensor[] {
  return operands.filter((operand, i) => isFloat(operand.dtype) && !op.effects?.includes(i));
}

/** Runs an op and adds up its outputs, weighed: a scalar to differentiate. */
export function weighedSum(op: Op, operands: readonly Tensor[], attrs: Attrs): Tensor {
  return weigh(differentiable(op, apply(op, operands, attrs)));
}

export function weigh(outputs: readonly Tensor[], by = outputs.map((output, i) => weights(output, 7 + i))): Tensor {
  return outputs.map((output, i) => sum(mul(output, by[i]!))).reduce((total, term) => add(total, term));
}

/** As gradients(), but undefined where there is none. */
export function gradientsWhereAny(loss: Tensor, wrt: readonly Tensor[]): (Tensor | undefined)[] {
  return backward(loss, constant(1, loss.dtype), wrt, { add, mul, addScaled });
}

/** Ops with a gradient rule. */
export function hasGradient(op: Op): boolean {
  return typeof op.vjp === "function";
}

/** `[3, 4] [4] {axis=1}`, to name a sample in a message. */
export function describeSample({ operands, attrs }: Sample): string {
  return `${operands.map(({ shape, dtype }) => `${dtype}[${shape.join()}]`).join(" ")} ${JSON.stringify(attrs)}`;
}

/** The bytes of a tensor's values, so that NaN equals itself and 0 differs from -0. */
export function bits(tensor: Tensor): string {
  return Buffer.from(tensor.data().buffer).toString("hex");
}

/** Largest error over `max(scale, |expected|)`; infinite where only one of two is NaN, or infinities differ. */
export function worstError(actual: ArrayLike<number>, expected: ArrayLike<number>, scale = 1): number {
  if (actual.length !== expected.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    if (Object.is(a, b) || a === b) continue;
    const error = Math.abs(a - b) / Math.max(scale, Math.abs(b));
    worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
  }
  return worst;
}
