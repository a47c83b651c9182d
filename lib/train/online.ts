// Online learning: single steps on batches as they come, in the order in which they come.
import { Claim } from "../claim.js";
import type { Rows } from "../data/dataset.js";
import type { Compiled, Model } from "../model.js";
import { checkOptions } from "../options.js";
import type { Batches } from "./batches.js";
import { checkData } from "./check-data.js";
import { checkWork } from "./check-work.js";
import type { Figures } from "./figures.js";
import { batchRun, type Run } from "./runs.js";
import { asDataset, type StreamedBatch } from "./stream.js";
import { trainingSteps } from "./training-step.js";

export interface TrainOnBatchOptions extends Pick<StreamedBatch, "sampleWeights" | "targetShape"> {
  /** Threads that the kernels may use. Default: setThreads(). */
  readonly threads?: number;
  /** Among the trainings of a process, those of higher priority go first. Default: 0. */
  readonly priority?: number;
  /** Gives the step up while it is waiting for its turn; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const where = "trainOnBatch";

export class OnlineTrainer {
  private readonly batches: Batches;
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(
    private readonly model: Model,
    compiled: Compiled,
  ) {
    this.batches = trainingSteps(model, compiled);
  }

  /** Whether steps are being made. */
  get busy(): boolean {
    return this.waiting > 0;
  }

  /** Takes the batch at once, and makes the step when those before it are done. */
  async step(inputs: Rows, targets: Rows, options: TrainOnBatchOptions): Promise<Figures> {
    checkOptions(where, options, ["sampleWeights", "targetShape", "threads", "priority", "signal"]);
    checkWork(where, options);
    const { sampleWeights, targetShape, ...work } = options;
    const batch = asDataset(where, this.model, { inputs, targets, sampleWeights, targetShape });
    checkData(where, this.model, batch);
    const run = batchRun(batch);
    this.batches.prepare([run]);
    this.waiting++;
    const mine = this.last.then(() => this.train(run, work));
    this.last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.waiting--;
    }
  }

  private async train(run: Run, work: Pick<TrainOnBatchOptions, "threads" | "priority" | "signal">): Promise<Figures> {
    const { serving, weights } = this.model;
    const claim = new Claim("being trained", `await the ${where}() promise first`);
    const others = serving.begin(claim);
    if (others) await others;
    try {
      claim.take([...weights.values()]);
      return await this.batches.pass([run], { ...work, within: claim });
    } finally {
      await serving.end();
    }
  }
}
