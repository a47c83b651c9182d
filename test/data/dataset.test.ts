import { describe, expect, it } from "vitest";
import { dataset, datasets, tensor } from "simdnn";

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

  it("refuses fractions that exceed the whole, empty parts, and strata without classes", () => {
    expect(() => data.split([0.9, 0.2])).toThrow("a sum of at most 1");
    expect(() => data.split([0, 1])).toThrow("numbers above 0 and up to 1");
    expect(() => data.take(3).split([0.9, 0.1])).toThrow("part 2 gets none");
    expect(() => dataset([[1], [2]], [0.5, 1]).split([0.5, 0.5], { stratify: true })).toThrow(
      "stratify needs class numbers",
    );
    expect(() => data.split([1], { startify: true } as object)).toThrow('did you mean "stratify"?');
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
