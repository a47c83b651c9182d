// How much memory may still be taken: what the user, the machine and its control groups leave. What it is taken for is the callers' business.
import { totalmem } from "node:os";
import { controlGroups, filesBelow, type TextOf } from "./control-groups.js";
import { SimdnnError } from "./errors.js";
import { native, type MemoryUse } from "./native.js";
import { positiveInteger } from "./options.js";

// Looking costs up to 0.4 ms, a tenth of what it takes to fill so much; a thread does it whenever it has taken so much more.
const stride = 16 << 20;
// What is small is never refused: it may belong to a training that others have left no room.
const small = 1 << 20;

// What stays for others, more than a stride: at limits such as `ulimit -v` V8 ends the process when it gets nothing itself, be it for a garbage collection that should help.
const reserve = 32 << 20;

let untilLook = stride; // bytes to be taken

/** What array buffers may take in this process, in bytes; see {@link setMemoryLimit}. */
export function memoryLimit(): number {
  return native.memoryLimit();
}

/**
 * Sets how much array buffers may take in this process, in all of its threads together, all tensors among them: the sum of what
 * `process.memoryUsage().arrayBuffers` shows in each. What would take more ends with an OutOfMemoryError, and all else goes on. Looked at by each thread
 * whenever it has taken 16 MB more, and never in the way of arrays below 1 MB. At first the only limits are those of the machine and of its control groups.
 *
 * @throws OptionError unless `bytes` is a positive integer or Infinity
 *
 * @example
 * ```ts
 * setMemoryLimit(2 ** 30);
 * ```
 */
export function setMemoryLimit(bytes: number): void {
  native.memoryLimit(bytes === Infinity ? bytes : positiveInteger("setMemoryLimit", "bytes", bytes));
  untilLook = 0;
}

/**
 * Makes what takes `bytes` of memory outside the JavaScript heap.
 *
 * @param what - what messages call it
 * @throws OutOfMemoryError when there is not so much. Systems promise more than they have, and end the process when it uses what was promised.
 */
export function take<T extends object>(bytes: number, what: () => string, make: () => T): T {
  untilLook -= bytes;
  if (untilLook < 0 && bytes > small) {
    let available = freeFor(bytes);
    // Arrays that nobody holds any more count until then, and those of one collection sometimes until the next has begun.
    for (let collections = 0; collections < 3 && bytes > available; collections++) {
      native.collectGarbage();
      available = freeFor(bytes);
    }
    if (bytes > available) {
      native.collectGarbageElsewhere(); // too late for this time
      throw outOfMemory(what(), bytes, available);
    }
    untilLook = stride;
  }
  try {
    const made = make();
    if (bytes > small) taken.register(made, undefined);
    return made;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw outOfMemory(what(), bytes, 0, cause);
  }
}

// Other threads see only what this one tells them: whenever it looks, and when something large that it took is gone.
const taken = new FinalizationRegistry(() => {
  telling ??= setTimeout(() => {
    telling = undefined;
    use();
  }, 50).unref(); // what is collected at the same time is freed by then
});
let telling: NodeJS.Timeout | undefined;

/** What this process has in use: the arrays and heaps of all threads as they have told last, of this one now, with `more` that it is about to take. */
function use(more = 0): MemoryUse & { readonly resident: number } {
  const { arrayBuffers, heapTotal, rss } = process.memoryUsage();
  return { ...native.tellMemory(arrayBuffers + more, heapTotal), resident: rss };
}

/** What is thrown where `bytes` of memory for `what` cannot be had, while `free` bytes can. */
export function outOfMemory(
  what: string,
  bytes: number,
  free: number,
  cause?: unknown,
): SimdnnError<"OutOfMemoryError"> {
  const [inUse, available] = [use().arrays, Math.max(0, Math.floor(free))];
  const message = `no memory for ${what}: it takes ${bytes} bytes, while arrays take ${inUse} and ${available} are free; use smaller batches or models`;
  return new SimdnnError("OutOfMemoryError", message, { where: "allocate", bytes, inUse, available }, { cause });
}

use(); // a thread that takes little has a heap all the same

/** What is free, 0 where the system would not give `bytes`. From now on they count as taken, so that no two threads find the same room. */
function freeFor(bytes: number): number {
  const { arrays, heap, resident } = use(bytes);
  if (!native.couldAllocate(bytes, reserve)) return 0;
  // New arrays have no memory before they are written to: what the system has promised us already is not there for others.
  const promised = Math.max(0, arrays - bytes + heap - resident - swappedOut());
  return Math.min(native.memoryLimit() - (arrays - bytes), totalmem(), systemMemory() - promised);
}

/**
 * The bytes that Linux can still give, caches that it would give up for them included; Infinity on other systems, whose allocations fail by themselves.
 *
 * @param root - where the file system begins; for tests
 */
export function systemMemory(root = "/"): number {
  const machine = kilobytes(filesBelow(root)("proc/meminfo"));
  const unused = machine("MemAvailable");
  if (unused === undefined) return Infinity;
  const swap = machine("SwapFree") ?? 0;
  let least = unused + swap;
  for (const text of controlGroups("memory", root)) {
    const [most, used] = [number(text, "memory.max"), number(text, "memory.current")];
    if (most !== undefined && used !== undefined) {
      const swapLeft = (number(text, "memory.swap.max") ?? Infinity) - (number(text, "memory.swap.current") ?? 0);
      least = Math.min(least, most - used + reclaimable(text, "") + Math.min(swap, swapLeft));
    }
    const [most1, used1] = [number(text, "memory.limit_in_bytes"), number(text, "memory.usage_in_bytes")];
    if (most1 !== undefined && used1 !== undefined)
      least = Math.min(least, most1 - used1 + reclaimable(text, "total_") + swap);
  }
  return least;
}

/** What a group's usage counts of files that are on the disk as well. */
function reclaimable(text: TextOf, prefix: string): number {
  const stat = text("memory.stat") ?? "";
  const of = (name: string): number => Number(new RegExp(`^${prefix}${name} (\\d+)$`, "m").exec(stat)?.[1] ?? 0);
  return of("inactive_file") + of("active_file") + of("slab_reclaimable");
}

function swappedOut(): number {
  return kilobytes(filesBelow("/")("proc/self/status"))("VmSwap") ?? 0;
}

/** From a table of lines such as "MemFree:  1234 kB" to bytes by name. */
function kilobytes(table = ""): (name: string) => number | undefined {
  return (name) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(table)?.[1];
    return found === undefined ? undefined : 1024 * Number(found);
  };
}

/** A file with a number; undefined where there is none or, as "max" says, no limit. */
function number(text: TextOf, name: string): number | undefined {
  const value = Number(text(name) ?? NaN);
  return Number.isNaN(value) ? undefined : value;
}
