// One op as a program that does it many times over on the same memory: what a captured step pays for it, without the call.
import type { Attrs, Op } from "#lib/op.js";
import { Program } from "#lib/program.js";
import { Entry, Tape } from "#lib/tape.js";
import { Tensor } from "#lib/tensor.js";
import { seconds } from "./timing.js";

const sampleSeconds = 300e-6; // long against the clock and the call, short against a time slice
const most = 2000;

/** Seconds per execution of the op, each call a new sample. */
export function sampler(op: Op, operands: readonly Tensor[], attrs: Attrs, threads: number): () => number {
  const once = repeated(op, operands, attrs, 1);
  const estimate = Math.min(...Array.from({ length: 5 }, () => seconds(() => once.run(threads))));
  const times = Math.max(1, Math.min(most, Math.ceil(sampleSeconds / estimate)));
  const program = repeated(op, operands, attrs, times);
  return () => seconds(() => program.run(threads)) / times;
}

function repeated(op: Op, operands: readonly Tensor[], attrs: Attrs, times: number): Program {
  const outputs = op.shape(operands, attrs).map((spec) => new Tensor(spec));
  const tape = new Tape();
  for (let i = 0; i < times; i++) tape.push(new Entry(op, operands, outputs, attrs, undefined));
  return new Program(tape, outputs);
}
