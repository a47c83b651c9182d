// How much memory may still be taken: what the user, the machine and its control groups leave. What it is taken for is the callers' business.
import { totalmem } from "node:os";
import { controlGroups, filesBelow, type TextOf } from "./control-groups.js";
import { SimdnnError } from "./errors.js";
import { native, type MemoryUse } from "./native.js";
import { positiveInteger } from "./options.js";

// A thread looks whenever it has taken a sixteenth of what it found free the last time, so that many of them cannot pass a limit by much. A look costs 0.1 ms:
// less often than for every 2 MB, and a hundredth of what it takes to fill 64.
const [leastStride, mostStride] = [2 << 20, 64 << 20];

// What is smaller may belong to a training that others have left no room: the smaller it is, the more it gets of what is kept from the rest.
const small = 1 << 20;
const forSmall = 1 / 16; // of a limit of the user's

// What stays for V8, whose young generation alone may grow by 48 MB, for a garbage collection that should help and for what threads take between two looks: at
// its limits the system ends the process, or V8 does so when it gets nothing. Small arrays may take half of it.
const reserve = 64 << 20;

let untilLook = 0; // bytes to be taken

/** What array buffers may take in this process, in bytes; see {@link setMemoryLimit}. */
export function memoryLimit(): number {
  return native.memoryLimit();
}

/**
 * Sets how much array buffers may take in this process, in all of its threads together, all tensors among them: the sum of what
 * `process.memoryUsage().arrayBuffers` shows in each. What would take more ends with an OutOfMemoryError, and all else goes on: the last sixteenth is for arrays
 * below 1 MB, such as a training takes on its way. Each thread looks whenever it has taken a sixteenth of what was free, or 2 MB if that is more. At first the
 * only limits are those of the machine and of its control groups.
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
  if (untilLook < 0) {
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
    untilLook = Math.max(leastStride, Math.min(mostStride, available / 16));
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
  const size = Math.min(1, bytes / small);
  const [kept, limit] = [(reserve * (1 + size)) / 2, memoryLimit() * (1 - forSmall * size)];
  if (!native.couldAllocate(bytes, kept)) return 0;
  // New arrays have no memory before they are written to: what the system has promised us already is not there for others.
  const promised = Math.max(0, arrays - bytes + heap - resident - swappedOut());
  return Math.min(limit - (arrays - bytes), totalmem(), systemMemory(kept) - promised);
}

/**
 * The bytes that Linux can still give, caches that it would give up for them included, and `kept` (less where limits are low) for others; Infinity on other
 * systems, whose allocations fail by themselves.
 *
 * @param root - where the file system begins; for tests
 */
export function systemMemory(kept = reserve, root = "/"): number {
  const machine = kilobytes(filesBelow(root)("proc/meminfo"));
  const unused = machine("MemAvailable");
  if (unused === undefined) return Infinity;
  const swap = machine("SwapFree") ?? 0;
  let least = unused + swap - kept;
  for (const text of controlGroups("memory", root)) {
    /** Lowers what is left to what a limit leaves, which does not have to hold `elsewhere`. */
    const bound = (limit: string, usage: string, elsewhere: (stat: string) => number): boolean => {
      const most = number(text, limit);
      if (most === undefined) return false;
      const left = most - (number(text, usage) ?? 0) + elsewhere(text("memory.stat") ?? "");
      least = Math.min(least, left - kept * Math.min(1, most / (4 * reserve)));
      return true;
    };
    const swapLeft = (): number =>
      Math.min(swap, (number(text, "memory.swap.max") ?? Infinity) - (number(text, "memory.swap.current") ?? 0));
    if (bound("memory.max", "memory.current", (stat) => reclaimable(stat, "", "file_mapped") + swapLeft())) continue;
    const caches = (stat: string): number => reclaimable(stat, "total_", "mapped_file");
    bound("memory.limit_in_bytes", "memory.usage_in_bytes", (stat) => caches(stat) + swap);
    if (swap > 0) bound("memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes", caches); // memory and swap together
  }
  return least;
}

/** What a group's usage counts of files that are on the disk as well, but for those that are mapped: without its code a process stands still. */
function reclaimable(stat: string, prefix: string, mapped: string): number {
  const of = (name: string): number => Number(new RegExp(`^${prefix}${name} (\\d+)$`, "m").exec(stat)?.[1] ?? 0);
  return Math.max(0, of("inactive_file") + of("active_file") - of(mapped)) + of("slab_reclaimable");
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

/** A file with a number; undefined where there is none or no limit, which is "max" or more than a number can say. */
function number(text: TextOf, name: string): number | undefined {
  const value = Number(text(name) ?? NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}
