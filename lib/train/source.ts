// What fit and evaluate go through: a dataset, in an order of its own in every epoch, or a stream, which decides the order itself.
import { setImmediate } from "node:timers/promises";
import { Dataset } from "../data/dataset.js";
import { SimdnnError } from "../errors.js";
import type { Model } from "../model.js";
import { isFunction, wrongValue } from "../options.js";
import { deriveSeed, randomStream, shuffling } from "../random.js";
import { inTurns } from "../turns.js";
import { checkData } from "./check-data.js";
import { batchStep, rowRuns, type Run, type Step } from "./runs.js";
import { isNodeStream, isStream, StreamReader, type DataStream, type ReadBatch, type StreamOpener } from "./stream.js";

/** Examples to shuffle before the event loop gets a turn: about a millisecond's work. */
const shufflePace = 1 << 15;

/** Examples to train on: in memory, or streamed. A function opens the stream anew whenever it has come to its end and more is needed. */
export type TrainingData = Dataset | DataStream | StreamOpener;

/** Whether data come batch by batch, from wherever the user has them. */
export function isStreamed(data: TrainingData): data is DataStream | StreamOpener {
  return !(data instanceof Dataset) && (isStream(data) || isFunction(data));
}

/** The steps of a training, whatever they come from. */
export interface Source {
  /** Steps of an epoch; undefined where only its end will tell. */
  readonly steps: number | undefined;
  /** Steps of each kind there will be, where that is known. */
  readonly kinds: Iterable<Run>;
  /**
   * The steps of an epoch, without the first `skip` of them.
   *
   * @param shuffleBy - the seed that decides the order of a dataset's examples in each epoch; undefined for their own order
   */
  epoch(epoch: number, skip?: number, signal?: AbortSignal, shuffleBy?: number): Iterable<Step> | AsyncIterable<Step>;
  /** Ends it, also if it was never gone through. */
  close(): Promise<void>;
}

/** How a source is to be gone through. */
export interface SourceOptions {
  readonly batchSize: number;
  readonly dropLast?: boolean;
  readonly stepsPerEpoch?: number | undefined;
  readonly prefetch?: number | undefined;
}

/** @throws OptionError, ShapeError for what is no data of the model */
export function sourceOf(
  where: string,
  model: Model,
  data: TrainingData,
  options: SourceOptions,
  option = "data",
): Source {
  if (isStreamed(data))
    return new StreamSource(option === "data" ? where : `${where}: ${option}`, model, data, options);
  checkData(where, model, data, option);
  if (options.stepsPerEpoch !== undefined)
    throw wrongValue(where, "the steps per epoch", "nothing with a dataset", options.stepsPerEpoch);
  return datasetSource(data, options);
}

function datasetSource(data: Dataset, { batchSize, dropLast }: SourceOptions): Source {
  const count = dropLast ? data.size - (data.size % batchSize) : data.size;
  const from = (order: Int32Array, skip: number): Generator<Run> =>
    rowRuns(data, order.subarray(skip * batchSize, count), batchSize);
  // By an order that the seed and the epoch alone decide, so that training can be taken up again anywhere.
  async function* shuffled(seed: number, epoch: number, skip: number): AsyncGenerator<Run> {
    const order = data.rows.slice();
    await inTurns(shuffling(randomStream(deriveSeed(seed, epoch)), order, shufflePace));
    yield* from(order, skip);
  }
  return {
    steps: Math.ceil(count / batchSize),
    kinds: rowRuns(data, data.rows.subarray(0, count), batchSize),
    epoch: (epoch, skip = 0, _, shuffleBy) =>
      shuffleBy === undefined ? from(data.rows, skip) : shuffled(shuffleBy, epoch, skip),
    close: () => Promise.resolve(),
  };
}

class StreamSource implements Source {
  readonly steps: number | undefined;
  readonly kinds = [];
  private reader: StreamReader | undefined;
  private opened = false;
  /** What the stream failed with before it was read. */
  private failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly where: string,
    private readonly model: Model,
    private readonly data: DataStream | StreamOpener,
    private readonly options: SourceOptions,
  ) {
    this.steps = options.stepsPerEpoch;
    // It may be long until it is read, and a Node stream that fails while nobody listens ends the process.
    if (isNodeStream(data)) data.on("error", (error) => (this.failure ??= { error }));
  }

  /** Until the stream ends; with `stepsPerEpoch` so many batches, of a stream that goes on from epoch to epoch. */
  async *epoch(epoch: number, skip = 0, signal?: AbortSignal): AsyncGenerator<Step> {
    const { steps } = this;
    let left = steps === undefined ? skip : this.opened ? 0 : epoch * steps + skip;
    for (let step = skip; step < (steps ?? Infinity);) {
      const batch = await this.next(signal, steps !== undefined || step === 0 || left > 0);
      if (!batch) return;
      if (left > 0) {
        // Tells at least what figures there are, if it is the last of its epoch.
        const step = batchStep(batch);
        if (--left === 0 && "steps" in step) yield { ...step, steps: 0 };
        await setImmediate(); // a source that is always ready would otherwise let nobody else have a turn
      } else {
        step++;
        yield batchStep(batch);
      }
    }
  }

  async close(): Promise<void> {
    if (!this.opened && isNodeStream(this.data)) this.data.destroy();
    await this.reader?.close();
    this.reader = undefined;
  }

  /** @param needed - whether an end would be too early */
  private async next(signal: AbortSignal | undefined, needed: boolean): Promise<ReadBatch | undefined> {
    const fresh = !this.reader;
    this.reader ??= this.open();
    const batch = await this.reader.next(signal);
    if (batch) return batch;
    this.reader = undefined;
    if (!needed) return undefined;
    if (!fresh && this.steps !== undefined) return this.next(signal, needed);
    throw new SimdnnError(
      "StateError",
      `${this.where}: the stream has ended and gives no more batches; pass a function that opens it anew`,
      { where: this.where },
    );
  }

  private open(): StreamReader {
    const { where, model, data, options } = this;
    if (this.failure) throw this.failure.error;
    this.opened = true;
    const stream = isFunction(data) ? data() : data;
    return new StreamReader(where, stream, model, options.batchSize, options.prefetch ?? 2);
  }
}
