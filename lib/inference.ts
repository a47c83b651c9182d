// Inference: a program whose weights have been prepared once, and again whenever they have changed. What is prepared fold.ts decides.
import { fold } from "./fold.js";
import { bytesMoved } from "./op.js";
import { liveEntries } from "./planner.js";
import { Program, urgent, type RunOptions } from "./program.js";
import { Entry, Tape } from "./tape.js";
import { allocate, type Tensor } from "./tensor.js";

/**
 * What the inferences of one model compute from its weights alone, shared by all their batch sizes: equal computations on the same tensors are
 * one. It is computed anew when a weight's version tells that it has changed.
 */
export class Constants {
  private readonly tape = new Tape();
  private readonly known = new Map<string, readonly Tensor[]>();
  private readonly numbers = new Map<Tensor, number>();
  /** Results that inferences read; they have storage. */
  private readonly kept = new Set<Tensor>();
  private readonly sources = new Map<Tensor, number>();
  private program: Program | undefined;
  private refreshing: Promise<void> | undefined;

  /** Takes in an entry and returns the tensors that stand for its outputs from now on. */
  add({ op, operands, outputs, attrs, scope }: Entry): readonly Tensor[] {
    const values = Object.keys(op.attrs).map((attr) => String(attrs[attr]));
    const key = [op.name, ...operands.map((operand) => this.nameOf(operand)), ...values].join(" ");
    const known = this.known.get(key);
    if (known) return known;
    this.known.set(key, outputs);
    this.tape.push(new Entry(op, operands, outputs, attrs, scope));
    const made = new Set(this.tape.entries.flatMap((entry) => entry.outputs));
    for (const operand of operands) if (!made.has(operand)) this.sources.set(operand, NaN);
    return outputs;
  }

  /** Has a result of add() ready whenever refresh() is done. */
  keep(result: Tensor): void {
    if (this.kept.has(result)) return;
    this.kept.add(result);
    result.storage = allocate(result);
    this.program = undefined;
  }

  get stale(): boolean {
    if (this.kept.size === 0) return false;
    return !this.program || [...this.sources].some(([source, version]) => source.version !== version);
  }

  /** Computes anew on the engine thread what has changed. The caller has claimed the weights. */
  refresh({ threads, within }: Pick<RunOptions, "threads" | "within">): Promise<void> | undefined {
    if (!this.stale) return this.refreshing;
    this.program = new Program(this.tape, [...this.kept]);
    for (const source of this.sources.keys()) this.sources.set(source, source.version);
    const fetches = [...this.kept].map((tensor) => ({ tensor, values: tensor.storage! }));
    const done = this.program.submit(1, { threads, within, fetches, priority: urgent }).finally(() => {
      if (this.refreshing === done) this.refreshing = undefined;
    });
    done.catch(() => (this.program = undefined)); // the next one tries again
    return (this.refreshing = done);
  }

  /** Whether they are being computed. */
  get busy(): boolean {
    return this.refreshing !== undefined;
  }

  /** The same for tensors that hold the same, whatever happens. */
  private nameOf(tensor: Tensor): string {
    const { literal, dtype } = tensor;
    if (literal !== undefined) return `${dtype}:${literal}`;
    const number = this.numbers.get(tensor) ?? this.numbers.size;
    this.numbers.set(tensor, number);
    return `#${number}`;
  }
}

/** What one core of a server does in a nanosecond, multiplying matrices or moving data near it. */
const flopsPerNanosecond = 100;
const bytesPerNanosecond = 40;

function estimate({ op, operands, outputs }: Entry): number {
  if (op.alias) return 0;
  const slowness = outputs.some(({ dtype }) => dtype === "float64") ? 100 : 1; // the reference kernels
  return (
    slowness *
    Math.max(
      (op.flops?.(operands, outputs) ?? 0) / flopsPerNanosecond,
      bytesMoved(op, operands, outputs) / bytesPerNanosecond,
    )
  );
}

export class Inference extends Program {
  /** About how long a run takes on one thread. */
  readonly nanoseconds: number;

  private constructor(
    tape: Tape,
    outputs: readonly Tensor[],
    private readonly constants: Constants,
  ) {
    super(tape, outputs);
    this.nanoseconds = tape.entries.reduce((sum, entry) => sum + estimate(entry), 0);
  }

  /** Whether a run could begin at once: nothing is to be prepared, and no other run of this program is waiting. */
  get ready(): boolean {
    return this.inFlight === 0 && !this.constants.busy && !this.constants.stale;
  }

  override submit(steps: number, options: RunOptions = {}): Promise<void> {
    const refreshed = this.constants.refresh(options);
    return refreshed ? refreshed.then(() => super.submit(steps, options)) : super.submit(steps, options);
  }

  /**
   * @param inputs - tensors of `tape` that are set before each run
   * @param constants - those of the model
   */
  static of(tape: Tape, outputs: readonly Tensor[], inputs: readonly Tensor[], constants: Constants): Inference {
    const { constant, varying } = fold(tape.entries, [...inputs, ...tape.fed.map(({ tensor }) => tensor)], outputs);
    const makers = new Map(constant.flatMap((entry) => entry.outputs.map((output) => [output, entry] as const)));
    const shared = new Map<Tensor, Tensor>();
    const resolve = (tensor: Tensor): Tensor => {
      const entry = makers.get(tensor);
      if (!entry) return tensor;
      if (!shared.has(tensor)) {
        const { op, operands, attrs, scope } = entry;
        const results = constants.add(new Entry(op, operands.map(resolve), entry.outputs, attrs, scope));
        entry.outputs.forEach((output, i) => shared.set(output, results[i]!));
      }
      return shared.get(tensor)!;
    };
    const keep = (tensor: Tensor): Tensor => {
      const result = resolve(tensor);
      if (makers.has(tensor)) constants.keep(result);
      return result;
    };
    const rest = new Tape();
    rest.fed.push(...tape.fed);
    for (const { op, operands, outputs: results, attrs, scope } of liveEntries(varying, outputs))
      rest.push(new Entry(op, operands.map(keep), results, attrs, scope));
    return new Inference(rest, outputs, constants);
  }
}
