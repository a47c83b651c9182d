// One pass over a dataset as native runs: gathers rows, computes what it is told to, fetches one number per value and batch.
import { gather } from "../ops/gather.js";
import { Program, type RunOptions, type StoppedAt, type Timing } from "../program.js";
import { Tape, withTape } from "../tape.js";
import { isFloat, zeros, type Tensor } from "../tensor.js";

/** From a batch to scalars to report, each a mean over the batch. Recorded once per batch size. */
export type BatchFunction = (inputs: Tensor, targets: Tensor) => Readonly<Record<string, Tensor>>;

interface Recording {
  readonly program: Program;
  readonly indices: Tensor;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Means over the examples seen so far. */
export type Means = Record<string, number>;

export interface PassOptions extends Pick<RunOptions, "threads" | "priority" | "signal" | "within"> {
  readonly onProgress?: ((examplesDone: number, means: Means) => void) | undefined;
}

export class Batches {
  private readonly recordings = new Map<number, Recording>();

  constructor(
    private readonly inputs: Tensor,
    private readonly targets: Tensor,
    private readonly compute: BatchFunction,
  ) {}

  /** Records the programs that a pass over `count` rows needs, so that whatever is wrong with them shows before any work. */
  prepare(count: number, batchSize: number): void {
    for (const size of [Math.min(batchSize, count), count % batchSize]) if (size > 0) this.recording(size);
  }

  /** Goes through `rows` in order, the last batch being what is left over. Returns the means over all rows. */
  async pass(rows: Int32Array, batchSize: number, options: PassOptions = {}): Promise<Means> {
    const sums: Means = {};
    let examples = 0;
    let steps = 0;
    const means = (): Means => Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / examples]));
    for (const size of [batchSize, rows.length % batchSize]) {
      const count = Math.floor((rows.length - examples) / size);
      if (!(count > 0)) continue;
      const { program, indices, outputs } = this.recording(size);
      const fetches = Object.entries(outputs).map(([name, tensor]) => ({
        name,
        tensor,
        values: new Float32Array(count),
      }));
      const start = examples;
      let summed = 0;
      const add = (upTo: number): void => {
        for (const { name, values } of fetches)
          for (let step = summed; step < upTo; step++) sums[name] = (sums[name] ?? 0) + values[step]! * size;
        summed = upTo;
        examples = start + upTo * size;
      };
      try {
        await program.submit(count, {
          ...options,
          feeds: [{ tensor: indices, values: rows.subarray(start, start + count * size) }],
          fetches,
          onProgress: (done) => {
            add(done);
            options.onProgress?.(examples, means());
          },
        });
      } catch (error) {
        if (error instanceof Error && "stepsDone" in error) (error as StoppedAt).stepsDone! += steps;
        throw error;
      }
      add(count);
      steps += count;
    }
    options.onProgress?.(examples, means());
    return means();
  }

  /** Times the step over one batch of these rows, again and again; nothing is changed by it. */
  async profile(rows: Int32Array, steps: number, options: Pick<RunOptions, "threads"> = {}): Promise<Timing[]> {
    const { program, indices } = this.recording(rows.length);
    indices.write().set(rows);
    return program.profile(steps, options);
  }

  private recording(size: number): Recording {
    const known = this.recordings.get(size);
    if (known) return known;
    const indices = zeros({ shape: [size], dtype: "int32" }, { name: "batch rows" });
    const tape = new Tape();
    const outputs = withTape(tape, () => {
      const x = gather(this.inputs, indices, { dtype: "float32" });
      x.name = "model.input";
      const y = gather(this.targets, indices, { dtype: isFloat(this.targets.dtype) ? "float32" : "int32" });
      y.name = "targets";
      return this.compute(x, y);
    });
    const made = { program: new Program(tape, Object.values(outputs)), indices, outputs };
    this.recordings.set(size, made);
    return made;
  }
}
