// Dataset: rows of inputs with their targets. Which rows make a part is split.ts, reading files idx.ts, making batches train/batches.ts.
import { formatShape, nonFiniteError, shapeError, SimdnnError } from "../errors.js";
import { Made } from "../made.js";
import { checkOptions, isArray, nonNegativeInteger, oneOf, wrongValue } from "../options.js";
import { type RandomStream, randomStream } from "../random.js";
import { isFloat, sizeOf, tensor, Tensor, type Shape, type TensorData } from "../tensor.js";
import { checkSplitOptions, folds, type Group, shares, type SplitOptions, usualFractions } from "./split.js";
import { statisticsOf, type Statistics } from "./statistics.js";

/** Examples: inputs `[n, ...]`, targets `[n]` (class numbers or values) or `[n, ...]`, and which of the rows belong to it. */
export class Dataset extends Made {
  /** @internal */
  constructor(
    readonly inputs: Tensor,
    readonly targets: Tensor,
    /** Rows of `inputs` and `targets`: parts of a split share the tensors and differ in these. */
    readonly rows: Int32Array,
    /** What each row's loss counts, `[n]`; undefined where all count 1. */
    readonly sampleWeights?: Tensor,
  ) {
    super();
  }

  /** Number of examples. */
  get size(): number {
    return this.rows.length;
  }

  /** Shape of one example. */
  get inputShape(): Shape {
    return this.inputs.shape.slice(1);
  }

  /**
   * Parts of the given shares, which may sum to less than 1, without copying rows. Without fractions these are a train, a dev and a test set of 60, 20 and 20 % of the
   * examples, and of 98, 1 and 1 % where there are more than a million.
   *
   * @throws OptionError when a fraction is not in (0, 1], they sum to more than 1, a part would be empty, or, with `stratify`, a class has fewer
   *   examples than there are parts
   *
   * @example
   * ```ts
   * const [fitting, dev] = train.split([0.9, 0.1], { stratify: true, seed: 1 });
   * const parts = train.split({ seed: 1 }); // 60, 20 and 20 %
   * ```
   */
  split(options?: SplitOptions): [train: Dataset, dev: Dataset, test: Dataset];
  split<const Fractions extends readonly number[]>(
    fractions: Fractions,
    options?: SplitOptions,
  ): { -readonly [I in keyof Fractions]: Dataset };
  split(given: readonly number[] | SplitOptions = {}, more: SplitOptions = {}): Dataset[] {
    const usual = typeof given === "object" && !isArray(given as readonly number[]);
    const fractions = usual ? usualFractions(this.size) : (given as readonly number[]);
    const options = usual ? (given as SplitOptions) : more;
    const { groups, random } = this.grouped("split", options);
    return shares(groups, fractions, random).map((rows) => this.of(rows));
  }

  /**
   * `k` divisions for cross-validation: every example is in the dev set of exactly one of them and in the training set of the others. Sizes differ
   * by at most one, with `stratify` also within each class.
   *
   * @throws OptionError unless k is from 2 to the number of examples and, with `stratify`, of those of the rarest class
   *
   * @example
   * ```ts
   * for (const { train: fitting, dev } of train.folds(5, { stratify: true, seed: 1 })) console.log(fitting.size, dev.size); // 192 and 48
   * ```
   */
  folds(k: number, options: SplitOptions = {}): { train: Dataset; dev: Dataset }[] {
    const { groups, random } = this.grouped("folds", options);
    const parts = folds(groups, k, random);
    return parts.map((part) => {
      const held = new Set(part);
      return { train: this.of(this.rows.filter((row) => !held.has(row))), dev: this.of(part) };
    });
  }

  /**
   * The first `count` examples.
   * @throws OptionError unless there are that many
   */
  take(count: number): Dataset {
    if (nonNegativeInteger("take", "count", count) > this.size)
      throw wrongValue("take", "count", `at most ${this.size}, the number of examples`, count);
    return this.of(this.rows.slice(0, count));
  }

  /**
   * Mean and standard deviation of the inputs: per feature, or one number each for `per: "all"` (usual for the pixels of an image).
   * Deviations of zero are reported as 1, so that dividing by them is harmless.
   *
   * @example
   * ```ts
   * const model = sequential([normalization(train.statistics({ per: "all" })), dense(10)], { inputShape: [784] });
   * ```
   */
  statistics(options: { readonly per?: "feature" | "all" } = {}): Statistics {
    checkOptions("statistics", options, ["per"]);
    const { per = "feature" } = options;
    oneOf("statistics", "per", per, ["feature", "all"]);
    if (this.size === 0) throw wrongValue("statistics", "data", "at least one example", this.size);
    const { mean, deviation } = statisticsOf(this.inputs.read(), this.rows, sizeOf(this.inputShape), per);
    return per === "all" ? { mean: mean[0]!, deviation: deviation[0]! } : { mean, deviation };
  }

  /** Other rows of the same tensors. */
  private of(rows: Int32Array): Dataset {
    return new Dataset(this.inputs, this.targets, rows, this.sampleWeights);
  }

  /** All rows, or those of each class with `stratify`; and what shuffles them. */
  private grouped(
    where: string,
    options: SplitOptions,
  ): { groups: readonly Group[]; random: RandomStream | undefined } {
    const { shuffle, stratify } = checkSplitOptions(where, options);
    const random = shuffle ? randomStream(options.seed) : undefined;
    return { groups: stratify ? this.classes(where) : [{ rows: this.rows }], random };
  }

  private classes(where: string): Group[] {
    if (this.targets.dtype !== "int32" || this.targets.rank !== 1)
      throw new SimdnnError(
        "OptionError",
        `${where}: stratify needs class numbers as targets (int32 [n]) but they are ${this.targets.dtype} ${formatShape(this.targets.shape)}`,
        { where, option: "stratify" },
      );
    const labels = this.targets.read();
    const members = new Map<number, number[]>();
    for (const row of this.rows) {
      const label = labels[row]!;
      const known = members.get(label);
      if (known) known.push(row);
      else members.set(label, [row]);
    }
    return [...members].sort(([a], [b]) => a - b).map(([label, rows]) => ({ label, rows: Int32Array.from(rows) }));
  }
}

/** Values for a dataset: a tensor, nested arrays, or a typed array (with a shape). */
export type Rows = Tensor | TensorData;

/**
 * A dataset from inputs and targets, which are copied unless they are tensors already.
 *
 * @param inputs - `[n, ...]`; a typed array needs `inputShape`
 * @param targets - `[n]` or `[n, ...]`; integers in an Int32Array or Uint8Array are class numbers, everything else float values
 * @param options - `sampleWeights` `[n]`, each >= 0: what the loss of an example counts in the mean loss `1/m Σ weight · loss`; default 1
 * @throws ShapeError when there are no rows or not as many targets or weights as inputs; NonFiniteError at a NaN or infinity
 *
 * @example
 * ```ts
 * const xor = dataset([[0, 0], [0, 1], [1, 0], [1, 1]], Int32Array.of(0, 1, 1, 0));
 * xor.size; // 4
 * ```
 */
export function dataset(
  inputs: Rows,
  targets: Rows,
  options: { readonly inputShape?: Shape; readonly targetShape?: Shape; readonly sampleWeights?: Rows } = {},
): Dataset {
  checkOptions("dataset", options, ["inputShape", "targetShape", "sampleWeights"]);
  const x = rowsOf(inputs, options.inputShape, "inputs");
  const labels = rowsOf(targets, options.targetShape, "targets");
  const y =
    labels.dtype === "uint8"
      ? tensor(Int32Array.from(labels.read()), { shape: labels.shape, name: "targets" })
      : labels;
  const count = x.shape[0] ?? 0;
  if (x.rank === 0 || count === 0)
    throw shapeError("dataset", "expected at least one example", [{ label: "inputs", shape: x.shape }]);
  const uncut = ArrayBuffer.isView(inputs) && !options.inputShape;
  const hint = uncut ? "; give inputShape where an example is several numbers of a typed array" : "";
  if (y.shape[0] !== count)
    throw shapeError("dataset", `expected as many targets as inputs, but ${count} ≠ ${y.shape[0] ?? "none"}${hint}`, [
      { label: "inputs", shape: x.shape },
      { label: "targets", shape: y.shape },
    ]);
  checkFinite("inputs", x);
  checkFinite("targets", y);
  return new Dataset(
    x,
    y,
    Int32Array.from({ length: count }, (_, i) => i),
    options.sampleWeights === undefined ? undefined : weightsOf(options.sampleWeights, count),
  );
}

function weightsOf(given: Rows, count: number): Tensor {
  const rows = rowsOf(given, undefined, "sampleWeights");
  const weights = rows.dtype === "float32" ? rows : tensor(Float32Array.from(rows.read()), { name: "sampleWeights" });
  if (rows.rank !== 1 || rows.size !== count)
    throw shapeError("dataset", `expected ${count} sampleWeights, one per example`, [
      { label: "sampleWeights", shape: rows.shape },
    ]);
  checkFinite("sampleWeights", weights);
  const negative = weights.read().find((weight) => weight < 0);
  if (negative !== undefined) throw wrongValue("dataset", "sampleWeights", "numbers >= 0", negative);
  return weights;
}

function rowsOf(rows: Rows, rowShape: Shape | undefined, name: string): Tensor {
  if (rows instanceof Tensor) return rows;
  if (!rowShape) return tensor(rows, { name });
  if (!isArray(rowShape) || !rowShape.every(Number.isSafeInteger))
    throw wrongValue("dataset", `the shape of ${name}`, "an array such as [784]", rowShape);
  const flat = tensor(rows);
  const width = rowShape.reduce((size, dim) => size * dim, 1);
  if (width === 0 || flat.size % width !== 0)
    throw shapeError("dataset", `${flat.size} ${name} cannot be cut into rows of ${formatShape(rowShape)}`);
  const { dtype, storage } = flat; // a copy already
  return new Tensor({ dtype, shape: [flat.size / width, ...rowShape] }, { storage, name });
}

function checkFinite(name: string, values: Tensor): void {
  if (!isFloat(values.dtype)) return;
  const array = values.read();
  for (let i = 0; i < array.length; i++) {
    if (Number.isFinite(array[i])) continue;
    const width = values.size / values.shape[0]!;
    throw nonFiniteError({
      where: "dataset",
      what: `${name}[${Math.floor(i / width)}]${width > 1 ? ` (value ${i % width})` : ""}`,
      value: array[i]!,
    });
  }
}
