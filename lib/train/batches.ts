// One pass over a dataset as native runs: gathers rows, computes what it is told to, keeps what each batch contributes.
import type { Dataset } from "../data/dataset.js";
import { indexError, isSimdnnError, type SimdnnError } from "../errors.js";
import { gather } from "../ops/gather.js";
import { Program, type RunOptions, type StoppedAt, type Timing } from "../program.js";
import { Tape, withTape } from "../tape.js";
import { allocate, bytesOf, isFloat, zeros, type DType, type Tensor } from "../tensor.js";
import { Total, type Figure, type Figures } from "./figures.js";

/** Some examples of a dataset. */
export interface Batch {
  readonly inputs: Tensor;
  readonly targets: Tensor;
  /** `[m]`; undefined where all examples count alike. */
  readonly weights: Tensor | undefined;
}

/** What batches are taken from. */
export type Source = Pick<Dataset, "inputs" | "targets" | "sampleWeights">;

/** The examples in rows `indices` of `data`, their numbers as `dtype`. */
export function batchOf({ inputs, targets, sampleWeights }: Source, indices: Tensor, dtype: DType): Batch {
  const batch = {
    inputs: gather(inputs, indices, { dtype }),
    targets: gather(targets, indices, { dtype: isFloat(targets.dtype) ? dtype : "int32" }),
    weights: sampleWeights && gather(sampleWeights, indices, { dtype }),
  };
  batch.inputs.name = "model.input";
  batch.targets.name = targetsName;
  return batch;
}

/** From a batch to what it contributes to the figures of a pass. Recorded once per batch size. */
export type BatchFunction = (batch: Batch) => Readonly<Record<string, Figure>>;

const targetsName = "targets";

interface Recording {
  readonly program: Program;
  readonly indices: Tensor;
  readonly figures: Readonly<Record<string, Figure>>;
  readonly outputs: readonly Tensor[];
  /** How many steps' contributions fit in memory at once. */
  readonly mostSteps: number;
}

const mostBytesKept = 4 << 20;

export interface PassOptions extends Pick<RunOptions, "threads" | "priority" | "signal" | "within"> {
  readonly onProgress?: ((examplesDone: number, figures: Figures) => void) | undefined;
  /** Called for each step with the figures of its batch alone, some time after it was run. */
  readonly onBatch?: ((step: number, figures: Figures) => void) | undefined;
}

export class Batches {
  private readonly recordings = new Map<number, Recording>();

  constructor(
    private readonly data: Source,
    private readonly dtype: DType,
    private readonly compute: BatchFunction,
    /** From a recording to its program; `inputs` are set before each run. */
    private readonly programOf: (tape: Tape, outputs: readonly Tensor[], inputs: readonly Tensor[]) => Program = (
      tape,
      outputs,
    ) => new Program(tape, outputs),
  ) {}

  /** Records the programs that a pass over `count` rows needs, so that whatever is wrong with them shows before any work. */
  prepare(count: number, batchSize: number): void {
    for (const size of [Math.min(batchSize, count), count % batchSize]) if (size > 0) this.recording(size);
  }

  /** Goes through `rows` in order, the last batch being what is left over. Returns the figures of all rows. */
  async pass(rows: Int32Array, batchSize: number, options: PassOptions = {}): Promise<Figures> {
    const totals = new Map<string, Total>();
    let examples = 0;
    let steps = 0;
    const figures = (atEnd: boolean): Figures =>
      Object.fromEntries(
        [...totals]
          .filter(([, total]) => atEnd || total.running)
          .map(([name, total]) => [name, total.value(examples)] as const),
      );
    while (examples < rows.length) {
      const size = Math.min(batchSize, rows.length - examples);
      const recording = this.recording(size);
      const count = Math.min(Math.floor((rows.length - examples) / size), recording.mostSteps);
      const kept = Object.entries(recording.figures).map(([name, figure]) => {
        const total = totals.get(name) ?? new Total(name, figure);
        totals.set(name, total);
        const { size: length, dtype } = figure.values;
        return { name, figure, total, length, values: allocate({ shape: [count * length], dtype }) };
      });
      const firstStep = steps;
      const figuresOf = (step: number): Figures =>
        Object.fromEntries(
          kept
            .filter(({ total }) => total.running)
            .map(({ name, figure, values, length }) => {
              const alone = new Total(name, figure);
              alone.add(values.subarray(step * length, (step + 1) * length), length, size);
              return [name, alone.value(size)];
            }),
        );
      const start = examples;
      let added = 0;
      const add = (upTo: number): void => {
        for (const { total, length, values } of kept)
          total.add(values.subarray(added * length, upTo * length), length, size);
        if (options.onBatch)
          for (let step = added; step < upTo; step++) options.onBatch(firstStep + step, figuresOf(step));
        added = upTo;
        examples = start + upTo * size;
      };
      try {
        await recording.program.submit(count, {
          ...options,
          feeds: [{ tensor: recording.indices, values: rows.subarray(start, start + count * size) }],
          fetches: kept.map(({ values }, i) => ({ tensor: recording.outputs[i]!, values })),
          onProgress: (done) => {
            add(done);
            options.onProgress?.(examples, figures(false));
          },
        });
      } catch (error) {
        if (!(error instanceof Error) || !("stepsDone" in error)) throw error;
        const { stepsDone = 0 } = error as StoppedAt;
        if (isSimdnnError(error, "IndexError")) throw inDataset(error, rows.subarray(start + stepsDone * size));
        throw Object.assign(error, { stepsDone: steps + stepsDone } satisfies StoppedAt);
      }
      add(count);
      steps += count;
    }
    options.onProgress?.(examples, figures(false));
    return figures(true);
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
    const figures = withTape(tape, () => this.compute(batchOf(this.data, indices, this.dtype)));
    const outputs = Object.values(figures).map(({ values }) => values);
    const bytes = outputs.reduce((sum, output) => sum + bytesOf(output), 0);
    const mostSteps = Math.max(1, Math.floor(mostBytesKept / bytes));
    const made = { program: this.programOf(tape, outputs, [indices]), indices, figures, outputs, mostSteps };
    this.recordings.set(size, made);
    return made;
  }
}

/** The same error, naming a target by its place in the dataset instead of the batch that begins with `rows`. */
function inDataset(error: SimdnnError<"IndexError">, rows: Int32Array): SimdnnError<"IndexError"> {
  const { details } = error;
  if (details.what !== targetsName) return error;
  const located = indexError({ ...details, position: rows[details.position]! });
  return Object.assign(located, { stack: error.stack?.replace(error.message, located.message) });
}
