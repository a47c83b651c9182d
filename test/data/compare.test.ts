// Tests of two samples against SciPy, Holm's correction by hand, and what compareDistributions makes of them.
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { compareDistributions, dataset, datasets, randomUniform } from "simdnn";
import {
  chiSquare,
  chiSquareSurvival,
  holm,
  kolmogorovSmirnov,
  kolmogorovSmirnovChance,
  kolmogorovSurvival,
} from "#lib/data/significance.js";
import { failure } from "../failure.js";

interface Golden {
  readonly kolmogorovSmirnov: readonly { a: number[]; b: number[]; statistic: number; pValue: number }[];
  readonly kolmogorovSmirnovLarge: readonly [m: number, n: number, statistic: number, pValue: number][];
  readonly kolmogorov: readonly [number, number][];
  readonly chiSquare: readonly { a: number[]; b: number[]; statistic: number; degrees: number; pValue: number }[];
  readonly chiSquareSurvival: readonly [number, number, number][];
}
const golden = JSON.parse(readFileSync(new URL("../golden/significance.json", import.meta.url), "utf8")) as Golden;

const expectNear = (actual: number, expected: number, tolerance = 1e-11): void => {
  expect(Math.abs(actual - expected), `${actual} is not ${expected}`).toBeLessThanOrEqual(tolerance * expected);
};

describe("Kolmogorov–Smirnov", () => {
  test.each(golden.kolmogorovSmirnov.map((one) => [one.a.length, one.b.length, one] as const))(
    "samples of %i and %i",
    (m, n, { a, b, statistic, pValue }) => {
      const found = kolmogorovSmirnov(Float64Array.from(a), Float64Array.from(b));
      expectNear(found, statistic);
      expectNear(kolmogorovSmirnovChance(found, m, n), pValue);
    },
  );

  test.each(golden.kolmogorov)("the limit at %d", (x, expected) => {
    expectNear(kolmogorovSurvival(x), expected);
  });

  test.each(golden.kolmogorovSmirnovLarge)("samples of %i and %i, %d apart, within 10 %", (m, n, statistic, exact) => {
    expectNear(kolmogorovSmirnovChance(statistic, m, n), exact, 0.1);
  });
});

describe("χ²", () => {
  test.each(golden.chiSquare)("of counts %#", ({ a, b, statistic, degrees, pValue }) => {
    const found = chiSquare(a, b);
    if (statistic === 0) expect(found.statistic).toBe(0);
    else expectNear(found.statistic, statistic);
    expect(found.degrees).toBe(degrees);
    expectNear(chiSquareSurvival(found.statistic, degrees), pValue);
  });

  test.each(golden.chiSquareSurvival)("%d with %i degrees", (x, degrees, expected) => {
    expectNear(chiSquareSurvival(x, degrees), expected);
  });
});

test("Holm's correction multiplies the smallest by all, the next by one less, and never falls", () => {
  const corrected = [0.06, 0.03, 0.06, 0.02]; // sorted: 0.005·4 = 0.02, 0.01·3 = 0.03, 0.03·2 = 0.06, 0.04·1 < 0.06
  expect(holm([0.03, 0.01, 0.04, 0.005]).map((p) => Number(p.toFixed(12)))).toEqual(corrected);
  expect(holm([0.5, 0.9])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});

describe("compareDistributions", () => {
  const digits = datasets.blobs({ count: 2000, classes: 4, features: 20, seed: 3 });

  it("finds nothing between parts of one split", async () => {
    const [, dev, testing] = digits.split({ seed: 5 });
    const comparison = await compareDistributions(dev, testing);
    expect(comparison.verdict).toBe("same");
    expect(comparison.features).toHaveLength(20);
    expect(comparison.targets.map(({ name, test }) => [name, test])).toEqual([["classes", "chiSquare"]]);
    expect(String(comparison)).toMatch(/^same distribution, as far as sets of 400 and 400 examples can tell/);
    // 21 comparisons: √(ln(42 / 0.05) · 800 / (2 · 400 · 400)) = 0.13
    expect(String(comparison)).toContain("below about 0.13 would not show");
  });

  it("errs no more often than its significance, though it compares many features", async () => {
    let different = 0;
    for (let seed = 0; seed < 200; seed++) {
      const [a, b] = datasets.linear({ count: 120, features: 10, seed }).split([0.5, 0.5], { seed });
      if ((await compareDistributions(a, b)).verdict === "different") different++;
    }
    expect(different).toBeLessThanOrEqual(10 + 3 * Math.sqrt(200 * 0.05 * 0.95)); // mean 10 at most, three deviations
  });

  it("names the feature that was shifted, and says by how much", async () => {
    const make = (seed: number, shift: number) => {
      const { inputs, targets } = datasets.linear({ count: 500, features: 3, weights: [1, 0, 1], seed });
      const values = inputs.data().map((x, i) => (i % 3 === 1 ? x + shift : x)) as Float32Array;
      return dataset(values, targets, { inputShape: [3] });
    };
    const comparison = await compareDistributions(make(1, 0), make(2, 1), { names: ["height", "age", "income"] });
    expect(comparison.verdict).toBe("different");
    expect(comparison.differing.map(({ name }) => name)).toEqual(["age"]);
    expect(comparison.targets[0]!.name).toBe("target");
    expect(String(comparison)).toMatch(/\n {2}age: D = 0\.\d+, p < 1e-15; median -?0\.\d+ in the first, \d\.\d+ in the second\n/); // prettier-ignore
  });

  it("finds classes of other shares", async () => {
    const classes = (ones: number) =>
      dataset(
        Float32Array.from({ length: 400 }, (_, i) => (i * 7) % 400),
        Int32Array.from({ length: 400 }, (_, i) => (i < ones ? 1 : 6)),
      );
    const comparison = await compareDistributions(classes(200), classes(280));
    // Both expect 240 and 160: χ² = 2 · 40²/240 + 2 · 40²/160
    expectNear(comparison.targets[0]!.statistic, 3200 / 240 + 3200 / 160);
    expect(comparison.differing.map(({ name }) => name)).toEqual(["classes"]);
    expect(String(comparison)).toContain("class 6 is 50 % of the first, 30 % of the second");
  });

  it("counts examples that are in both sets", async () => {
    const comparison = await compareDistributions(digits.take(50), digits.take(80));
    expect(comparison.shared).toBe(50);
    expect(String(comparison)).toContain("50 examples are in both sets");
    const [a, b] = digits.split([0.5, 0.5]);
    expect((await compareDistributions(a, b)).shared).toBe(0);
  });

  it("lets others have the thread", async () => {
    const wide = dataset(randomUniform([400, 3000], { seed: 1 }), new Int32Array(400));
    const [a, b] = wide.split([0.5, 0.5], { seed: 1 });
    let turns = 0;
    const others = setInterval(() => turns++, 0);
    await compareDistributions(a, b);
    clearInterval(others);
    expect(turns).toBeGreaterThan(3);
  });

  it("refuses sets of different things, and options that mean nothing", async () => {
    const other = datasets.blobs({ features: 3, seed: 1 });
    await expect(compareDistributions(digits, other)).rejects.toThrow(
      failure("ShapeError", /the sets have different inputs/),
    );
    const values = dataset(
      digits.inputs,
      Float32Array.from({ length: 2000 }, (_, i) => i),
    );
    await expect(compareDistributions(digits, values)).rejects.toThrow(failure("ShapeError", /different targets/));
    await expect(compareDistributions(digits, digits.take(0))).rejects.toThrow("at least one example");
    await expect(compareDistributions(digits, digits, { significance: 1 })).rejects.toThrow("a number between 0 and 1");
    await expect(compareDistributions(digits, digits, { names: ["a"] })).rejects.toThrow("20 names, one per feature");
    await expect(compareDistributions(digits, digits, { name: [] } as object)).rejects.toThrow('did you mean "names"?');
  });
});
