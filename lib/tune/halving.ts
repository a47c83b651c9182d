// Successive halving: of all trials that have come as far as a rung, the better part goes on. What they are and how they run is not its business.
import { byScore, type Mode, type Scored } from "./trial.js";

export interface HalvingOptions {
  /** The step of the first rung: the fewest steps that any trial makes; default 1. */
  readonly firstStep?: number;
  /** η: of η trials one goes on, η times as far; default 3. */
  readonly reduction?: number;
}

type Report = readonly [step: number, score: number];

interface Runner {
  readonly index: number;
  readonly reports: Report[];
  ended: boolean;
  /** Its score when it ended with one. */
  final: number | undefined;
  /** Set while it waits at a rung. */
  answer: ((goOn: boolean) => void) | undefined;
}

/**
 * Rungs are at the steps `first · ηᵏ`, and the best `count / ηᵏ⁺¹` (rounded down, at least one) of a rung go on (Jamieson and Talwalkar, 2016). A rung is
 * decided when every trial that is left has come to it or ended, so that it does not matter which is faster. Those that ended with a score take part.
 */
export class Halving {
  private readonly runners: Map<number, Runner>;
  private readonly left: Set<Runner>;
  private rung = 0;

  constructor(
    private readonly count: number,
    private readonly mode: Mode,
    private readonly options: Required<HalvingOptions>,
  ) {
    const indices = Array.from({ length: count }, (_, index) => index);
    this.runners = new Map(
      indices.map((index) => [index, { index, reports: [], ended: false, final: undefined, answer: undefined }]),
    );
    this.left = new Set(this.runners.values());
  }

  /** Resolves, at once or when the rung is decided, with whether the trial goes on. */
  report(index: number, step: number, score: number): Promise<boolean> {
    const runner = this.runners.get(index)!;
    runner.reports.push([step, score]);
    if (!this.left.has(runner)) return Promise.resolve(false);
    if (step < this.step) return Promise.resolve(true);
    return new Promise((resolve) => {
      runner.answer = resolve;
      this.decide();
    });
  }

  /** @param final - the score it ended with, if any */
  end(index: number, final: number | undefined, reports?: readonly Report[]): void {
    const runner = this.runners.get(index)!;
    if (reports) runner.reports.push(...reports);
    [runner.ended, runner.final] = [true, final];
    this.decide();
  }

  /** Where the next decision is made; nowhere once a single trial is left. */
  private get step(): number {
    const { firstStep, reduction } = this.options;
    return this.places(this.rung - 1) > 1 ? firstStep * reduction ** this.rung : Infinity;
  }

  /** How many go on from a rung. */
  private places(rung: number): number {
    return Math.max(1, Math.floor(this.count / this.options.reduction ** (rung + 1)));
  }

  private decide(): void {
    while (this.step < Infinity) {
      const { step } = this;
      const arrivals = [...this.left].map((runner) => ({ runner, at: runner.reports.find(([at]) => at >= step) }));
      if (arrivals.some(({ runner, at }) => !at && !runner.ended)) return;
      const scored = arrivals.flatMap(({ runner, at }): (Scored & { runner: Runner })[] => {
        const score = at?.[1] ?? runner.final;
        return score === undefined ? [] : [{ runner, index: runner.index, score }];
      });
      const better = new Set(scored.sort(byScore(this.mode)).slice(0, this.places(this.rung)).map(({ runner }) => runner)); // prettier-ignore
      this.rung++;
      for (const { runner } of arrivals) {
        if (!better.has(runner)) this.left.delete(runner);
        const last = runner.reports.at(-1)?.[0] ?? 0;
        if (better.has(runner) && last >= this.step) continue; // it is at the next rung already
        runner.answer?.(better.has(runner));
        runner.answer = undefined;
      }
    }
  }
}
