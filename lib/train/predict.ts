// Prediction: a forward pass over any number of examples, a fixed number of them at a time.
import { urgent } from "../program.js";
import { Claim } from "../claim.js";
import { formatShape, shapeError } from "../errors.js";
import { Inference } from "../inference.js";
import type { Model } from "../model.js";
import { cast } from "../ops/cast.js";
import { bool, checkOptions } from "../options.js";
import { Recent } from "../recent.js";
import { Tape, withTape } from "../tape.js";
import { dtypeOf, sizeOf, tensor, Tensor, zeros, type DType, type TensorData, type TypedArray } from "../tensor.js";
import { checkWork } from "./check-work.js";

/** Examples one at a time or many: `[n, ...inputShape]`, or a typed array that holds n of them one after the other. */
export type PredictInput = Tensor | TensorData;

export interface PredictOptions {
  /** Give the network's own outputs, such as logits, instead of passing them through the loss's link. */
  readonly raw?: boolean;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

interface Recording {
  readonly program: Inference;
  readonly input: Tensor;
  readonly output: Tensor;
}

/** Examples one after the other. `values` may be the caller's, who may change them as soon as predict() has returned. */
interface Examples {
  readonly count: number;
  readonly values: TypedArray;
  readonly dtype: DType;
}

const predictions = "predictions";
const mostAtOnce = 512;
/** What is computed at once on the JavaScript thread: so little that handing it over would take a good part of the time. */
const mostNanosecondsHere = 400_000;
/** How many milliseconds predictions may follow one another there before other events get their turn. */
const longestWithoutEvents = 1;

export class Predictor {
  private readonly recordings = new Recent<Recording>();
  private millisecondsHere = 0;

  constructor(
    private readonly model: Model,
    private readonly link: ((outputs: Tensor) => Tensor) | undefined,
  ) {}

  async predict(inputs: PredictInput, options: PredictOptions): Promise<Tensor> {
    checkOptions("predict", options, ["raw", "threads", "signal"]);
    const { raw = false, threads, signal } = options;
    bool("predict", "raw", raw);
    checkWork("predict", options);
    const examples = this.examplesOf(inputs);
    signal?.throwIfAborted();
    const { count, values, dtype } = examples;
    const { program, input, output } = this.recording(Math.min(mostAtOnce, count), dtype, raw);
    // Inputs may wait in the program's own memory if nobody else's do.
    const direct = count <= mostAtOnce && program.ready;
    if (direct && program.nanoseconds < mostNanosecondsHere) {
      for (const weight of this.model.weights.values()) weight.read();
      input.write().set(values);
      const start = performance.now();
      program.run(threads);
      const result = program.copy(output);
      result.name = predictions;
      await this.countHere(performance.now() - start);
      return result;
    }
    const result = zeros({ shape: [count, ...this.model.outputShape], dtype: this.model.dtype }, { name: predictions });
    const claim = new Claim("used for predictions");
    claim.take([], [...this.model.weights.values()]);
    try {
      if (direct) {
        input.write().set(values);
        await program.submit(1, {
          fetches: [{ tensor: output, values: result.read() }],
          threads,
          signal,
          priority: urgent,
        });
      } else await this.run({ ...examples, values: values.slice() }, result, options);
    } finally {
      claim.release();
    }
    return result;
  }

  /** Lets other events have their turn when they have waited for long. */
  private countHere(milliseconds: number): Promise<void> | undefined {
    this.millisecondsHere += milliseconds;
    if (this.millisecondsHere < longestWithoutEvents) return undefined;
    this.millisecondsHere = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** As many examples at a time as there may be, then what is left over. */
  private async run(
    { count, values, dtype }: Examples,
    result: Tensor,
    { raw = false, threads, signal }: PredictOptions,
  ): Promise<void> {
    for (let start = 0; start < count;) {
      const size = Math.min(mostAtOnce, count - start);
      const steps = Math.floor((count - start) / size);
      const { program, input, output } = this.recording(size, dtype, raw);
      const rows = (whole: TypedArray): TypedArray => {
        const width = whole.length / count;
        return whole.subarray(start * width, (start + steps * size) * width);
      };
      const feeds = [{ tensor: input, values: rows(values) }];
      const fetches = [{ tensor: output, values: rows(result.read()) }];
      await program.submit(steps, { feeds, fetches, threads, signal, priority: urgent });
      start += steps * size;
    }
  }

  private examplesOf(inputs: PredictInput): Examples {
    const { inputShape, name } = this.model;
    const width = sizeOf(inputShape);
    const flat = ArrayBuffer.isView(inputs) && inputs.length > 0;
    const given = inputs instanceof Tensor ? inputs : flat ? undefined : tensor(inputs);
    const values = given?.read() ?? (inputs as TypedArray);
    const dtype = dtypeOf(values);
    const shape = given?.shape ?? [values.length];
    const fits = flat
      ? values.length % width === 0
      : shape.length === inputShape.length + 1 && inputShape.every((dim, i) => dim === shape[i + 1]);
    if (!fits || values.length === 0)
      throw shapeError(
        "predict",
        `${name} takes a batch [n, ${inputShape.join(", ")}] of at least one example of ${formatShape(inputShape)}`,
        [{ label: "inputs", shape }],
      );
    return { count: values.length / width, values, dtype };
  }

  private recording(size: number, dtype: DType, raw: boolean): Recording {
    return this.recordings.get(`${size} ${dtype} ${raw}`, () => {
      const input = zeros({ shape: [size, ...this.model.inputShape], dtype }, { name: `${this.model.name}.input` });
      const tape = new Tape();
      const output = withTape(tape, () => {
        const outputs = this.model.forward(dtype === this.model.dtype ? input : cast(input, this.model.dtype));
        return raw || !this.link ? outputs : this.link(outputs);
      });
      return { program: Inference.of(tape, [output], [input], this.model.constants), input, output };
    });
  }
}
