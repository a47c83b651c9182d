// Prediction: a forward pass over any number of examples, a fixed number of them at a time.
import { Claim } from "../claim.js";
import { formatShape, shapeError } from "../errors.js";
import type { Model } from "../model.js";
import { cast } from "../ops/cast.js";
import { bool, checkOptions } from "../options.js";
import { Program } from "../program.js";
import { Tape, withTape } from "../tape.js";
import { checkWork } from "./check-work.js";
import { sizeOf, tensor, Tensor, viewOf, zeros, type DType, type TensorData } from "../tensor.js";

/** Examples one at a time or many: `[n, ...inputShape]`, or a typed array that holds n of them one after the other. */
export type PredictInput = Tensor | TensorData;

export interface PredictOptions {
  /** Give the network's own outputs, such as logits, instead of passing them through the loss's link. */
  readonly raw?: boolean;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

interface Recording {
  readonly program: Program;
  readonly input: Tensor;
  readonly output: Tensor;
}

const mostAtOnce = 256;
const mostRecordings = 16;

export class Predictor {
  private readonly recordings = new Map<string, Recording>();

  constructor(
    private readonly model: Model,
    private readonly link: ((outputs: Tensor) => Tensor) | undefined,
  ) {}

  async predict(inputs: PredictInput, options: PredictOptions): Promise<Tensor> {
    checkOptions("predict", options, ["raw", "threads", "signal"]);
    const { raw = false } = options;
    bool("predict", "raw", raw);
    checkWork("predict", options);
    const batch = this.batchOf(inputs);
    const count = batch.shape[0]!;
    const { outputShape } = this.model;
    const result = zeros({ shape: [count, ...outputShape], dtype: this.model.dtype }, { name: "predictions" });
    const claim = new Claim("used for predictions");
    claim.take([], [...this.model.weights.values()]);
    try {
      await this.run(batch, result, raw, options);
    } finally {
      claim.release();
    }
    return result;
  }

  /** As many examples at a time as there may be, then what is left over. */
  private async run(batch: Tensor, result: Tensor, raw: boolean, { threads, signal }: PredictOptions): Promise<void> {
    const count = batch.shape[0]!;
    for (let start = 0; start < count;) {
      const size = Math.min(mostAtOnce, count - start);
      const steps = Math.floor((count - start) / size);
      const { program, input, output } = this.recording(size, batch.dtype, raw);
      const rows = (whole: Tensor): { tensor: Tensor; values: ReturnType<Tensor["read"]> } => {
        const width = whole.size / count;
        const tensor = whole === batch ? input : output;
        return {
          tensor,
          values: viewOf(whole.read(), start * width * bytesPerElement(whole), {
            shape: [steps * size, width],
            dtype: whole.dtype,
          }),
        };
      };
      await program.submit(steps, { feeds: [rows(batch)], fetches: [rows(result)], threads, signal, priority: 1 });
      start += steps * size;
    }
  }

  /** The inputs as `[n, ...inputShape]`, copied: the caller may change theirs while we compute. */
  private batchOf(inputs: PredictInput): Tensor {
    const { inputShape, name } = this.model;
    const given = inputs instanceof Tensor ? tensor(inputs.read(), { shape: inputs.shape }) : tensor(inputs);
    const width = sizeOf(inputShape);
    const flat = ArrayBuffer.isView(inputs);
    const fits = flat
      ? given.size % width === 0
      : given.rank === inputShape.length + 1 && inputShape.every((dim, i) => dim === given.shape[i + 1]);
    if (!fits || given.size === 0)
      throw shapeError(
        "predict",
        `${name} takes a batch [n, ${inputShape.join(", ")}] of at least one example of ${formatShape(inputShape)}`,
        [{ label: "inputs", shape: given.shape }],
      );
    if (!flat) return given;
    const { dtype, storage } = given; // a copy already
    return new Tensor({ dtype, shape: [given.size / width, ...inputShape] }, { storage });
  }

  private recording(size: number, dtype: DType, raw: boolean): Recording {
    const key = `${size} ${dtype} ${raw}`;
    let recording = this.recordings.get(key);
    if (recording) this.recordings.delete(key);
    else {
      const input = zeros({ shape: [size, ...this.model.inputShape], dtype }, { name: `${this.model.name}.input` });
      const tape = new Tape();
      const output = withTape(tape, () => {
        const outputs = this.model.forward(dtype === this.model.dtype ? input : cast(input, this.model.dtype));
        return raw || !this.link ? outputs : this.link(outputs);
      });
      recording = { program: new Program(tape, [output]), input, output };
    }
    // The most recently used is last; the first goes when there are too many.
    this.recordings.set(key, recording);
    if (this.recordings.size > mostRecordings) this.recordings.delete(this.recordings.keys().next().value!);
    return recording;
  }
}

function bytesPerElement(values: Tensor): number {
  return values.read().BYTES_PER_ELEMENT;
}
