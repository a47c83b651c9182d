// Streams of batches: reads ahead of training, a bounded number of batches, and makes each of them a small dataset.
import type { Readable } from "node:stream";
import { abortable } from "../abortable.js";
import { dataset, Dataset, type Rows } from "../data/dataset.js";
import { formatShape, isSimdnnError, nonFiniteError, shapeError, type SimdnnError } from "../errors.js";
import type { Model } from "../model.js";
import { sameShape } from "../ops/shapes.js";
import { isArray, isFunction, isObject, wrongValue } from "../options.js";
import type { Shape, TensorData } from "../tensor.js";

/** Examples that are trained on in one step. */
export interface StreamedBatch {
  /** `[n, ...inputShape]`, or a typed array of n examples one after the other. */
  readonly inputs: Rows;
  /** As {@link dataset} takes them: integers in an Int32Array or Uint8Array are class numbers. */
  readonly targets: Rows;
  readonly sampleWeights?: Rows;
  /** Shape of one example's target, where `targets` is a typed array with several numbers for each. */
  readonly targetShape?: Shape;
}

/** One example, to be put together with others to batches of `batchSize`: with a class number as `label`, or numbers as `target`. */
export type StreamedExample = { readonly input: TensorData } & (
  { readonly label: number } | { readonly target: TensorData }
);

/** What a stream may consist of. Not both in one. */
export type StreamItem = StreamedBatch | StreamedExample | Dataset;

/** Batches or examples that come one after the other, such as an async generator or a Node stream of objects. */
export type DataStream = AsyncIterable<StreamItem>;

/** A function that opens a stream from its beginning. */
export type StreamOpener = () => DataStream | Iterable<StreamItem>;

/** A batch of the stream as a dataset, or what is said of the first of its numbers that is not finite. */
export type ReadBatch = Dataset | SimdnnError<"NonFiniteError">;

/** A stream that is being read. */
export class StreamReader {
  private readonly iterator: AsyncIterator<unknown> | Iterator<unknown>;
  private readonly ahead: Promise<ReadBatch | undefined>[] = [];
  private last: Promise<unknown> = Promise.resolve();
  private reading = 0;
  private ended = false;

  /**
   * @param source - what is read; closed by close()
   * @param prefetch - how many batches to hold ready
   */
  constructor(
    private readonly where: string,
    private readonly source: DataStream | Iterable<StreamItem>,
    private readonly model: Model,
    private readonly batchSize: number,
    private readonly prefetch: number,
  ) {
    this.iterator = iterate(where, source);
  }

  /**
   * The next batch; undefined at the end.
   * @throws what the source throws; OptionError, ShapeError for what is no batch of the model; the signal's reason, at once
   */
  async next(signal?: AbortSignal): Promise<ReadBatch | undefined> {
    this.fill(1);
    const next = this.ahead.shift()!;
    this.fill(this.prefetch);
    return abortable(next, signal);
  }

  /** Ends the source. Waits until it has ended, unless it is in the middle of making a batch, which may take for ever. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    const closing = Promise.resolve(this.iterator.return?.());
    // A Node stream that waits for data hears of return() only when some comes.
    if (this.reading > 0 && isNodeStream(this.source)) this.source.destroy();
    if (this.reading > 0) closing.catch(() => undefined);
    else await closing;
  }

  /** One read after the other: not every iterator can be asked twice at a time. */
  private fill(count: number): void {
    while (this.ahead.length < count && !this.ended) {
      const next = this.last.then(() => this.read());
      next.catch(() => undefined); // whoever takes it sees the error
      this.last = next;
      this.ahead.push(next);
    }
    const nothing = (): undefined => undefined; // also after an error, which whoever takes the batch before sees
    if (this.ahead.length < count) this.ahead.push(this.last.then(nothing, nothing));
  }

  private async read(): Promise<ReadBatch | undefined> {
    const examples: StreamedExample[] = [];
    while (!this.ended) {
      const { done, value } = (await this.item()) as IteratorResult<unknown, unknown>;
      if (done) break;
      if (!isExample(value)) {
        if (examples.length > 0)
          throw wrongValue(this.where, "data", "either examples or batches, not both in one stream", value);
        return this.batch(value);
      }
      if (examples.push(value) === this.batchSize) break;
    }
    return examples.length > 0 ? this.batch(together(this.where, examples)) : undefined;
  }

  private async item(): Promise<IteratorResult<unknown>> {
    this.reading++;
    try {
      const item = await this.iterator.next();
      if (item.done) this.ended = true;
      return item;
    } catch (error) {
      this.ended = true; // as in `for await`: who throws has ended
      throw error;
    } finally {
      this.reading--;
    }
  }

  private batch(value: unknown): ReadBatch {
    const { where, model } = this;
    const batch = value instanceof Dataset ? value : readBatch(where, model, value);
    if (!(batch instanceof Dataset)) return batch;
    if (batch.inputs.shape[0] !== batch.size)
      throw wrongValue(where, "data", "batches that are whole datasets, no parts of them", batch);
    if (sameShape(batch.inputShape, model.inputShape)) return batch;
    throw shapeError(
      where,
      `the examples have shape ${formatShape(batch.inputShape)}, but ${model.name} takes ${formatShape(model.inputShape)}`,
      [{ label: "inputs", shape: batch.inputs.shape }],
    );
  }
}

/** Anything that a stream may be read from. */
export function isStream(value: unknown): value is DataStream {
  return isObject(value) && isFunction((value as Partial<DataStream>)[Symbol.asyncIterator]);
}

/** A Node stream, which ends with destroy(), and tells of failures whether it is read or not. */
export function isNodeStream(value: unknown): value is Pick<Readable, "on" | "destroy"> {
  const { on, destroy } = (value ?? {}) as { [Key in "on" | "destroy"]?: unknown };
  return isStream(value) && typeof on === "function" && typeof destroy === "function";
}

/** A batch with the shape that the model takes. */
export function readBatch(where: string, model: Model, value: unknown): ReadBatch {
  const { inputs, targets, sampleWeights, targetShape } = (value ?? {}) as Partial<StreamedBatch>;
  if (inputs === undefined || targets === undefined)
    throw wrongValue(where, "data", "a stream of { inputs, targets }, or of { input, target }", value);
  try {
    return dataset(inputs, targets, {
      ...(ArrayBuffer.isView(inputs) && { inputShape: model.inputShape }),
      ...(targetShape && { targetShape }),
      ...(sampleWeights !== undefined && { sampleWeights }),
    });
  } catch (error) {
    if (isSimdnnError(error, "NonFiniteError")) return nonFiniteError({ ...error.details, where });
    throw error;
  }
}

function iterate(where: string, source: unknown): AsyncIterator<unknown> | Iterator<unknown> {
  const streams = (isObject(source) || isArray(source) ? source : {}) as Partial<Iterable<unknown>>;
  const open: ((this: unknown) => unknown) | undefined = isStream(source) ? source[Symbol.asyncIterator] : streams[Symbol.iterator]; // prettier-ignore
  if (!isFunction(open)) throw wrongValue(where, "data", "a function that returns a stream", source);
  const iterator: unknown = open.call(source);
  if (isObject(iterator) && "next" in iterator && isFunction(iterator.next)) return iterator as Iterator<unknown>;
  throw wrongValue(where, "data", "a stream whose iterator has next()", iterator);
}

function isExample(value: unknown): value is StreamedExample {
  return typeof value === "object" && value !== null && "input" in value && ("label" in value || "target" in value);
}

function together(where: string, examples: readonly StreamedExample[]): StreamedBatch {
  const labelled = examples.filter((example) => "label" in example);
  if (labelled.length % examples.length !== 0)
    throw wrongValue(where, "data", "either a label or a target for every example", labelled[0]);
  const inputs = examples.map(({ input }) => input);
  if (labelled.length === 0)
    return { inputs, targets: examples.map((example) => (example as { target: TensorData }).target) };
  const wrong = labelled.find(({ label }) => !Number.isInteger(label));
  if (wrong) throw wrongValue(where, "label", "a class number", wrong.label);
  return { inputs, targets: Int32Array.from(labelled, ({ label }) => label) };
}
