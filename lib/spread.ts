// How many threads pay for a sequence of instructions. How each of them is split is its kernel's business.
import type { Entry } from "./tape.js";
import { bytesOf, type Tensor } from "./tensor.js";

/** What a core keeps near it: the second-level cache of a server. */
const nearBytes = 2.5e6;

/** So much computing for each byte written takes as long as fetching the share of it that another core wrote. */
const flopsPerByte = 24;

/** Rows of weights for which products are split over them (split_k.h), as updates are: each of two cores keeps its half of them. */
const keptRows = 512;

/** For a program that writes so much to such weights, which must be so much of all that it writes, less computing pays. */
const kept = { bytes: 6e5, share: 0.4, flopsPerByte: 3 };

/**
 * How many threads to use at most. What one core has just written, another fetches several times as slowly as from the cache they
 * share; so a program whose results stay near one core is left to it, unless it computes much for each byte, and to two where most of
 * what they write stays near each. The numbers are from whole training steps on two cores, of which none was slower on both by them.
 */
export function mostThreads(entries: readonly Entry[]): number {
  let written = 0;
  let keptBytes = 0;
  let flops = 0;
  for (const { op, operands, outputs } of entries) {
    for (const output of outputs) written += bytesOf(output);
    for (const index of op.effects ?? []) {
      const bytes = bytesOf(operands[index]!);
      written += bytes;
      if (isKept(operands[index]!)) keptBytes += bytes;
    }
    flops += op.flops?.(operands, outputs) ?? 0;
  }
  if (written >= nearBytes || flops >= flopsPerByte * written) return Infinity;
  const stays = keptBytes >= kept.bytes && keptBytes >= kept.share * written && flops >= kept.flopsPerByte * written;
  return stays ? 2 : 1;
}

function isKept({ shape }: Tensor): boolean {
  return shape.length === 2 && shape[0]! >= keptRows;
}
