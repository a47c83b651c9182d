// The generated data sets against their formulas, evaluated here anew, and against the statistics that these imply.
import { describe, expect, it, test } from "vitest";
import { datasets, type Dataset } from "simdnn";
import { failure } from "../failure.js";

interface Example {
  readonly x: readonly number[];
  readonly label: number;
}

function examples({ inputs, targets, size }: Dataset): Example[] {
  const [values, labels] = [inputs.data(), targets.data()];
  const width = inputs.shape[1]!;
  return Array.from({ length: size }, (_, i) => ({
    x: Array.from(values.slice(i * width, (i + 1) * width)),
    label: labels[i]!,
  }));
}

const ofClass = (data: Dataset, label: number): (readonly number[])[] =>
  examples(data).filter((example) => example.label === label).map(({ x }) => x); // prettier-ignore

const mean = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length;
const variance = (list: readonly number[]): number => mean(list.map((x) => (x - mean(list)) ** 2));

/** The same points, whatever their order. */
function expectPoints(found: readonly (readonly number[])[], wanted: readonly (readonly number[])[]): void {
  expect(found).toHaveLength(wanted.length);
  for (const [x, y] of wanted) {
    const least = Math.min(...found.map(([u, v]) => Math.hypot(u! - x!, v! - y!)));
    expect(least).toBeLessThan(1e-6);
  }
}

const makers = {
  circles: (count: number, seed?: number) =>
    datasets.circles({ count, noise: 0.1, ...(seed !== undefined && { seed }) }),
  moons: (count: number, seed?: number) => datasets.moons({ count, noise: 0.1, ...(seed !== undefined && { seed }) }),
  spirals: (count: number, seed?: number) =>
    datasets.spirals({ count, noise: 0.1, ...(seed !== undefined && { seed }) }),
  blobs: (count: number, seed?: number) => datasets.blobs({ count, ...(seed !== undefined && { seed }) }),
  linear: (count: number, seed?: number) => datasets.linear({ count, noise: 0.1, ...(seed !== undefined && { seed }) }),
};

describe.each(Object.entries(makers))("datasets.%s", (_name, make) => {
  it("repeats itself for the same seed only, and draws one where none is given", () => {
    const values = (data: Dataset): unknown => [data.inputs.data(), data.targets.data()];
    expect(values(make(40, 5))).toEqual(values(make(40, 5)));
    expect(values(make(40, 5))).not.toEqual(values(make(40, 6)));
    expect(values(make(40))).not.toEqual(values(make(40)));
  });

  it("makes float32 inputs [n, features] and one target per example", () => {
    const { inputs, targets } = make(33, 1);
    expect([inputs.dtype, inputs.rank, inputs.shape[0], targets.shape]).toEqual(["float32", 2, 33, [33]]);
  });
});

describe("classes", () => {
  test.each([
    ["circles", datasets.circles({ count: 101, seed: 1 }), [51, 50]],
    ["moons", datasets.moons({ count: 101, seed: 1 }), [51, 50]],
    ["spirals", datasets.spirals({ count: 101, classes: 3, seed: 1 }), [34, 34, 33]],
    ["blobs", datasets.blobs({ count: 101, seed: 1 }), [34, 34, 33]],
  ] as const)("%s are int32, of equal share, and mixed", (_name, data, sizes) => {
    expect(data.targets.dtype).toBe("int32");
    expect(sizes.map((_, label) => ofClass(data, label).length)).toEqual(sizes);
    const sorted = data.targets.data().slice().sort();
    expect(data.targets.data()).not.toEqual(sorted);
  });
});

describe("formulas without noise", () => {
  it("circles: radius 1 around radius `factor`, at even angles", () => {
    const data = datasets.circles({ count: 16, factor: 0.3, seed: 1 });
    const ring = (radius: number) =>
      Array.from({ length: 8 }, (_, i) => [radius * Math.cos((i * Math.PI) / 4), radius * Math.sin((i * Math.PI) / 4)]);
    expectPoints(ofClass(data, 0), ring(1));
    expectPoints(ofClass(data, 1), ring(0.3));
  });

  // sklearn.datasets.make_moons(n_samples=6, shuffle=False) of version 1.9.1
  it("moons: as scikit-learn's", () => {
    const data = datasets.moons({ count: 6, seed: 1 });
    expectPoints(ofClass(data, 0), [[1, 0], [0, 1], [-1, 0]]); // prettier-ignore
    expectPoints(ofClass(data, 1), [[0, 0.5], [1, -0.5], [2, 0.5]]); // prettier-ignore
  });

  it("spirals: arms of radius 1/n … 1 over the given turns", () => {
    const data = datasets.spirals({ count: 8, classes: 2, turns: 0.5, seed: 1 });
    const h = Math.SQRT1_2;
    const arm = [[0.25 * h, 0.25 * h], [0, 0.5], [-0.75 * h, 0.75 * h], [-1, 0]]; // prettier-ignore
    expectPoints(ofClass(data, 0), arm);
    expectPoints(ofClass(data, 1), arm.map(([x, y]) => [-x!, -y!])); // prettier-ignore
  });

  it("blobs: the centres themselves where the deviation is 0", () => {
    const data = datasets.blobs({ count: 6, centers: [[1, 2, 3], [-4, 5, -6]], deviation: 0, seed: 1 }); // prettier-ignore
    expect(ofClass(data, 0)).toEqual([[1, 2, 3], [1, 2, 3], [1, 2, 3]]); // prettier-ignore
    expect(ofClass(data, 1)).toEqual([[-4, 5, -6], [-4, 5, -6], [-4, 5, -6]]); // prettier-ignore
  });

  it("linear: w·x + bias", () => {
    const { inputs, targets } = datasets.linear({ count: 20, weights: [2, -0.5, 4], bias: -3, seed: 1 });
    const [x, y] = [inputs.data(), targets.data()];
    for (let i = 0; i < 20; i++)
      expect(y[i]).toBeCloseTo(2 * x[3 * i]! - 0.5 * x[3 * i + 1]! + 4 * x[3 * i + 2]! - 3, 5);
  });
});

// Bounds are five standard errors: of a mean √(σ²/n), of a variance √(2/n) σ².
describe("noise", () => {
  const n = 20_000;

  function expectNormal(values: readonly number[], middle: number, deviation: number): void {
    expect(Math.abs(mean(values) - middle)).toBeLessThan((5 * deviation) / Math.sqrt(values.length));
    expect(Math.abs(variance(values) - deviation ** 2)).toBeLessThan(5 * deviation ** 2 * Math.sqrt(2 / values.length));
    const within = values.filter((x) => Math.abs(x - middle) < deviation).length / values.length;
    expect(Math.abs(within - 0.6827)).toBeLessThan(5 * Math.sqrt((0.6827 * 0.3173) / values.length));
  }

  it("has the given deviation, independently in each coordinate", () => {
    // Radius 0 leaves nothing but the noise.
    const inner = ofClass(datasets.circles({ count: 2 * n, factor: 0, noise: 0.2, seed: 4 }), 1);
    const [x, y] = [inner.map(([first]) => first!), inner.map(([, second]) => second!)];
    expectNormal(x, 0, 0.2);
    expectNormal(y, 0, 0.2);
    const correlation = mean(x.map((value, i) => value * y[i]!)) / 0.04;
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(n));
  });

  it("moves moons and spirals alike", () => {
    for (const make of [datasets.moons, datasets.spirals]) {
      const clean = make({ count: n, seed: 4 }).inputs.data();
      const noisy = make({ count: n, seed: 4, noise: 0.3 }).inputs.data();
      expectNormal(Array.from(noisy, (value, i) => value - clean[i]!), 0, 0.3); // prettier-ignore
    }
  });

  it("spreads blobs around their centres, each by its own deviation", () => {
    const data = datasets.blobs({ count: 2 * n, centers: [[3, -2], [0, 7]], deviation: [0.5, 2], seed: 9 }); // prettier-ignore
    for (const [label, [a, b], deviation] of [
      [0, [3, -2], 0.5],
      [1, [0, 7], 2],
    ] as const) {
      const members = ofClass(data, label);
      expectNormal(members.map(([x]) => x!), a, deviation); // prettier-ignore
      expectNormal(members.map(([, y]) => y!), b, deviation); // prettier-ignore
    }
  });

  it("is what a line leaves over, with features from the standard normal distribution", () => {
    const { inputs, targets } = datasets.linear({ count: n, weights: [1.5], bias: 2, noise: 0.7, seed: 2 });
    const x = Array.from(inputs.data());
    expectNormal(x, 0, 1);
    expectNormal(Array.from(targets.data(), (y, i) => y - 1.5 * x[i]! - 2), 0, 0.7); // prettier-ignore
  });
});

describe("blobs", () => {
  it("draws centres evenly from the box, whatever the number of examples", () => {
    const centers = (count: number) => {
      const data = datasets.blobs({ count, classes: 400, features: 5, deviation: 0, centerBox: [-1, 3], seed: 8 });
      return Array.from({ length: 400 }, (_, label) => ofClass(data, label)[0]!);
    };
    const drawn = centers(400);
    expect(centers(800)).toEqual(drawn);
    const all = drawn.flat();
    expect(Math.min(...all)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...all)).toBeLessThan(3);
    expect(Math.abs(mean(all) - 1)).toBeLessThan(5 * Math.sqrt(16 / 12 / all.length));
    expect(Math.abs(variance(all) - 16 / 12)).toBeLessThan(0.12); // standard error √(4/5 σ⁴ / n) = 0.027
  });
});

describe("linear", () => {
  it("draws weights that least squares finds again", () => {
    const { inputs, targets } = datasets.linear({ count: 30, features: 1, seed: 12 });
    const [x, y] = [inputs.data(), targets.data()];
    const slopes = Array.from(x, (value, i) => y[i]! / value);
    for (const slope of slopes) expect(slope).toBeCloseTo(slopes[0]!, 4);
    expect(Math.abs(slopes[0]!)).toBeGreaterThan(1e-3);
  });
});

test.each([
  ["an unknown option", () => datasets.circles({ nois: 1 } as object), 'datasets.circles: unknown option "nois"; did you mean "noise"?'],
  ["negative noise", () => datasets.moons({ noise: -1 }), "datasets.moons: expected a number >= 0 for noise but received -1 (number)"],
  ["a factor of 1", () => datasets.circles({ factor: 1 }), "datasets.circles: expected a number from 0 up to, but not including, 1 for factor but received 1 (number)"],
  ["fewer examples than classes", () => datasets.blobs({ count: 2 }), "datasets.blobs: expected at least 3, one example of each class, for count but received 2 (number)"],
  ["no class", () => datasets.spirals({ classes: 0 }), "datasets.spirals: expected a positive integer for classes but received 0 (number)"],
  ["a box upside down", () => datasets.blobs({ centerBox: [1, 0] }), "datasets.blobs: expected a low and a high number for centerBox but received [ 1, 0 ] (array)"],
  ["deviations for other classes", () => datasets.blobs({ deviation: [1, 2] }), "datasets.blobs: expected one number, or 3, one per class, for deviation but received [ 1, 2 ] (array)"],
  ["classes beside centers", () => datasets.blobs({ centers: [[0]], classes: 2 }), "datasets.blobs: expected 1, the number of centers, for classes but received 2 (number)"],
  ["features beside centers", () => datasets.blobs({ centers: [[0]], features: 2 }), "datasets.blobs: expected 1, the length of the centers, for features but received 2 (number)"],
  ["centres that are no numbers", () => datasets.blobs({ centers: [[NaN]] }), "datasets.blobs: expected a finite number for centers but received NaN (number)"],
  ["no centres", () => datasets.blobs({ centers: [] }), "datasets.blobs: expected a list of points such as [[0, 0], [5, 5]] for centers but received [] (array)"],
  ["weights beside features", () => datasets.linear({ features: 3, weights: [1] }), "datasets.linear: expected 3 numbers, one per feature, for weights but received [ 1 ] (array)"],
  ["a bias of infinity", () => datasets.linear({ bias: Infinity }), "datasets.linear: expected a finite number for bias but received Infinity (number)"],
] as const)("refuses %s", (_what, make, message) => {
  expect(make).toThrow(failure("OptionError", message));
}); // prettier-ignore

test("refuses centres of unequal length", () => {
  expect(() => datasets.blobs({ centers: [[0, 1], [2]] })).toThrow(
    failure("ShapeError", "datasets.blobs: expected centers of one length but received 2, 1"),
  );
});
