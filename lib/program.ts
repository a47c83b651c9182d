// Program: a tape frozen into flat instructions over one arena, run here or on the engine thread. Where things lie is planner.ts.
import { Claim } from "./claim.js";
import { busyError, SimdnnError } from "./errors.js";
import { faultError } from "./fault.js";
import { outOfMemory } from "./memory.js";
import { native, opcodes, type NativeProgram, type ProgramImage } from "./native.js";
import type { Attrs, Op } from "./op.js";
import { aliasRoots, liveEntries, plan } from "./planner.js";
import { mostThreads } from "./spread.js";
import type { Entry, Fed, Tape } from "./tape.js";
import { allocate, dtypes, maxRank, Tensor, viewOf, type TypedArray } from "./tensor.js";
import { threads as defaultThreads } from "./threads.js";

const offsetUnit = 64;

/** The priority of predictions: somebody waits for them, so that no training, of whatever priority, goes first. */
export const urgent = 2 ** 31 - 1;

/** What the addon takes: more threads than this would never help, and a priority is an int32. */
const most = { threads: 256, priority: urgent };

/** A tensor's value for every step, one after the other: what to copy in before a step, or out after it. */
export interface Stream {
  readonly tensor: Tensor;
  readonly values: TypedArray;
}

export interface RunOptions {
  /** Tensors to set before each step. */
  readonly feeds?: readonly Stream[];
  /** Tensors to keep after each step. */
  readonly fetches?: readonly Stream[];
  readonly threads?: number | undefined;
  /** Work of higher priority goes first; the default is 0. */
  readonly priority?: number | undefined;
  /** Ends the run before its next step; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** A claim under which the run takes place, one at a time; by default it claims what it uses for itself. */
  readonly within?: Claim | undefined;
  /** Receives the shortest time of each instruction, in nanoseconds; Infinity at first. */
  readonly timings?: Float64Array;
  /** Called with the number of whole steps done, at most every 50 ms and when a run ends before its last step. */
  readonly onProgress?: ((stepsDone: number) => void) | undefined;
}

/** The step at which a run stopped, on the error that stopped it. */
export interface StoppedAt {
  stepsDone?: number;
  /** Whether it had begun with its updates, of which those made stay. */
  updating?: boolean;
}

/** An instruction and the shortest time it took. */
export interface Timing {
  readonly entry: Entry;
  readonly nanoseconds: number;
  /** How many it could use. */
  readonly threads: number;
}

export class Program {
  private readonly entries: readonly Entry[];
  private readonly mostThreads: number;
  private readonly image: ImageBuilder;
  private readonly arena: TypedArray;
  private readonly reads: readonly Tensor[];
  private readonly writes: readonly Tensor[];
  private readonly fed: readonly Fed[];
  private readonly handle: NativeProgram;
  protected inFlight = 0;

  /** Freezes what `tape` recorded; the values of `outputs` can be read after a run. */
  constructor(tape: Tape, outputs: readonly Tensor[]) {
    const live = liveEntries(tape.entries, outputs);
    const { offsets, arenaBytes } = plan(live, outputs);
    const roots = aliasRoots(live);
    this.entries = live.filter((entry) => !entry.op.alias);
    this.mostThreads = mostThreads(this.entries);
    this.arena = allocate({ shape: [arenaBytes], dtype: "uint8" }, "intermediate results");
    this.image = new ImageBuilder(this.arena, offsets, roots);
    for (const entry of this.entries) this.image.add(entry);
    for (const output of outputs) this.image.number(output);

    const outside = (tensor: Tensor): boolean => !offsets.has(tensor);
    const root = (tensor: Tensor): Tensor => roots.get(tensor) ?? tensor;
    const writtenBy = (entries: readonly Entry[]): Set<Tensor> =>
      new Set(entries.flatMap(({ op, operands }) => (op.effects ?? []).map((i) => root(operands[i]!))).filter(outside));
    const written = writtenBy(this.entries);
    this.writes = [...written];
    this.reads = [...new Set(this.entries.flatMap(({ operands }) => operands.map(root)).filter(outside))].filter(
      (tensor) => !written.has(tensor),
    );
    // Feeds name these, even where every op reads an alias such as a reshaped input.
    for (const tensor of [...this.reads, ...this.writes]) this.image.number(tensor);
    this.fed = tape.fed.filter(({ tensor }) => this.image.has(tensor));
    // Running averages and counters mostly. What updates write before another one stops, which may be all weights, stays.
    const until = (last: number): Entry[] => this.entries.slice(0, Math.max(last, 0));
    const beforeUpdates = until(this.entries.findLastIndex(({ op }) => op.update)).filter(({ op }) => !op.update);
    const beforeGuards = until(this.entries.findLastIndex(({ op }) => op.guard ?? op.indexes));
    const restored = [...writtenBy([...beforeGuards, ...beforeUpdates])];
    this.handle = accepted(() => native.load(...this.image.finish(restored)));
  }

  get instructionCount(): number {
    return this.entries.length;
  }

  get arenaBytes(): number {
    return this.arena.byteLength;
  }

  /** As many of `threads` as pay. */
  private useful(threads: number): number {
    return Math.min(threads, this.mostThreads, most.threads);
  }

  /** Runs once on this thread. */
  run(threads = defaultThreads()): void {
    if (this.inFlight > 0)
      throw busyError("this captured function", "running", "await the promise of its async call first");
    for (const tensor of this.reads) tensor.read();
    for (const tensor of this.writes) tensor.write();
    for (const { tensor, value } of this.fed) {
      const next = value(0);
      if (next !== undefined) tensor.write()[0] = next;
    }
    const fault = native.run(this.handle, this.useful(threads));
    if (fault) throw faultError(fault, this.entries, this.image.tensors);
  }

  /** A copy of an output's values after run(). */
  copy(output: Tensor): Tensor {
    const copy = new Tensor(output, { storage: allocate(output), name: output.name });
    copy.storage!.set(this.image.view(output));
    return copy;
  }

  /** Runs `steps` times on the engine thread. The tensors it writes are locked until the promise settles. */
  submit(steps: number, options: RunOptions = {}): Promise<void> {
    const { fetches = [], threads = defaultThreads(), priority = 0, signal, onProgress } = options;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    // Not what no op reads, such as the targets of a loss that is one of the outputs alone.
    const feeds = [...(options.feeds ?? []).filter(({ tensor }) => this.image.has(tensor)), ...this.fedFor(steps)];
    const failure = new Error(); // made now so that a rejection carries the caller's stack
    const numbers = (streams: readonly Stream[]): Int32Array =>
      Int32Array.from(streams, ({ tensor }) => this.image.numberOf(tensor));
    const buffers = (streams: readonly Stream[]): TypedArray[] => streams.map(({ values }) => values);
    const claim = new Claim("being computed", undefined, options.within);
    claim.take(this.writes, this.reads);
    for (const tensor of this.writes) tensor.version++;
    this.inFlight++;
    return new Promise<void>((resolve, reject) => {
      const abort = (): void => native.cancel(job);
      let thrown: { readonly error: unknown } | undefined;
      const job = accepted(() =>
        native.submit(
          this.handle,
          steps,
          numbers(feeds),
          buffers(feeds),
          numbers(fetches),
          buffers(fetches),
          this.useful(threads),
          Math.min(priority, most.priority),
          defaultThreads(),
          options.within?.id ?? 0,
          options.timings ?? null,
          (done, finished, fault) => {
            try {
              if (!finished || done < steps) onProgress?.(done);
            } catch (error) {
              thrown ??= { error };
              abort();
            }
            if (!finished) return;
            signal?.removeEventListener("abort", abort);
            if (fault)
              reject(
                Object.assign(withStack(faultError(fault, this.entries, this.image.tensors), failure), {
                  stepsDone: done,
                  updating: fault.kind === "unfitUpdate",
                } satisfies StoppedAt),
              );
            else if (thrown || done < steps) reject((signal?.aborted ? signal.reason : thrown?.error) as Error);
            else resolve();
          },
        ),
      );
      signal?.addEventListener("abort", abort, { once: true });
    }).finally(() => {
      claim.release();
      this.inFlight--;
    });
  }

  /**
   * Runs `steps` times on the engine thread and gives the shortest time of each instruction. What outlives a run is put back as it was.
   */
  async profile(steps: number, options: RunOptions = {}): Promise<Timing[]> {
    const before = this.writes.map((tensor) => tensor.data());
    const timings = new Float64Array(this.entries.length).fill(Infinity);
    try {
      await this.submit(steps, { ...options, timings });
    } finally {
      this.writes.forEach((tensor, i) => tensor.write().set(before[i]!));
    }
    const threads = this.useful(options.threads ?? defaultThreads());
    return this.entries.map((entry, i) => ({ entry, nanoseconds: timings[i]!, threads }));
  }

  /** The values of what is set before each of the next `steps` runs. */
  private fedFor(steps: number): Stream[] {
    return this.fed.flatMap(({ tensor, value }) => {
      if (value(0) === undefined) return [];
      const values = allocate({ shape: [steps], dtype: tensor.dtype });
      for (let step = 0; step < steps; step++) values[step] = value(step)!;
      return [{ tensor, values }];
    });
  }
}

/** Runs one op at once and gives its outputs their storage. */
export function execute(entry: Entry): void {
  const { op, operands, outputs } = entry;
  operands.forEach((operand, i) => (op.effects?.includes(i) ? operand.write() : operand.read()));
  if (op.alias) {
    const [output] = outputs as [Tensor];
    output.storage = viewOf(operands[0]!.read(), 0, output);
    return;
  }
  for (const output of outputs) output.storage = allocate(output);
  runEntry(entry);
}

/** Runs one op whose operands and outputs all have storage, on that storage. */
export function runEntry(entry: Entry, threads = defaultThreads()): void {
  const image = new ImageBuilder(undefined, new Map(), new Map());
  image.add(entry);
  const fault = accepted(() => native.execute(...image.finish([]), Math.min(threads, mostThreads([entry]))));
  if (fault) throw faultError(fault, [entry], image.tensors);
}

/** Writes the flat form described in native/program.h. */
class ImageBuilder {
  readonly tensors: Tensor[] = [];
  private readonly numbers = new Map<Tensor, number>();
  private readonly rows: number[] = [];
  private readonly words: number[] = [];
  private readonly attrs: number[] = [];
  private readonly storages: TypedArray[];

  constructor(
    arena: TypedArray | undefined,
    private readonly offsets: ReadonlyMap<Tensor, number>,
    private readonly roots: ReadonlyMap<Tensor, Tensor>,
  ) {
    this.storages = arena ? [arena] : [];
  }

  add({ op, operands, outputs, attrs }: Entry): void {
    const opcode = opcodes.get(op.name);
    if (opcode === undefined)
      throw new SimdnnError("NativeError", `${op.name}: the addon has no such kernel; rebuild it`, { where: op.name });
    const encoded = encodeAttrs(op, attrs);
    this.attrs.push(...encoded);
    this.words.push(opcode, operands.length, outputs.length, encoded.length);
    for (const tensor of [...operands, ...outputs]) this.words.push(this.number(tensor));
  }

  /** The tensor's number, given to it on first sight. */
  number(tensor: Tensor): number {
    const known = this.numbers.get(tensor);
    if (known !== undefined) return known;
    const offset = this.offsets.get(tensor);
    const [storage, units] =
      offset === undefined ? [this.storages.push(this.outsideStorage(tensor)) - 1, 0] : [0, offset / offsetUnit];
    this.rows.push(storage, units, dtypes.indexOf(tensor.dtype), tensor.rank);
    for (let d = 0; d < maxRank; d++) this.rows.push(tensor.shape[d] ?? 0);
    const number = this.tensors.push(tensor) - 1;
    this.numbers.set(tensor, number);
    return number;
  }

  has(tensor: Tensor): boolean {
    return this.numbers.has(tensor);
  }

  numberOf(tensor: Tensor): number {
    const number = this.numbers.get(tensor);
    if (number === undefined)
      throw new SimdnnError("CaptureError", `${tensor.label}: is not part of this program`, { where: tensor.label });
    return number;
  }

  /** The values of a tensor of the program, in place. */
  view(tensor: Tensor): TypedArray {
    const offset = this.offsets.get(tensor);
    return offset === undefined ? this.outsideStorage(tensor) : viewOf(this.storages[0]!, offset, tensor);
  }

  /** @param restored - tensors that a run which stops half-way puts back */
  finish(restored: readonly Tensor[]): ProgramImage {
    const restoredNumbers = new Int32Array(restored.map((tensor) => this.number(tensor)));
    // Constructors, not from(): that iterates, which costs more than the kernel of a small eager op.
    return [
      new Int32Array(this.rows),
      new Int32Array(this.words),
      new Float64Array(this.attrs),
      restoredNumbers,
      this.storages,
    ];
  }

  private outsideStorage(tensor: Tensor): TypedArray {
    const storage = (this.roots.get(tensor) ?? tensor).storage;
    if (storage) return storage;
    throw new SimdnnError(
      "CaptureError",
      `${tensor.label}: was made while capturing something else; pass it in, or return it from there`,
      { where: tensor.label },
    );
  }
}

/** Attributes as the kernel reads them: doubles, in the order of the record. */
function encodeAttrs(op: Op, attrs: Attrs): number[] {
  return Object.entries(op.attrs).flatMap(([key, type]) => {
    const value = attrs[key];
    if (type === "integers") return [(value as readonly number[]).length, ...(value as readonly number[])];
    return typeof type === "string" ? Number(value) : type.indexOf(value as string);
  });
}

/** What the addon answers to an image, its refusal worded as one of ours. */
function accepted<R>(send: () => R): R {
  try {
    return send();
  } catch (cause) {
    if (cause instanceof RangeError && "bytes" in cause)
      throw outOfMemory("what the kernels use beside their operands", cause.bytes as number, 0, cause);
    throw new SimdnnError(
      "NativeError",
      `program: the addon refused it: ${(cause as Error).message}`,
      { where: "program" },
      { cause },
    );
  }
}

function withStack(error: SimdnnError, from: Error): SimdnnError {
  const frames = from.stack?.split("\n").slice(2).join("\n") ?? "";
  error.stack = `${error.name}: ${error.message}\n${frames}`;
  return error;
}
