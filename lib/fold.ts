// Rewrites what an inference records, so that less is left to do for each batch. Pure functions over tape entries: what is computed
// from weights alone, and when, is inference.ts.
import { Entry, Tape, withScope, withTape } from "./tape.js";
import type { Tensor } from "./tensor.js";

export interface Folded {
  /** What depends on nothing but tensors that outlive a run and do not change in it: weights. */
  readonly constant: readonly Entry[];
  /** The rest, some of it dead code now. */
  readonly varying: readonly Entry[];
}

/**
 * Moves the ops that only finish another's result into that one: a batch norm with fixed statistics into the weights of the dense layer
 * before it, an activation into its last step. Results differ by rounding only. An affine map *in front of* a dense layer stays where it is:
 * there, values far from 0 would lose their digits to the multiplication before the mean is subtracted.
 *
 * @param inputs - tensors that are set before each run
 * @param outputs - tensors that are wanted themselves
 */
export function fold(entries: readonly Entry[], inputs: Iterable<Tensor>, outputs: readonly Tensor[]): Folded {
  const varies = new Set(inputs);
  for (const { op, operands } of entries) for (const index of op.effects ?? []) varies.add(operands[index]!);
  const isFixed = (tensor: Tensor): boolean => !varies.has(tensor);
  const wanted = new Set(outputs);
  const uses = new Map<Tensor, number>();
  for (const { operands } of entries) for (const tensor of operands) uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  const isForOne = (tensor: Tensor): boolean => uses.get(tensor) === 1 && !wanted.has(tensor);

  const folded = { constant: [] as Entry[], varying: [] as Entry[] };
  const makers = new Map<Tensor, Entry>();
  const place = (entry: Entry): void => {
    const { op, operands } = entry;
    const isConstant =
      operands.length > 0 &&
      !op.effects &&
      operands.every(isFixed) &&
      !entry.outputs.some((output) => wanted.has(output));
    if (!isConstant) for (const output of entry.outputs) varies.add(output);
    (isConstant ? folded.constant : folded.varying).push(entry);
    makers.set(entry.outputs[0]!, entry);
  };
  for (const entry of entries) {
    const [input, ...others] = entry.operands;
    const maker = input && isForOne(input) && others.every(isFixed) ? makers.get(input) : undefined;
    const both = maker?.operands.slice(1).every(isFixed) ? absorbed(maker, entry) : undefined;
    for (const step of both ?? [entry]) place(step);
  }
  return folded;
}

/** One entry, after those that compute its weights, that does what `maker` and then `entry` did. */
function absorbed(maker: Entry, { op, operands, outputs, attrs, scope = "" }: Entry): Entry[] | undefined {
  const { epilogue } = op;
  const { absorb } = maker.op;
  if (!epilogue || !absorb) return undefined;
  const tape = new Tape();
  const both = withTape(tape, () =>
    withScope(scope, () => absorb(maker.operands, maker.attrs, epilogue(operands, attrs))),
  );
  return both && [...tape.entries, new Entry(maker.op, both.operands, outputs, both.attrs, maker.scope)];
}
