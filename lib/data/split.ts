// Which rows go into which part: shares of a whole, and folds. Rows are numbers here; whose rows they are is dataset.ts.
import { SimdnnError } from "../errors.js";
import { bool, checkOptions, isArray, nonNegativeInteger, positiveInteger, wrongValue } from "../options.js";
import type { RandomStream } from "../random.js";

export interface SplitOptions {
  /** Draw rows at random (default) instead of in order. */
  readonly shuffle?: boolean;
  /** Give every part the same share of each class; targets must be class numbers. */
  readonly stratify?: boolean;
  readonly seed?: number;
}

/** Rows that belong together: all, or those of one class. */
export interface Group {
  readonly label?: number;
  readonly rows: Int32Array;
}

/** Train, dev and test: a dev set of ten thousand tells models apart, however many examples there are to train on. */
export function usualFractions(examples: number): readonly [number, number, number] {
  return examples <= 1_000_000 ? [0.6, 0.2, 0.2] : [0.98, 0.01, 0.01];
}

/** @throws OptionError for an unknown option or a wrong value */
export function checkSplitOptions(where: string, options: SplitOptions): { shuffle: boolean; stratify: boolean } {
  checkOptions(where, options, ["shuffle", "stratify", "seed"]);
  const { shuffle = true, stratify = false, seed } = options;
  bool(where, "shuffle", shuffle);
  bool(where, "stratify", stratify);
  if (seed !== undefined) nonNegativeInteger(where, "seed", seed);
  return { shuffle, stratify };
}

/**
 * A share of each group for each fraction. Sizes are as near to the fractions as whole numbers allow, in each group and in all of them
 * together: what one group's rounding denies a part, the next one's gives it.
 *
 * @throws OptionError when a fraction is not in (0, 1], they sum to more than 1, a part would be empty, or a group is smaller than the number of parts
 */
export function shares(groups: readonly Group[], fractions: readonly number[], random?: RandomStream): Int32Array[] {
  const where = "split";
  const usable = (fraction: unknown): boolean => typeof fraction === "number" && fraction > 0 && fraction <= 1;
  if (!isArray(fractions) || fractions.length === 0 || !fractions.every(usable))
    throw wrongValue(where, "fractions", "numbers above 0 and up to 1", fractions);
  const total = fractions.reduce((sum, fraction) => sum + fraction, 0);
  if (total > 1 + 1e-9)
    throw wrongValue(where, "fractions", `a sum of at most 1, not ${Number(total.toPrecision(12))},`, fractions);
  refuseSmall(where, groups, fractions.length, "parts");
  const rest = total < 1 - 1e-9 ? [1 - total] : [];
  const wanted = [...fractions, ...rest];
  const parts = wanted.map((): number[] => []);
  let seen = 0;
  for (const { rows } of groups) {
    const order = random ? random.shuffle(rows.slice()) : rows;
    seen += order.length;
    const counts = wanted.map((fraction) => Math.floor(order.length * fraction + 1e-9));
    const lacking = (i: number): number => seen * wanted[i]! - parts[i]!.length - counts[i]!;
    for (let left = order.length - counts.reduce((a, b) => a + b); left > 0; left--) {
      const neediest = counts.reduce((best, _, i) => (lacking(i) > lacking(best) + 1e-9 ? i : best), 0);
      counts[neediest]!++;
    }
    let taken = 0;
    for (const [i, count] of counts.entries()) for (let n = 0; n < count; n++) parts[i]!.push(order[taken++]!);
  }
  return parts.slice(0, fractions.length).map((part, i) => {
    if (part.length > 0) return inOrder(part);
    const expected = `shares that leave no part empty, but of ${seen} examples part ${i + 1} gets none`;
    throw wrongValue(where, "fractions", expected, fractions);
  });
}

/**
 * `k` parts that differ in size by at most one, in all and in each group: rows are dealt out like cards.
 *
 * @throws OptionError unless 2 <= k <= the number of rows and of the rows of each group
 */
export function folds(groups: readonly Group[], k: number, random?: RandomStream): Int32Array[] {
  const where = "folds";
  const count = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  if (positiveInteger(where, "k", k) < 2 || k > count)
    throw wrongValue(where, "k", `an integer from 2 to ${count}, the number of examples,`, k);
  refuseSmall(where, groups, k, "folds");
  const parts = Array.from({ length: k }, (): number[] => []);
  let dealt = 0;
  for (const { rows } of groups)
    for (const row of random ? random.shuffle(rows.slice()) : rows) parts[dealt++ % k]!.push(row);
  return parts.map(inOrder);
}

function refuseSmall(where: string, groups: readonly Group[], parts: number, kind: string): void {
  const least = Math.max(parts, 2);
  const small = groups.find(({ label, rows }) => label !== undefined && rows.length < least);
  if (!small) return;
  const remedy = "collect more, leave the class out, or do without stratify";
  const needs = `stratify needs at least ${least} examples of each class for ${parts} ${kind}`;
  const message = `${where}: ${needs}, but class ${small.label} has ${small.rows.length}; ${remedy}`;
  throw new SimdnnError("OptionError", message, { where, option: "stratify", received: true });
}

/** Parts come class by class; in order of rows they read memory forwards. */
function inOrder(rows: readonly number[]): Int32Array {
  return Int32Array.from(rows).sort();
}
