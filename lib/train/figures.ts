// Figures: what is reported of a pass, put together from what each of its batches contributed. Which figures there are is cost.ts.
import { shapeError } from "../errors.js";
import { wrongValue } from "../options.js";
import type { Metric } from "../metrics/metric.js";
import type { Tensor, TypedArray } from "../tensor.js";

/** A tensor to be kept of every batch, and how the batches come together; see {@link Metric}. */
export interface Figure extends Required<Pick<Metric, "over">>, Pick<Metric, "finish"> {
  readonly values: Tensor;
}

/** Numbers by name. */
export type Figures = Record<string, number>;

/** What some steps contributed to a figure, one after the other. */
export interface Contribution {
  readonly name: string;
  readonly values: TypedArray;
}

type Rule = Pick<Figure, "over" | "finish">;

/** A tally as numbers alone: steps, examples, and by figure the sums or the rows. */
export interface TallyState {
  readonly steps: number;
  readonly examples: number;
  /** Those of the steps that were left out; in files, absent where none was. */
  readonly skipped?: number;
  readonly totals: Readonly<Record<string, TypedArray>>;
}

/** What the steps of a pass have contributed so far. */
export class Tally {
  /** Also those left out. */
  steps = 0;
  skipped = 0;
  examples = 0;
  private readonly totals = new Map<string, Total>();
  private readonly earlier: TallyState["totals"];

  /** @param from - the state of one to go on with */
  constructor(from?: TallyState) {
    this.steps = from?.steps ?? 0;
    this.examples = from?.examples ?? 0;
    this.skipped = from?.skipped ?? 0;
    this.earlier = from?.totals ?? {};
  }

  /** Makes these figures known. */
  expect(figures: Readonly<Record<string, Rule>>): void {
    for (const [name, figure] of Object.entries(figures))
      if (!this.totals.has(name)) this.totals.set(name, new Total(name, figure, this.earlier[name]));
  }

  /** Takes what steps contributed to figures that are known. */
  add(steps: number, size: number, contributions: readonly Contribution[]): void {
    for (const { name, values } of contributions)
      this.totals.get(name)!.add(values, values.length / Math.max(steps, 1), size);
    this.steps += steps;
    this.examples += steps * size;
  }

  /** Counts a step that contributed nothing. */
  skip(): void {
    this.steps++;
    this.skipped++;
  }

  /** Those that can be told before all batches are there; rows are too many to look through now and then. */
  running(): Figures {
    const told = [...this.totals].filter(([, { over }]) => over !== "all");
    return Object.fromEntries(told.map(([name, total]) => [name, total.valueNow(this.examples)]));
  }

  async figures(): Promise<Figures> {
    const figures: Figures = {};
    for (const [name, total] of this.totals)
      figures[name] = total.over === "all" ? await total.value(this.examples) : total.valueNow(this.examples);
    return figures;
  }

  get state(): TallyState {
    const totals = [...this.totals].map(([name, total]) => [name, total.all()] as const);
    const { steps, examples, skipped } = this;
    return { steps, examples, ...(skipped > 0 && { skipped }), totals: Object.fromEntries(totals) };
  }
}

/** A figure of one batch of `size` examples alone. */
export function valueAlone(name: string, figure: Rule, values: TypedArray, size: number): number {
  const total = new Total(name, figure);
  total.add(values, values.length, size);
  return total.valueNow(size);
}

/** One figure's sum so far. */
class Total {
  readonly over: Figure["over"];
  private readonly finish: NonNullable<Metric["finish"]>;
  private sums = new Float64Array(0);
  private readonly rows: TypedArray[] = [];

  constructor(
    private readonly name: string,
    { over, finish }: Rule,
    earlier?: TypedArray,
  ) {
    this.over = over;
    this.finish = finish ?? (([value]) => value!);
    if (!earlier) return;
    if (over === "all") this.rows.push(earlier);
    else this.sums = Float64Array.from(earlier);
  }

  /** Takes what batches of `size` examples gave, one after the other in `values`, each of them `length` long. */
  add(values: TypedArray, length: number, size: number): void {
    if (values.length === 0) return;
    if (this.over === "all") {
      this.rows.push(values);
      return;
    }
    if (this.sums.length === 0) this.sums = new Float64Array(length);
    if (this.sums.length !== length)
      throw shapeError(this.name, `sums must have one size for every batch, but ${length} ≠ ${this.sums.length}`);
    const weight = this.over === "mean" ? size : 1;
    for (let i = 0; i < values.length; i++) this.sums[i % length]! += values[i]! * weight;
  }

  /** That of a mean or of sums. */
  valueNow(examples: number): number {
    const value = this.value(examples);
    if (value instanceof Promise) throw wrongValue(this.name, "what finish returns", 'a number, unless over is "all",', value); // prettier-ignore
    return value;
  }

  value(examples: number): number | Promise<number> {
    const all = this.all();
    return this.finish(this.over === "mean" ? all.map((sum) => sum / examples) : all, examples);
  }

  /** The sums, or all rows. */
  all(): Float64Array {
    if (this.over !== "all") return this.sums.slice();
    const all = new Float64Array(this.rows.reduce((size, { length }) => size + length, 0));
    let at = 0;
    for (const values of this.rows) {
      all.set(values, at);
      at += values.length;
    }
    return all;
  }
}
