// Online learning: single steps on batches as they come, in the order in which they come.
import { abortable } from "../abortable.js";
import { Claim } from "../claim.js";
import { Dataset, type Rows } from "../data/dataset.js";
import type { Compiled, Model } from "../model.js";
import { checkOptions, oneOf } from "../options.js";
import type { Batches } from "./batches.js";
import { checkData } from "./check-data.js";
import { checkWork } from "./check-work.js";
import type { Figures } from "./figures.js";
import { nonFiniteChoices, type NonFinite } from "./fit-options.js";
import { batchStep, type Step } from "./runs.js";
import { readBatch, type StreamedBatch } from "./stream.js";
import { trainingSteps } from "./training-step.js";

export interface TrainOnBatchOptions extends Pick<StreamedBatch, "sampleWeights" | "targetShape"> {
  /** As fit's: "skip" leaves a step out that is NaN or infinite, and the promise resolves with `{ skipped: 1 }` alone. Default: "stop". */
  readonly nonFinite?: NonFinite;
  /** Threads that the kernels may use. Default: setThreads(). */
  readonly threads?: number;
  /** Among the trainings of a process, those of higher priority go first. Default: 0. */
  readonly priority?: number;
  /** Gives the step up while it is waiting for its turn; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const where = "trainOnBatch";

export class OnlineTrainer {
  private readonly batches = new Map<NonFinite, Batches>();
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(
    private readonly model: Model,
    private readonly compiled: Compiled,
  ) {}

  /** Whether steps are being made. */
  get busy(): boolean {
    return this.waiting > 0;
  }

  /** Takes the batch at once, and makes the step when those before it are done. */
  async step(inputs: Rows, targets: Rows, options: TrainOnBatchOptions): Promise<Figures> {
    checkOptions(where, options, ["sampleWeights", "targetShape", "nonFinite", "threads", "priority", "signal"]);
    checkWork(where, options);
    const { sampleWeights, targetShape, nonFinite = "stop", ...work } = options;
    oneOf(where, "nonFinite", nonFinite, nonFiniteChoices);
    const batch = readBatch(where, this.model, { inputs, targets, sampleWeights, targetShape });
    if (batch instanceof Dataset) checkData(where, this.model, batch);
    const only = batchStep(batch);
    const batches = this.batchesFor(nonFinite);
    if ("steps" in only) batches.prepare([only]);
    this.waiting++;
    const mine = abortable(this.last, work.signal).then(() => this.train(batches, only, nonFinite, work));
    // Without what they settled with: figures of all steps there ever were would hang on one another.
    this.last = Promise.allSettled([this.last, mine]).then(() => undefined);
    try {
      return await mine;
    } finally {
      this.waiting--;
    }
  }

  private batchesFor(nonFinite: NonFinite): Batches {
    const known = this.batches.get(nonFinite);
    if (known) return known;
    const made = trainingSteps(this.model, this.compiled, { nonFinite });
    this.batches.set(nonFinite, made);
    return made;
  }

  private async train(
    batches: Batches,
    step: Step,
    nonFinite: NonFinite,
    work: Pick<TrainOnBatchOptions, "threads" | "priority" | "signal">,
  ): Promise<Figures> {
    const { serving, weights } = this.model;
    const claim = new Claim("being trained", `await the ${where}() promise first`);
    let skipped = 0;
    const onSkip = nonFinite === "skip" ? (): number => ++skipped : undefined;
    try {
      const others = serving.begin(claim);
      if (others) await abortable(others, work.signal);
      claim.take([...weights.values()]);
      const figures = await batches.pass([step], { ...work, within: claim, onSkip });
      return onSkip ? { ...(skipped === 0 && figures), skipped } : figures;
    } finally {
      await serving.end();
    }
  }
}
