import { describe, expect, it } from "vitest";
import { dataset, datasets, tensor } from "simdnn";
import { failure } from "../failure.js";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe("dataset", () => {
  it("takes nested arrays, typed arrays with a row shape, and tensors", () => {
    expect(dataset([[1, 2], [3, 4]], [5, 6]).inputs.shape).toEqual([2, 2]); // prettier-ignore
    expect(dataset(new Float32Array(6), Int32Array.of(1, 0), { inputShape: [3] }).inputs.shape).toEqual([2, 3]);
    const x = tensor([[1], [2]]);
    expect(dataset(x, [1, 2]).inputs).toBe(x);
  });

  it("turns uint8 labels into class numbers", () => {
    expect(dataset([[1], [2]], Uint8Array.of(7, 255)).targets.data()).toEqual(Int32Array.of(7, 255));
  });

  it("refuses no rows, rows without targets, rows that do not divide, and values that are not finite", () => {
    expect(() => dataset([], [])).toThrow(/ShapeError|at least one example/);
    expect(() => dataset([[1], [2]], [1])).toThrow("expected as many targets as inputs, but 2 ≠ 1");
    expect(() => dataset(new Float32Array(4), [1, 2])).toThrow("but 4 ≠ 2; give inputShape");
    expect(() => dataset(new Float32Array(7), [1, 2], { inputShape: [3] })).toThrow(
      "7 inputs cannot be cut into rows of [3]",
    );
    expect(() => dataset([[1, 2], [3, NaN]], [1, 2])).toThrow("dataset: inputs[1] (value 1) became NaN"); // prettier-ignore
    expect(() => dataset([[1], [2]], [1, Infinity])).toThrow("targets[1]");
  });
});

describe("split", () => {
  const data = dataset(
    numbers(100).map((i) => [i]),
    Int32Array.from(numbers(100), (i) => (i < 80 ? 0 : 1)),
  );

  it("gives every row to exactly one part", () => {
    const parts = data.split([0.6, 0.2, 0.2], { seed: 3 });
    expect(parts.map(({ size }) => size)).toEqual([60, 20, 20]);
    expect(parts.flatMap(({ rows }) => [...rows]).sort((a, b) => a - b)).toEqual(numbers(100));
  });

  it("keeps the shares of the classes when it stratifies", () => {
    const [, dev] = data.split([0.9, 0.1], { stratify: true, seed: 1 });
    expect([...dev.rows].filter((row) => row >= 80)).toHaveLength(2);
    expect(dev.size).toBe(10);
  });

  it("repeats itself for the same seed only, and keeps the order without shuffling", () => {
    const rows = (seed: number) => [...data.split([0.5], { seed })[0].rows];
    expect(rows(1)).toEqual(rows(1));
    expect(rows(1)).not.toEqual(rows(2));
    expect([...data.split([0.1], { shuffle: false })[0].rows]).toEqual(numbers(10));
  });

  it("takes 60, 20 and 20 % unless told otherwise, with or without options", () => {
    const parts = data.split({ seed: 3, stratify: true });
    expect(parts.map(({ size }) => size)).toEqual([60, 20, 20]);
    expect(parts.map(({ rows }) => rows.filter((row) => row >= 80).length)).toEqual([12, 4, 4]);
    expect(data.split().map(({ size }) => size)).toEqual([60, 20, 20]);
  });

  it("takes 98, 1 and 1 % of more than a million examples", () => {
    const many = (count: number) => dataset(new Uint8Array(count), new Uint8Array(count));
    expect(many(1_000_000).split().map(({ size }) => size)).toEqual([600_000, 200_000, 200_000]); // prettier-ignore
    expect(many(1_000_100).split().map(({ size }) => size)).toEqual([980_098, 10_001, 10_001]); // prettier-ignore
  });

  it("keeps the shares of the whole where each class alone would round them away", () => {
    const labels = Int32Array.from(numbers(300), (i) => i % 100); // three of each class
    const parts = dataset(Float32Array.from(numbers(300)), labels).split([0.8, 0.1], { stratify: true, seed: 2 });
    expect(parts.map(({ size }) => size)).toEqual([240, 30]);
  });

  it("refuses fractions that exceed the whole, empty parts, and strata without classes", () => {
    expect(() => data.split([0.9, 0.2])).toThrow(
      failure("OptionError", "split: expected a sum of at most 1, not 1.1, for fractions but received [ 0.9, 0.2 ] (array)"),
    ); // prettier-ignore
    expect(() => data.split([0, 1])).toThrow("numbers above 0 and up to 1");
    expect(() => data.split([0.5, -0.5])).toThrow("numbers above 0 and up to 1");
    expect(() => data.split([NaN])).toThrow("numbers above 0 and up to 1");
    expect(() => data.split(["0.5"] as unknown as number[])).toThrow("numbers above 0 and up to 1");
    expect(() => data.split(0.5 as unknown as number[])).toThrow("numbers above 0 and up to 1 for fractions but received 0.5"); // prettier-ignore
    expect(() => data.take(3).split([0.9, 0.1])).toThrow("part 2 gets none");
    expect(() => dataset([[1], [2]], [0.5, 1]).split([0.5, 0.5], { stratify: true })).toThrow(
      "stratify needs class numbers",
    );
    expect(() => data.split([1], { startify: true } as object)).toThrow('did you mean "stratify"?');
    expect(() => data.split({ startify: true } as object)).toThrow('did you mean "stratify"?');
  });

  it("refuses to stratify a class that has not an example for each part", () => {
    const lone = dataset([[1], [2], [3], [4], [5]], Int32Array.of(0, 0, 7, 0, 0));
    expect(() => lone.split([0.5, 0.5], { stratify: true })).toThrow(
      failure(
        "OptionError",
        "split: stratify needs at least 2 examples of each class for 2 parts, but class 7 has 1; collect more, leave the class out, or do without stratify",
      ),
    );
    expect(() => lone.split([0.4], { stratify: true })).toThrow("but class 7 has 1");
    expect(lone.split([0.6, 0.4], { seed: 1 }).map(({ size }) => size)).toEqual([3, 2]);
  });
});

describe("folds", () => {
  const labels = Int32Array.from(numbers(23), (i) => (i < 14 ? 0 : 4));
  const data = dataset(Float32Array.from(numbers(23)), labels);
  const sorted = (rows: Iterable<number>): number[] => [...rows].sort((a, b) => a - b);

  it("puts each example into one dev set, and into all other training sets", () => {
    const folds = data.folds(4, { seed: 1 });
    expect(folds.map(({ dev }) => dev.size)).toEqual([6, 6, 6, 5]);
    expect(sorted(folds.flatMap(({ dev }) => [...dev.rows]))).toEqual(numbers(23));
    for (const { train, dev } of folds) expect(sorted([...train.rows, ...dev.rows])).toEqual(numbers(23));
  });

  it("differs by at most one example of each class when it stratifies", () => {
    const inDev = data
      .folds(5, { stratify: true, seed: 1 })
      .map(({ dev }) => [
        dev.rows.filter((row) => labels[row] === 0).length,
        dev.rows.filter((row) => labels[row] === 4).length,
      ]);
    expect(inDev).toEqual([[3, 2], [3, 2], [3, 2], [3, 1], [2, 2]]); // prettier-ignore
  });

  it("folds a part of a split within its own rows, in order where it does not shuffle", () => {
    const part = data.take(6);
    expect(part.folds(3, { shuffle: false }).map(({ dev }) => [...dev.rows])).toEqual([[0, 3], [1, 4], [2, 5]]); // prettier-ignore
    expect([...part.folds(3, { shuffle: false })[1]!.train.rows]).toEqual([0, 2, 3, 5]);
  });

  it("repeats itself for the same seed only", () => {
    const rows = (seed: number) => data.folds(3, { seed }).map(({ dev }) => [...dev.rows]);
    expect(rows(1)).toEqual(rows(1));
    expect(rows(1)).not.toEqual(rows(2));
  });

  it("refuses fewer than two folds, more than there are examples, and classes that do not reach", () => {
    expect(() => data.folds(1)).toThrow("folds: expected an integer from 2 to 23, the number of examples, for k but received 1"); // prettier-ignore
    expect(() => data.folds(24)).toThrow("for k but received 24");
    expect(() => data.folds(2.5)).toThrow("for k but received 2.5");
    expect(() => data.folds(10, { stratify: true })).toThrow(
      "folds: stratify needs at least 10 examples of each class for 10 folds, but class 4 has 9",
    );
    expect(() => data.folds(2, { stratifi: true } as object)).toThrow('did you mean "stratify"?');
  });
});

describe("statistics", () => {
  it("are the population's mean and deviation, per feature or of all values", () => {
    const data = dataset([[1, 10], [3, 10], [100, 100]], [0, 0, 0]).take(2); // prettier-ignore
    expect(data.statistics()).toEqual({ mean: [2, 10], deviation: [1, 1] });
    const { mean, deviation } = data.statistics({ per: "all" });
    expect(mean).toBe(6);
    expect(deviation).toBeCloseTo(Math.sqrt((25 + 9 + 16 + 16) / 4), 12);
  });
});

describe("datasets.digits", () => {
  it("draws the same digits for the same seed", async () => {
    const [a, b, c] = await Promise.all([5, 5, 6].map((seed) => datasets.digits({ count: 150, seed })));
    expect(a!.inputs.data()).toEqual(b!.inputs.data());
    expect(a!.inputs.data()).not.toEqual(c!.inputs.data());
    expect(a!.inputs.shape).toEqual([150, 784]);
  });
});
