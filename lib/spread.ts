// Whether more than one thread pays for a sequence of instructions. How each of them is split is its kernel's business.
import type { Entry } from "./tape.js";
import { bytesOf } from "./tensor.js";

/** What a core keeps near it: the second-level cache of a server. */
const nearBytes = 2.5e6;

/** So much computing for each byte written takes as long as fetching the share of it that another core wrote. */
const flopsPerByte = 24;

/**
 * Whether to use the threads there are. What one core has just written, another fetches several times as slowly as from the cache they
 * share; so a program whose results stay near one core is left to it, unless it computes much for each byte. Both numbers are from
 * whole training steps on two cores, of which none was slower on both by them.
 */
export function spreads(entries: readonly Entry[]): boolean {
  let written = 0;
  let flops = 0;
  for (const { op, operands, outputs } of entries) {
    for (const output of outputs) written += bytesOf(output);
    for (const index of op.effects ?? []) written += bytesOf(operands[index]!);
    flops += op.flops?.(operands, outputs) ?? 0;
  }
  return written >= nearBytes || flops >= flopsPerByte * written;
}
