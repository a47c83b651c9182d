// One pass over examples as native runs: computes what it is told to of each batch, and keeps what it contributes. Where batches come from is runs.ts.
import { indexError, isSimdnnError, SimdnnError } from "../errors.js";
import { Program, type RunOptions, type StoppedAt, type Timing } from "../program.js";
import { Recent } from "../recent.js";
import { Tape, withTape } from "../tape.js";
import { allocate, bytesOf, type DType, type Tensor } from "../tensor.js";
import { valueAlone, Tally, type Figure, type Figures } from "./figures.js";
import { targetsName, type Batch, type Run, type Step } from "./runs.js";

/** From a batch to what it contributes to the figures of a pass. Recorded once per size of batch. */
export type BatchFunction = (batch: Batch) => Readonly<Record<string, Figure>>;

interface Recording {
  readonly program: Program;
  readonly fed: readonly Tensor[];
  readonly figures: Readonly<Record<string, Figure>>;
  readonly outputs: readonly Tensor[];
  /** How many steps' contributions fit in memory at once. */
  readonly mostSteps: number;
}

const mostBytesKept = 4 << 20;
const progressInterval = 50;

export interface PassOptions extends Pick<RunOptions, "threads" | "priority" | "signal" | "within"> {
  /** What the pass has counted already: it goes on from there. */
  readonly tally?: Tally;
  readonly onProgress?: ((steps: number, figures: Figures) => void) | undefined;
  /** Called for each step with the figures of its batch alone, some time after it was run. */
  readonly onBatch?: ((step: number, figures: Figures) => void) | undefined;
  /** Takes the error of a step that is not finite, and the pass goes on with the next; without it the pass rejects. */
  readonly onSkip?: ((error: SimdnnError<"NonFiniteError">) => void) | undefined;
  /** How many steps to run until `pause` is awaited, if there is another step to come. */
  readonly untilPause?: (() => number) | undefined;
  readonly pause?: (() => Promise<void>) | undefined;
}

export class Batches {
  private readonly recordings = new Recent<Recording>(); // batches of a stream may be of any size

  /** @param dtype - that of the numbers in a batch */
  constructor(
    private readonly dtype: DType,
    private readonly compute: BatchFunction,
    /** From a recording to its program; `fed` are set before each run. */
    private readonly programOf: (tape: Tape, outputs: readonly Tensor[], fed: readonly Tensor[]) => Program = (
      tape,
      outputs,
    ) => new Program(tape, outputs),
  ) {}

  /** Records the programs that a pass needs, so that whatever is wrong with them shows before any work. */
  prepare(runs: Iterable<Run>): void {
    for (const run of runs) this.recording(run);
  }

  /** Goes through all runs in order. Returns the figures of all examples. */
  async pass(steps: Iterable<Step> | AsyncIterable<Step>, options: PassOptions = {}): Promise<Figures> {
    const { tally = new Tally(), onProgress, untilPause = () => Infinity, pause } = options;
    let reported = performance.now();
    const report = (): void => {
      reported = performance.now();
      onProgress?.(tally.steps, tally.running());
    };
    const reportWhenDue = (): void => {
      if (performance.now() - reported >= progressInterval) report();
    };
    for await (const run of steps) {
      if (run instanceof SimdnnError) {
        leaveOut(Object.assign(run, { stepsDone: tally.steps } satisfies StoppedAt), tally, options);
        continue;
      }
      tally.expect(this.recording(run).figures);
      for (let done = 0; done < run.steps;) {
        if (untilPause() <= 0) await pause?.();
        const recording = this.recording(run);
        const count = Math.min(run.steps - done, recording.mostSteps, untilPause());
        // Steps left out may be many, each of them the end of a submission.
        done += await this.submit(run, recording, done, count, tally, options, options.onSkip ? reportWhenDue : report);
        reportWhenDue();
      }
    }
    report();
    return tally.figures();
  }

  /** Times the step over one batch, again and again; nothing is changed by it. */
  async profile(run: Run, steps: number, options: Pick<RunOptions, "threads" | "signal"> = {}): Promise<Timing[]> {
    const { program, fed } = this.recording(run);
    fed.forEach((tensor, i) => tensor.write().set(run.feeds[i]!));
    return program.profile(steps, options);
  }

  /** Steps `first` to `first + count` of a run, in one go, or up to the first that is left out. Returns how many are behind it. */
  private async submit(
    run: Run,
    { program, fed, figures, outputs }: Recording,
    first: number,
    count: number,
    tally: Tally,
    { threads, priority, signal, within, onBatch, onSkip }: PassOptions,
    report: () => void,
  ): Promise<number> {
    const { size } = run;
    const kept = Object.entries(figures).map(([name, figure]) => {
      const { size: length, dtype } = figure.values;
      return { name, figure, length, values: allocate({ shape: [count * length], dtype }) };
    });
    const before = tally.steps;
    let added = 0;
    const add = (upTo: number): void => {
      tally.add(
        upTo - added,
        size,
        kept.map(({ name, length, values }) => ({ name, values: values.subarray(added * length, upTo * length) })),
      );
      if (onBatch)
        for (let step = added; step < upTo; step++) {
          const alone = kept.filter(({ figure }) => figure.over !== "all").map(({ name, figure, length, values }) => [
            name,
            valueAlone(name, figure, values.subarray(step * length, (step + 1) * length), size),
          ]); // prettier-ignore
          onBatch(before + step, Object.fromEntries(alone) as Figures);
        }
      added = upTo;
    };
    try {
      await program.submit(count, {
        threads,
        priority,
        signal,
        within,
        feeds: fed.map((tensor, i) => ({
          tensor,
          values: run.feeds[i]!.subarray(first * tensor.size, (first + count) * tensor.size),
        })),
        fetches: kept.map(({ values }, i) => ({ tensor: outputs[i]!, values })),
        onProgress: (done) => {
          add(done);
          report();
        },
      });
    } catch (error) {
      if (!(error instanceof Error) || !("stepsDone" in error)) throw error;
      const { stepsDone = 0, updating } = error as StoppedAt;
      if (isSimdnnError(error, "IndexError")) throw inDataset(error, run, (first + stepsDone) * size);
      const located = Object.assign(error, { stepsDone: before + stepsDone } satisfies StoppedAt);
      if (!onSkip || updating || !isSimdnnError(located, "NonFiniteError")) throw located;
      add(stepsDone);
      leaveOut(located, tally, { onSkip });
      return stepsDone + 1;
    }
    add(count);
    return count;
  }

  private recording(run: Run): Recording {
    return this.recordings.get(run.key, () => {
      const tape = new Tape();
      const { fed, figures } = withTape(tape, () => {
        const { fed, batch } = run.record(this.dtype);
        return { fed, figures: this.compute(batch) };
      });
      const outputs = Object.values(figures).map(({ values }) => values);
      const bytes = outputs.reduce((sum, output) => sum + bytesOf(output), 0);
      const mostSteps = Math.max(1, Math.floor(mostBytesKept / bytes));
      return { program: this.programOf(tape, outputs, fed), fed, figures, outputs, mostSteps };
    });
  }
}

/** Counts a step that is not finite, unless that is the end. */
function leaveOut(error: SimdnnError<"NonFiniteError">, tally: Tally, { onSkip }: Pick<PassOptions, "onSkip">): void {
  if (!onSkip) throw error;
  tally.skip();
  onSkip(error);
}

/** The same error, naming a target by its place in the dataset instead of the batch that begins with example `first` of the run. */
function inDataset(error: SimdnnError<"IndexError">, { rowOf }: Run, first: number): SimdnnError<"IndexError"> {
  const { details } = error;
  if (details.what !== targetsName) return error;
  const position = rowOf ? rowOf(first + details.position) : details.position;
  const located = indexError({ ...details, position });
  return Object.assign(located, { stack: error.stack?.replace(error.message, located.message) });
}
