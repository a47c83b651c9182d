// Tables of what contenders reached: figures, simdnn's speed relative to each, residuals. Measures nothing.
import type { Contest } from "../suite.js";
import { error, figure, table } from "../table.js";
import type { Timing } from "../timing.js";
import { peers } from "./peers.js";

export interface Result<Case> extends Timing {
  readonly one: Case;
  readonly name: string;
  /** The name with the version. */
  readonly contender: string;
  readonly threads: number;
  readonly residual: number | null;
}

const yardsticks = peers.filter(({ yardstick }) => yardstick).map(({ name }) => name);

export function report<Case extends { readonly name: string }>(
  contest: Contest<Case>,
  results: readonly Result<Case>[],
): void {
  const counts = [...new Set(results.map(({ threads }) => threads))];
  for (const count of counts) {
    const those = results.filter(({ threads }) => threads === count);
    const title = count === 1 ? "1 thread" : `${count} threads`;
    figures(contest, those, title);
    ratios(those, title);
    residuals(contest, those, title);
  }
  if (counts.length > 1) ratios(fastest(results), "everyone at the better number of threads, in brackets");
}

/** Of each contender in each case the result with the threads that suit it. */
function fastest<Case>(results: readonly Result<Case>[]): Result<Case>[] {
  return results.filter((a) => !results.some((b) => a.one === b.one && a.name === b.name && b.min < a.min));
}

function figures<Case extends { readonly name: string }>(
  { unit, value }: Contest<Case>,
  results: readonly Result<Case>[],
  title: string,
): void {
  const cell = ({ one, min, median }: Result<Case>): string =>
    `${figure(value(one, min))} ~${figure(value(one, median))}`;
  print(`${unit} ~median, ${title}`, results, cell);
}

/** How many times as fast simdnn is, with the geometric mean below. */
function ratios<Case extends { readonly name: string }>(results: readonly Result<Case>[], title: string): void {
  const own = (one: Case): Result<Case> | undefined => results.find((r) => r.one === one && r.name === "simdnn");
  const several = title.includes("brackets");
  const ratio = (result: Result<Case>): number => result.min / (own(result.one)?.min ?? NaN);
  const cell = (result: Result<Case>): string =>
    `${ratio(result).toFixed(2)}${several ? ` (${own(result.one)?.threads}/${result.threads})` : ""}`;
  const others = results.filter(({ name }) => name !== "simdnn");
  if (others.length === 0) return;

  const best = (one: Case, names?: readonly string[]): number =>
    Math.min(...others.filter((r) => r.one === one && (names?.includes(r.name) ?? true)).map(ratio));
  const columns: [string, (one: Case) => number][] = [["best of all", (one) => best(one)]];
  const used = yardsticks.filter((name) => others.some((r) => r.name === name));
  if (used.length > 1) columns.push([`best of ${used.join(", ")}`, (one) => best(one, used)]);
  const extra = columns.map(([head, of]) => ({ head, of: (one: Case) => of(one).toFixed(2) }));
  const cases = [...new Set(others.map(({ one }) => one))];
  const mean = (values: number[]): string =>
    Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length).toFixed(2);
  print(`simdnn is so many times as fast as, ${title}`, others, cell, extra, (contender) =>
    contender === undefined
      ? columns.map(([, of]) => mean(cases.map(of).filter(Number.isFinite)))
      : [mean(others.filter((r) => r.contender === contender).map(ratio))],
  );
}

function residuals<Case extends { readonly name: string }>(
  { agrees }: Contest<Case>,
  results: readonly Result<Case>[],
  title: string,
): void {
  const own = (one: Case): number => results.find((r) => r.one === one && r.name === "simdnn")?.residual ?? NaN;
  const cell = ({ one, residual }: Result<Case>): string =>
    residual === null
      ? "none"
      : `${residual < 0.01 ? error(residual) : residual.toPrecision(5)}${agrees(one, residual, own(one)) ? "" : " ≠"}`;
  print(`residual, or loss reached; ≠ where it computed something else, ${title}`, results, cell);
}

/** A line per case and a column per contender. */
function print<Case extends { readonly name: string }>(
  title: string,
  results: readonly Result<Case>[],
  cell: (result: Result<Case>) => string,
  extra: readonly { head: string; of: (one: Case) => string }[] = [],
  mean?: (contender: string | undefined) => string[],
): void {
  const contenders = [...new Set(results.map(({ contender }) => contender))];
  const cases = [...new Set(results.map(({ one }) => one))];
  const lines = cases.map((one) => [
    one.name,
    ...contenders.map((contender) => {
      const found = results.find((r) => r.one === one && r.contender === contender);
      return found ? cell(found) : "";
    }),
    ...extra.map(({ of }) => of(one)),
  ]);
  if (mean) lines.push(["geometric mean", ...contenders.flatMap(mean), ...mean(undefined)]);
  console.log(`\n${title}\n${table(["", ...contenders, ...extra.map(({ head }) => head)], lines)}`);
}
