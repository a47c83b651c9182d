// Evaluation: loss and metrics over a dataset with the layers in inference mode.
import { Claim } from "../claim.js";
import type { Dataset } from "../data/dataset.js";
import { Inference } from "../inference.js";
import { confusionCounts, matrixOf, type ConfusionMatrix } from "../metrics/confusion.js";
import type { Metric } from "../metrics/metric.js";
import type { Compiled, Model } from "../model.js";
import { checkOptions, positiveInteger } from "../options.js";
import { checkData } from "./check-data.js";
import { checkWork } from "./check-work.js";
import type { Tensor } from "../tensor.js";
import { Batches } from "./batches.js";
import { costAndFigures } from "./cost.js";
import type { Figures } from "./figures.js";

export interface EvaluateOptions {
  /** Examples computed at once; changes memory and speed only. Default: 256. */
  readonly batchSize?: number;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export class Evaluator {
  // By the tensors that hold the rows: parts of one split share a recording.
  private readonly recorded = new WeakMap<Tensor, { readonly of: Dataset; readonly batches: Batches }>();

  constructor(
    private readonly model: Model,
    private readonly compiled: Compiled,
  ) {}

  async evaluate(data: Dataset, options: EvaluateOptions = {}, within?: Claim): Promise<Figures> {
    checkOptions("evaluate", options, ["batchSize", "threads", "signal"]);
    const { batchSize = 256, threads, signal } = options;
    positiveInteger("evaluate", "batchSize", batchSize);
    checkWork("evaluate", options);
    checkData("evaluate", this.model, data);
    const claim = new Claim("being evaluated", undefined, within);
    claim.take([], [...this.model.weights.values()]);
    try {
      return await this.batches(data).pass(data.rows, batchSize, { threads, signal, within });
    } finally {
      claim.release();
    }
  }

  private batches(data: Dataset): Batches {
    const { inputs, targets, sampleWeights } = data;
    const known = this.recorded.get(inputs);
    if (known?.of.targets === targets && known.of.sampleWeights === sampleWeights) return known.batches;
    const batches = new Batches(
      data,
      this.model.dtype,
      (batch) => costAndFigures(this.model, this.compiled, batch, false).figures,
      (tape, outputs, inputs) => Inference.of(tape, outputs, inputs, this.model.constants),
    );
    this.recorded.set(inputs, { of: data, batches });
    return batches;
  }
}

/** A metric like any other, whose sums are the result. */
export async function confusionMatrix(
  model: Model,
  compiled: Compiled,
  data: Dataset,
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
