// Initializers: formulas to the bit, moments, bounds, orthogonality, seeds, and what their options refuse.
import { describe, expect, test } from "vitest";
import * as initializers from "#lib/initializers.js";
import { resolveInitializer, type GainOptions, type Initializer, type InitializerName } from "#lib/initializers.js";
import { randomStream } from "#lib/random.js";
import { Tape, withTape } from "#lib/tape.js";
import type { Shape } from "#lib/tensor.js";
import { failure } from "./failure.js";

const { constant, heNormal, normal, ones, orthogonal, uniform, zeros } = initializers;

function values(initializer: Initializer, shape: Shape, seed = 1): number[] {
  return [...initializer.make({ shape, dtype: "float32" }, seed).data()];
}

const mean = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length;
const deviation = (list: readonly number[], center = mean(list)): number =>
  Math.sqrt(mean(list.map((x) => (x - center) ** 2)));

test("constants", () => {
  expect(values(zeros(), [2, 2])).toEqual([0, 0, 0, 0]);
  expect(values(ones(), [3])).toEqual([1, 1, 1]);
  expect(values(constant(-2.5), [])).toEqual([-2.5]);
});

describe("random values", () => {
  const shape = [200, 300]; // 60000 values: the mean is off by 0.0041 deviations, the deviation by 0.29 %, on the average

  test("normal has the moments asked for, and tails", () => {
    const list = values(normal({ mean: 3, deviation: 0.5 }), shape);
    expect(Math.abs(mean(list) - 3)).toBeLessThan(5 * 0.0041 * 0.5);
    expect(Math.abs(deviation(list) / 0.5 - 1)).toBeLessThan(5 * 0.0029);
    expect(Math.max(...list)).toBeGreaterThan(3 + 3.5 * 0.5);
  });

  test("uniform fills its range and stays in it", () => {
    const list = values(uniform({ low: -1, high: 3 }), shape);
    expect(Math.min(...list)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...list)).toBeLessThan(3);
    expect(Math.min(...list)).toBeLessThan(-0.999);
    expect(Math.max(...list)).toBeGreaterThan(2.999);
    expect(Math.abs(mean(list) - 1)).toBeLessThan(5 * 0.0041 * (4 / Math.sqrt(12)));
    expect(Math.abs(deviation(list) / (4 / Math.sqrt(12)) - 1)).toBeLessThan(5 * 0.0029);
  });

  test("are the numbers of the seed's stream", () => {
    const stream = randomStream(5);
    const expected = Array.from({ length: 70 }, () => stream.uniform());
    values(uniform({ low: 0, high: 1 }), [7, 10], 5).forEach((value, i) => expect(value).toBe(expected[i]));
  });

  test("one seed, one set of bits; another seed, another", () => {
    for (const initializer of [normal(), uniform(), heNormal(), orthogonal()]) {
      expect(values(initializer, [9, 7], 3)).toEqual(values(initializer, [9, 7], 3));
      expect(values(initializer, [9, 7], 4)).not.toEqual(values(initializer, [9, 7], 3));
    }
  });

  test("are there at once, and not on the tape, while something is being captured", () => {
    const tape = new Tape();
    const inside = withTape(tape, () =>
      heNormal()
        .make({ shape: [4, 5], dtype: "float32" }, 1)
        .data(),
    );
    expect([...inside]).toEqual(values(heNormal(), [4, 5]));
    expect(tape.entries).toEqual([]);
  });

  test("in float64 are not float32 numbers", () => {
    const made = normal().make({ shape: [5, 5], dtype: "float64" }, 1);
    expect(made.dtype).toBe("float64");
    expect([...made.data()].some((value) => value !== Math.fround(value))).toBe(true);
  });
});

describe("scaled to the layer", () => {
  type Scaled = "lecun" | "glorot" | "he";
  // By shape: fan in and fan out are the last two dimensions, times all others; one dimension is both.
  const variances: [Scaled, Shape, number][] = [
    ["lecun", [50, 20], 1 / 50],
    ["glorot", [50, 20], 2 / 70],
    ["he", [50, 20], 2 / 50],
    ["lecun", [3, 3, 4, 8], 1 / 36],
    ["glorot", [3, 3, 4, 8], 2 / (36 + 72)],
    ["he", [7], 2 / 7],
    ["glorot", [], 1],
  ];

  test.each(variances)("%s %j", (name, shape, variance) => {
    const bound = Math.sqrt(3 * variance);
    for (const gain of [1, 1.7]) {
      const [scaledNormal, scaledUniform] = [initializers[`${name}Normal`], initializers[`${name}Uniform`]] as ((
        options: GainOptions,
      ) => Initializer)[];
      expect(values(scaledNormal!({ gain }), shape)).toEqual(
        values(normal({ deviation: gain * Math.sqrt(variance) }), shape),
      );
      expect(values(scaledUniform!({ gain }), shape)).toEqual(
        values(uniform({ low: -gain * bound, high: gain * bound }), shape),
      );
    }
  });
});

describe("orthogonal", () => {
  /** Products of all pairs of columns, or of rows where those are fewer. */
  function gram(matrix: readonly number[], rows: number, columns: number): number[][] {
    const line = (i: number): number[] =>
      rows >= columns
        ? Array.from({ length: rows }, (_, r) => matrix[r * columns + i]!)
        : matrix.slice(i * columns, (i + 1) * columns);
    const lines = Array.from({ length: Math.min(rows, columns) }, (_, i) => line(i));
    return lines.map((a) => lines.map((b) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)));
  }

  test.each([
    [[8, 8], 8, 8],
    [[40, 15], 40, 15],
    [[15, 40], 15, 40],
    [[70, 50], 70, 50],
    [[3, 2, 4], 6, 4],
    [[1, 5], 1, 5],
    [[5], 1, 5],
  ])("%j has lines of length gain at right angles", (shape, rows, columns) => {
    for (const gain of [1, 0.5]) {
      gram(values(orthogonal({ gain }), shape), rows, columns).forEach((row, i) =>
        row.forEach((product, j) => expect(Math.abs(product - (i === j ? gain ** 2 : 0))).toBeLessThan(1e-6)),
      );
    }
  });

  test("prefers neither sign", () => {
    const corners = Array.from({ length: 200 }, (_, seed) => values(orthogonal(), [3, 3], seed));
    for (let i = 0; i < 9; i++) {
      const positive = corners.filter((matrix) => matrix[i]! > 0).length;
      expect(positive).toBeGreaterThan(60); // 100 ± 7.1 of 200
      expect(positive).toBeLessThan(140);
    }
  });

  test("of no values", () => {
    expect(values(orthogonal(), [0, 4])).toEqual([]);
  });
});

describe("options", () => {
  test("a name, an initializer and its description mean the same", () => {
    const described = JSON.parse(JSON.stringify(heNormal({ gain: 2 }))) as Initializer;
    expect(described).toEqual({ type: "heNormal", options: { gain: 2 } });
    expect(values(resolveInitializer("dense", "weightInitializer", described), [3, 3])).toEqual(
      values(heNormal({ gain: 2 }), [3, 3]),
    );
    expect(values(resolveInitializer("dense", "weightInitializer", "heNormal"), [3, 3])).toEqual(
      values(heNormal(), [3, 3]),
    );
    expect(resolveInitializer("dense", "biasInitializer", { type: "constant", options: { value: 3 } }).options).toEqual(
      { value: 3 },
    );
    const mine: Initializer = { type: "mine", options: {}, make: (spec, seed) => ones().make(spec, seed) };
    expect(resolveInitializer("dense", "weightInitializer", mine)).toBe(mine);
  });

  test.each([
    [() => normal({ std: 1 } as object), 'normal: unknown option "std"; its options are mean, deviation'],
    [() => heNormal({ gain: -1 }), "heNormal: expected a number >= 0 for gain but received -1 (number)"],
    [
      () => uniform({ low: 1, high: 0 }),
      "uniform: expected a number >= low, which is 1, for high but received 0 (number)",
    ],
    [() => constant(NaN), "constant: expected a finite number for value but received NaN (number)"],
    [
      () => resolveInitializer("dense", "weightInitializer", "henormal" as InitializerName),
      /^dense: expected one of "zeros", .*did you mean "heNormal"\?$/,
    ],
    [
      () => resolveInitializer("dense", "weightInitializer", null as never),
      /^dense: expected one of "zeros", .* for weightInitializer but received null$/,
    ],
  ])("refuses %#", (make, message) => {
    expect(make).toThrow(failure("OptionError", message));
  });
});
