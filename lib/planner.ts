// Where temporaries live: dead code, lifetimes and one arena. Pure functions over tape entries; nothing is run here.
import type { Entry } from "./tape.js";
import { bytesOf, type Tensor } from "./tensor.js";

const alignment = 64;

/** Drops the entries that neither an output nor an effect depends on. */
export function liveEntries(entries: readonly Entry[], outputs: readonly Tensor[]): Entry[] {
  const wanted = new Set(outputs);
  const live: Entry[] = [];
  for (const entry of [...entries].reverse()) {
    if (!entry.op.effects && !entry.outputs.some((output) => wanted.has(output))) continue;
    for (const operand of entry.operands) wanted.add(operand);
    live.push(entry);
  }
  return live.reverse();
}

/** Memory that one tensor, its aliases, and whatever takes its place afterwards share. */
interface Block {
  bytes: number;
  /** First and last entry that touches it, both included. */
  first: number;
  last: number;
  offset: number;
}

export interface Plan {
  /** Byte offset in the arena, for every temporary. */
  readonly offsets: ReadonlyMap<Tensor, number>;
  readonly arenaBytes: number;
}

/** Gives every temporary of `entries` a place; `kept` must survive to the end. */
export function plan(entries: readonly Entry[], kept: readonly Tensor[]): Plan {
  const roots = aliasRoots(entries);
  const rootOf = (tensor: Tensor): Tensor => roots.get(tensor) ?? tensor;
  const lastUse = new Map<Tensor, number>();
  entries.forEach(({ operands, outputs }, i) => {
    for (const tensor of [...operands, ...outputs]) lastUse.set(rootOf(tensor), i);
  });
  for (const tensor of kept) lastUse.set(rootOf(tensor), entries.length);

  const blocks = new Map<Tensor, Block>();
  entries.forEach((entry, i) => {
    if (entry.op.alias) return;
    entry.outputs.forEach((output, o) => {
      const last = lastUse.get(output) ?? i;
      const taken =
        o === 0
          ? inheritedBlock(
              entry,
              i,
              (tensor) => blocks.get(rootOf(tensor)),
              (tensor) => lastUse.get(rootOf(tensor)),
            )
          : undefined;
      if (taken) taken.last = Math.max(taken.last, last);
      blocks.set(
        output,
        taken ?? { bytes: Math.ceil(bytesOf(output) / alignment) * alignment, first: i, last, offset: 0 },
      );
    });
  });

  const arenaBytes = place([...new Set(blocks.values())]);
  const offsets = new Map<Tensor, number>();
  for (const [tensor, block] of blocks) offsets.set(tensor, block.offset);
  for (const [alias, root] of roots) {
    const block = blocks.get(root);
    if (block) offsets.set(alias, block.offset);
  }
  return { offsets, arenaBytes };
}

/** Every alias and the tensor whose memory it looks at. */
export function aliasRoots(entries: readonly Entry[]): Map<Tensor, Tensor> {
  const roots = new Map<Tensor, Tensor>();
  for (const { op, operands, outputs } of entries) {
    if (!op.alias) continue;
    const source = operands[0]!;
    roots.set(outputs[0]!, roots.get(source) ?? source);
  }
  return roots;
}

/** The block of an operand that dies at this entry and that the op can overwrite with its first output. */
function inheritedBlock(
  entry: Entry,
  at: number,
  blockOf: (tensor: Tensor) => Block | undefined,
  lastUseOf: (tensor: Tensor) => number | undefined,
): Block | undefined {
  const output = entry.outputs[0]!;
  for (const index of entry.op.inPlace ?? []) {
    const operand = entry.operands[index];
    const block = operand && blockOf(operand);
    if (!block || lastUseOf(operand) !== at || bytesOf(operand) !== bytesOf(output)) continue;
    // Another operand in the same memory under another shape would be read after it was overwritten.
    if (entry.operands.every((other) => other === operand || blockOf(other) !== block)) return block;
  }
  return undefined;
}

/** Lays blocks out, the largest first, each at the lowest offset free for its whole life. Returns the arena's size. */
function place(blocks: Block[]): number {
  const placed: Block[] = []; // by offset
  let arenaBytes = 0;
  for (const block of blocks.sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    let offset = 0;
    for (const other of placed) {
      if (other.last < block.first || block.last < other.first) continue;
      if (offset + block.bytes <= other.offset) break;
      offset = Math.max(offset, other.offset + other.bytes);
    }
    block.offset = offset;
    const position = placed.findIndex((other) => other.offset > offset);
    placed.splice(position < 0 ? placed.length : position, 0, block);
    arenaBytes = Math.max(arenaBytes, offset + block.bytes);
  }
  return arenaBytes;
}
