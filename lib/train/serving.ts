// Predictions of a model while it is being trained: by a twin of the model, whose weights are copied between two steps.
import type { Claim } from "../claim.js";
import type { Model } from "../model.js";
import { assign } from "../ops/update.js";
import { Program, urgent } from "../program.js";
import { Tape, withTape } from "../tape.js";

/** The weights of one moment, and who predicts by them. They are not copied anew before all have ended. */
class Generation {
  readonly users = new Set<Promise<unknown>>();
  begun = false;
  readonly ready: Promise<Model>;

  constructor(copy: (generation: Generation) => Promise<Model>) {
    this.ready = copy(this);
  }
}

export class Serving {
  /** Under which the model is being trained. */
  private training: Claim | undefined;
  /** Predictions by the weights themselves. */
  private readonly direct = new Set<Promise<unknown>>();
  private generation: Generation | undefined;
  private twin: { readonly model: Model; readonly copy: Program } | undefined;
  private copying: Promise<void> | undefined;
  /** The versions of the weights that the twin has; empty where steps were running, which change more than they count. */
  private copied = "";

  constructor(private readonly model: Model) {}

  /**
   * Has `predict` work by the model, or by the twin with the weights that the model has between two steps, now or in a moment.
   *
   * @param keep - called where `predict` has to wait: what it works on must stay as it is
   */
  async use<R>(predict: (by: Model) => Promise<R>, keep: () => void): Promise<R> {
    if (!this.training) return tracked(this.direct, predict(this.model));
    keep();
    const generation = this.join();
    return tracked(generation.users, generation.ready.then(predict));
  }

  /** From here on nobody new uses the weights themselves. Resolves when those who do have ended; undefined where there are none. */
  begin(claim: Claim): Promise<unknown> | undefined {
    this.training = claim;
    return this.direct.size > 0 ? Promise.allSettled(this.direct) : undefined;
  }

  /** Gives the weights back to the JavaScript thread: when no copy is being made of them. */
  async release(): Promise<void> {
    while (this.copying) await this.copying.catch(() => undefined);
    this.training?.release();
  }

  async end(): Promise<void> {
    await this.release();
    this.training = undefined;
  }

  /** Forgets the twin: another link is to be used. */
  forget(): void {
    [this.twin, this.generation] = [undefined, undefined];
  }

  private join(): Generation {
    const last = this.generation;
    if (last && (!last.begun || (!this.training?.held && this.copied === this.versions()))) return last;
    return (this.generation = new Generation((next) => this.copyAfter(last, next)));
  }

  private async copyAfter(last: Generation | undefined, next: Generation): Promise<Model> {
    if (last && last.users.size > 0) await Promise.allSettled(last.users);
    next.begun = true;
    const { model, copy } = (this.twin ??= this.makeTwin());
    this.copied = "";
    const within = this.training;
    if (within?.held) {
      // On the engine thread, which is between two steps whenever it takes something else up.
      this.copying = copy.submit(1, { within, priority: urgent }).finally(() => (this.copying = undefined));
      await this.copying;
    } else {
      copy.run();
      this.copied = this.versions();
    }
    return model;
  }

  private versions(): string {
    return [...this.model.weights.values()].map(({ version }) => version).join();
  }

  private makeTwin(): { model: Model; copy: Program } {
    const model = this.model.twin();
    const tape = new Tape();
    withTape(tape, () => {
      for (const [name, weight] of this.model.weights) assign(model.weights.get(name)!, weight);
    });
    return { model, copy: new Program(tape, []) };
  }
}

async function tracked<R>(among: Set<Promise<unknown>>, work: Promise<R>): Promise<R> {
  among.add(work);
  try {
    return await work;
  } finally {
    among.delete(work);
  }
}
