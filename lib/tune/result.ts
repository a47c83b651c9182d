// What a search found: its trials in order of merit, and the table of them.
import { SimdnnError } from "../errors.js";
import type { Json } from "../layers/layer.js";
import { byScore, type Mode, type TrialResult } from "./trial.js";

/** The trials of a search. Printing it gives a table. */
export class TuneResult<Config> {
  /**
   * All trials, the better ones first: those that are done by their scores, then those that were stopped, the later ones first, then those that failed.
   */
  readonly trials: readonly TrialResult<Config>[];

  /** @internal Use tune(). */
  constructor(
    trials: readonly TrialResult<Config>[],
    readonly mode: Mode,
    /** What the search's random numbers came from: with it and the same objective the search can be repeated. */
    readonly seed: number,
  ) {
    const merit = { done: 0, stopped: 1, failed: 2, aborted: 3 };
    const better = byScore(mode);
    this.trials = [...trials].sort(
      (a, b) =>
        merit[a.status] - merit[b.status] ||
        (a.status === "stopped" ? lastStep(b) - lastStep(a) : 0) ||
        better(a, b) ||
        a.index - b.index, // where scores are NaN
    );
  }

  /**
   * The best trial that is done.
   * @throws StateError when there is none; its cause is what the first one failed of
   */
  get best(): TrialResult<Config> {
    const [first] = this.trials;
    if (first?.status === "done") return first;
    const failed = this.trials.find(({ error }) => error !== undefined);
    const because = failed ? `; trial ${failed.index} failed: ${failed.error}` : "";
    const message = `tune: none of ${this.trials.length} trials ended with a score${because}`;
    throw new SimdnnError("StateError", message, { where: "tune" });
  }

  /** A table of all trials, with how often each was begun where one was begun again. */
  toString(): string {
    const names = Object.keys(this.trials[0]?.config ?? {});
    const again = this.trials.some(({ attempts }) => attempts > 1);
    const rows = this.trials.map(({ index, status, attempts, score, config, error }) => [
      String(index),
      status,
      ...(again ? [String(attempts)] : []),
      cell(score),
      ...names.map((name) => cell((config as Readonly<Record<string, Json>>)[name])),
      error?.split("\n")[0] ?? "",
    ]);
    return table([["trial", "status", ...(again ? ["attempts"] : []), "score", ...names, ""], ...rows]);
  }
}

function lastStep({ reports }: TrialResult<unknown>): number {
  return reports.at(-1)?.[0] ?? 0;
}

function cell(value: Json | undefined): string {
  if (typeof value === "number") return Number.isNaN(value) ? "–" : String(Number(value.toPrecision(4)));
  if (Array.isArray(value)) return value.map((item: Json) => cell(item)).join(" ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
