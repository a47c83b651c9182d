// Evaluation: loss and metrics over a dataset with the layers in inference mode.
import { abortable, patience } from "../abortable.js";
import { Claim } from "../claim.js";
import { Dataset } from "../data/dataset.js";
import { Inference } from "../inference.js";
import { confusionCounts, matrixOf, type ConfusionMatrix } from "../metrics/confusion.js";
import type { Metric } from "../metrics/metric.js";
import type { Compiled, Model } from "../model.js";
import { checkOptions, positiveInteger } from "../options.js";
import { checkWork } from "./check-work.js";
import type { Tensor } from "../tensor.js";
import { Batches, type PassOptions } from "./batches.js";
import { costAndFigures } from "./cost.js";
import type { Figures } from "./figures.js";
import { sourceOf, type Source, type TrainingData } from "./source.js";

export interface EvaluateOptions {
  /** Examples computed at once; changes memory and speed only. Default: 256. */
  readonly batchSize?: number;
  /** How many batches of a stream to take. Default: all. */
  readonly steps?: number;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export class Evaluator {
  // By the tensors that hold the rows: parts of one split share a recording.
  private readonly recorded = new WeakMap<Tensor, { readonly of: Dataset; readonly batches: Batches }>();
  private streamed: Batches | undefined;

  constructor(
    private readonly model: Model,
    private readonly compiled: Compiled,
  ) {}

  async evaluate(data: TrainingData, options: EvaluateOptions = {}): Promise<Figures> {
    checkOptions("evaluate", options, ["batchSize", "steps", "threads", "signal"]);
    const { batchSize = 256, steps, threads, signal } = options;
    positiveInteger("evaluate", "batchSize", batchSize);
    if (steps !== undefined) positiveInteger("evaluate", "steps", steps);
    checkWork("evaluate", options);
    const source = sourceOf("evaluate", this.model, data, { batchSize, stepsPerEpoch: steps });
    try {
      return await this.pass(data, source, { threads, signal });
    } finally {
      await abortable(source.close(), signal, patience);
    }
  }

  /** One pass over a source made of `data`. */
  async pass(data: TrainingData, source: Source, options: PassOptions): Promise<Figures> {
    const claim = new Claim("being evaluated", undefined, options.within);
    claim.take([], [...this.model.weights.values()]);
    try {
      const batches = data instanceof Dataset ? this.batchesOf(data) : (this.streamed ??= this.batches());
      return await batches.pass(source.epoch(0, 0, options.signal), options);
    } finally {
      claim.release();
    }
  }

  private batchesOf(data: Dataset): Batches {
    const { inputs, targets, sampleWeights } = data;
    const known = this.recorded.get(inputs);
    if (known?.of.targets === targets && known.of.sampleWeights === sampleWeights) return known.batches;
    const batches = this.batches();
    this.recorded.set(inputs, { of: data, batches });
    return batches;
  }

  private batches(): Batches {
    const { model, compiled } = this;
    return new Batches(
      model.dtype,
      (batch) => costAndFigures(model, compiled, batch, false).figures,
      (tape, outputs, fed) => Inference.of(tape, outputs, fed, model.constants),
    );
  }
}

/** A metric like any other, whose sums are the result. */
export async function confusionMatrix(
  model: Model,
  compiled: Compiled,
  data: TrainingData,
  options: EvaluateOptions,
): Promise<ConfusionMatrix> {
  let matrix: ConfusionMatrix = [];
  const counts: Metric = {
    name: "confusionMatrix",
    over: "sum",
    call: (context) => confusionCounts("confusionMatrix", context),
    finish: (sums) => {
      matrix = matrixOf(sums);
      return sums.length;
    },
  };
  await new Evaluator(model, { ...compiled, metrics: [counts] }).evaluate(data, options);
  return matrix;
}
