// Figures: what is reported of a pass, put together from what each of its batches contributed. Which figures there are is cost.ts.
import { shapeError } from "../errors.js";
import type { Metric } from "../metrics/metric.js";
import type { Tensor, TypedArray } from "../tensor.js";

/** A tensor to be kept of every batch, and how the batches come together; see {@link Metric}. */
export interface Figure extends Required<Pick<Metric, "over">>, Pick<Metric, "finish"> {
  readonly values: Tensor;
}

/** Numbers by name. */
export type Figures = Record<string, number>;

/** One figure's sum so far. */
export class Total {
  private readonly over: Figure["over"];
  private readonly finish: NonNullable<Metric["finish"]>;
  private sums = new Float64Array(0);
  private readonly rows: TypedArray[] = [];

  constructor(
    private readonly name: string,
    { over, finish }: Figure,
  ) {
    this.over = over;
    this.finish = finish ?? (([value]) => value!);
  }

  /** Whether it can be told before all batches are there; rows are too many to look through now and then. */
  get running(): boolean {
    return this.over !== "all";
  }

  /** Takes what batches of `size` examples gave, one after the other in `values`, each of them `length` long. */
  add(values: TypedArray, length: number, size: number): void {
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

  value(examples: number): number {
    if (this.over === "sum") return this.finish(this.sums, examples);
    if (this.over === "mean")
      return this.finish(
        this.sums.map((sum) => sum / examples),
        examples,
      );
    const all = new Float64Array(this.rows.reduce((size, { length }) => size + length, 0));
    let at = 0;
    for (const values of this.rows) {
      all.set(values, at);
      at += values.length;
    }
    return this.finish(all, examples);
  }
}
