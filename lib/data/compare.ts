// Whether two datasets come from the same distribution: feature by feature and in their targets, with a verdict. The tests themselves are significance.ts.
import { setImmediate } from "node:timers/promises";
import { shapeError } from "../errors.js";
import { checkOptions, isArray, isFunction, share, wrongValue } from "../options.js";
import { sameShape } from "../ops/shapes.js";
import { sizeOf, type Tensor } from "../tensor.js";
import { Dataset } from "./dataset.js";
import { chiSquare, chiSquareSurvival, holm, kolmogorovSmirnov, kolmogorovSmirnovChance } from "./significance.js";

export interface CompareOptions {
  /** How often two sets from one distribution may be called different. Default: 0.05. */
  readonly significance?: number;
  /** What the features are called. Default: "feature 0", "feature 1" … */
  readonly names?: readonly string[];
}

/** One feature, or the targets, of the two sets. */
export interface Comparison {
  readonly name: string;
  /** Two-sample Kolmogorov–Smirnov for values, χ² for class numbers. */
  readonly test: "kolmogorovSmirnov" | "chiSquare";
  /** The largest distance between the two cumulative shares, or χ². */
  readonly statistic: number;
  /** The chance of so large a statistic when both come from one distribution. */
  readonly pValue: number;
  /** The same after Holm's correction for the number of comparisons. */
  readonly correctedPValue: number;
  /** Whether that is below the significance. */
  readonly differs: boolean;
  /** What differs most, in words. */
  readonly detail: string;
}

/** What compareDistributions found. `String(comparison)` is a report. */
export class DistributionComparison {
  /** @internal */
  constructor(
    /** The features in order. */
    readonly features: readonly Comparison[],
    /** The targets: one entry for class numbers, else one per value. */
    readonly targets: readonly Comparison[],
    /** How many rows both sets hold. Sets to choose and to judge a model by should share none. */
    readonly shared: number,
    private readonly sizes: readonly [number, number],
    private readonly significance: number,
  ) {}

  /** Every comparison that differs, the surest first. */
  get differing(): Comparison[] {
    return [...this.features, ...this.targets].filter(({ differs }) => differs).sort((a, b) => a.correctedPValue - b.correctedPValue || b.statistic - a.statistic); // prettier-ignore
  }

  get verdict(): "same" | "different" {
    return this.differing.length === 0 ? "same" : "different";
  }

  toString(): string {
    const { differing, shared } = this;
    const [m, n] = this.sizes;
    const count = this.features.length + this.targets.length;
    const sets = `sets of ${m.toLocaleString("en")} and ${n.toLocaleString("en")} examples`;
    const level = `at ${this.significance}, corrected for ${count} comparisons`;
    const overlap = `${shared} examples are in both sets: figures of the second will flatter; take them out of one.`;
    if (differing.length === 0) {
      const unseen = Math.sqrt((Math.log((2 * count) / this.significance) * (m + n)) / (2 * m * n));
      return [
        `same distribution, as far as ${sets} can tell (${level}).`,
        `Differences of a cumulative share below about ${figure(Math.min(unseen, 1))} would not show.`,
        ...(shared > 0 ? [overlap] : []),
      ].join("\n");
    }
    const shown = differing.slice(0, mostShown);
    const more = differing.length - shown.length;
    return [
      `different distributions: ${differing.length} of ${count} comparisons differ between ${sets} (${level}).`,
      ...shown.map(({ name, test, statistic, correctedPValue, detail }) => `  ${name}: ${test === "chiSquare" ? "χ²" : "D"} = ${figure(statistic)}, p ${correctedPValue < 1e-15 ? "< 1e-15" : `= ${figure(correctedPValue)}`}; ${detail}`), // prettier-ignore
      ...(more > 0 ? [`  and ${more} more`] : []),
      "A model tuned on one will not do as well on the other. Put all data of the kind it is to meet together, shuffle, and split it again (split with",
      "stratify for classes); if they must come from different sources, look at how these features were made, and let dev and test be the target.",
      ...(shared > 0 ? [overlap] : []),
    ].join("\n");
  }
}

const mostShown = 5;
const turn = 5; // milliseconds

/**
 * Checks that two sets, usually dev and test, come from the same distribution: each feature and each target value by the two-sample
 * Kolmogorov–Smirnov test, class numbers by χ², with p-values corrected for their number by Holm's method. "same" means that no difference was
 * found; small sets find only large ones. It works on the thread that calls, but lets others have it after some milliseconds; a feature of
 * 100,000 examples takes about ten at once.
 *
 * @throws OptionError for a wrong option; ShapeError when the sets hold different things
 *
 * @example
 * ```ts
 * const [fitting, dev, test] = datasets.moons({ count: 1000, noise: 0.1, seed: 1 }).split({ seed: 1 });
 * const comparison = await compareDistributions(dev, test);
 * comparison.verdict; // "same"
 * console.log(String(comparison));
 * ```
 */
export async function compareDistributions(
  first: Dataset,
  second: Dataset,
  options: CompareOptions = {},
): Promise<DistributionComparison> {
  const where = "compareDistributions";
  checkOptions(where, options, ["significance", "names"]);
  const { significance = 0.05, names } = options;
  share(where, "significance", significance);
  for (const data of [first, second])
    if (!(data instanceof Dataset) || data.size === 0)
      throw wrongValue(where, "the sets", "datasets with at least one example each", data);
  checkAlike(where, "inputs", first.inputs, second.inputs);
  checkAlike(where, "targets", first.targets, second.targets);
  const width = sizeOf(first.inputShape);
  if (names && (!isArray(names) || names.length !== width))
    throw wrongValue(where, "names", `${width} names, one per feature,`, names);

  const values = await compareValues(first, second, "inputs", names ?? ((i) => `feature ${i}`));
  const targets =
    first.targets.dtype === "int32" && first.targets.rank === 1
      ? [compareClasses(first, second)]
      : await compareValues(first, second, "targets", (i, count) => (count === 1 ? "target" : `target ${i}`));
  const corrected = holm([...values, ...targets].map(({ pValue }) => pValue));
  const judged = [...values, ...targets].map((comparison, i): Comparison => {
    const correctedPValue = corrected[i]!;
    return { ...comparison, correctedPValue, differs: correctedPValue < significance };
  });
  return new DistributionComparison(
    judged.slice(0, width),
    judged.slice(width),
    sharedRows(first, second),
    [first.size, second.size],
    significance,
  );
}

type Tested = Omit<Comparison, "correctedPValue" | "differs">;
type Naming = readonly string[] | ((i: number, count: number) => string);

function checkAlike(where: string, label: string, a: Tensor, b: Tensor): void {
  const [x, y] = [a, b].map(({ shape }) => shape.slice(1)) as [number[], number[]];
  const classes = [a, b].map(({ dtype, rank }) => label === "targets" && dtype === "int32" && rank === 1);
  if (sameShape(x, y) && classes[0] === classes[1]) return;
  throw shapeError(where, `the sets have different ${label}`, [
    { label: `first ${label}`, dtype: a.dtype, shape: a.shape },
    { label: `second ${label}`, dtype: b.dtype, shape: b.shape },
  ]);
}

/** Each column of the inputs or targets. */
async function compareValues(
  first: Dataset,
  second: Dataset,
  part: "inputs" | "targets",
  naming: Naming,
): Promise<Tested[]> {
  const width = sizeOf(first[part].shape.slice(1));
  const compared: Tested[] = [];
  let since = performance.now();
  for (let column = 0; column < width; column++) {
    if (performance.now() - since > turn) {
      await setImmediate();
      since = performance.now();
    }
    const [a, b] = [first, second].map((data) => sortedColumn(data, part, column, width)) as [
      Float64Array,
      Float64Array,
    ];
    const statistic = kolmogorovSmirnov(a, b);
    compared.push({
      name: isFunction(naming) ? naming(column, width) : naming[column]!,
      test: "kolmogorovSmirnov",
      statistic,
      pValue: kolmogorovSmirnovChance(statistic, a.length, b.length),
      detail: `median ${figure(median(a))} in the first, ${figure(median(b))} in the second`,
    });
  }
  return compared;
}

function sortedColumn(data: Dataset, part: "inputs" | "targets", column: number, width: number): Float64Array {
  const values = data[part].read();
  return Float64Array.from(data.rows, (row) => values[row * width + column]!).sort();
}

function compareClasses(first: Dataset, second: Dataset): Tested {
  const counts = new Map<number, [number, number]>();
  for (const [which, data] of [first, second].entries()) {
    const labels = data.targets.read();
    for (const row of data.rows) {
      const pair = counts.get(labels[row]!) ?? [0, 0];
      pair[which]!++;
      counts.set(labels[row]!, pair);
    }
  }
  const pairs = [...counts.values()];
  const { statistic, degrees, contributions } = chiSquare(pairs.map(([a]) => a), pairs.map(([, b]) => b)); // prettier-ignore
  const worst = contributions.indexOf(Math.max(...contributions));
  const share = (which: 0 | 1, size: number): string => `${figure((100 * pairs[worst]![which]) / size)} %`;
  return {
    name: "classes",
    test: "chiSquare",
    statistic,
    pValue: chiSquareSurvival(statistic, degrees),
    detail: `class ${[...counts.keys()][worst]!} is ${share(0, first.size)} of the first, ${share(1, second.size)} of the second`,
  };
}

function sharedRows(first: Dataset, second: Dataset): number {
  if (first.inputs !== second.inputs) return 0;
  const rows = new Set(first.rows);
  return second.rows.filter((row) => rows.has(row)).length;
}

function median(sorted: Float64Array): number {
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
