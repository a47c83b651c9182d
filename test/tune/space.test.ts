// Search spaces: the values at given coordinates by hand, how often they are drawn, and what is refused.
import { describe, expect, expectTypeOf, test } from "vitest";
import { space, tune, type Dimension } from "simdnn";
import { failure } from "../failure.js";

const at = <T>(dimension: Dimension<T>, ...coordinates: number[]): T => dimension.at(coordinates);

describe("values by hand", () => {
  test.each<[string, Dimension<number>, readonly (readonly [u: number, value: number])[]]>([
    ["linear", space.linear(-1, 3), [[0, -1], [0.25, 0], [1, 3]]],
    ["log", space.log(1e-4, 1e-2), [[0, 1e-4], [0.5, 1e-3], [1, 1e-2]]],
    ["oneMinus", space.oneMinus(0.9, 0.999), [[0, 0.9], [0.5, 0.99], [1, 0.999]]],
    ["integer", space.integer(2, 4), [[0, 2], [0.33, 2], [0.34, 3], [0.99, 4], [1, 4]]],
    // 1 to 7 on a scale of three doublings: [1, 2) → 1, [2, 4) → 2 and 3, [4, 8) → 4 to 7
    ["logInteger", space.logInteger(1, 7), [[0, 1], [0.33, 1], [0.34, 2], [0.66, 3], [0.67, 4], [0.999, 7], [1, 7]]],
    ["choice", space.choice([16, 64]), [[0, 16], [0.49, 16], [0.5, 64], [1, 64]]],
  ])("%s", (_, dimension, points) => {
    for (const [u, value] of points) expect(at(dimension, u)).toBeCloseTo(value, 12);
  }); // prettier-ignore

  test("boolean", () => {
    expect([at(space.boolean(), 0.2), at(space.boolean(), 0.7)]).toEqual([false, true]);
  });

  test("list: first its length, then one coordinate for each value there may be", () => {
    const units = space.list(space.integer(1, 3), space.logInteger(1, 7));
    expect(units.axes.length).toBe(4);
    expect(at(units, 0.1, 0, 1, 0)).toEqual([1]);
    expect(at(units, 0.5, 0, 1, 0)).toEqual([1, 7]);
    expect(at(units, 0.9, 0, 1, 0.5)).toEqual([1, 7, 2]);
    expect(units.active!([0.5, 0, 1, 0])).toBe(3);
    const nested = space.list(space.integer(0, 2), space.list(space.integer(1, 2), space.boolean()));
    expect(at(nested, 0.9, 0.9, 0.1, 0.9, 0.1, 0.9, 0.9)).toEqual([[false, true], [true]]);
    expect(at(nested, 0, 0, 0, 0, 0, 0, 0)).toEqual([]);
  });
});

test("scales are drawn as they say", async () => {
  const result = await tune(
    { rate: space.log(1e-4, 1), beta: space.oneMinus(0.9, 0.999), units: space.logInteger(1, 7), kind: space.choice("abcd".split("")) }, // prettier-ignore
    () => 0,
    { trials: 2000, seed: 1 },
  );
  const share = (test: (config: (typeof result)["trials"][number]["config"]) => boolean): number =>
    result.trials.filter(({ config }) => test(config)).length / 2000;
  // Each is a binomial share of 2000 draws: four deviations √(p(1-p)/2000) are at most 0.045.
  expect(share(({ rate }) => rate < 1e-3)).toBeCloseTo(0.25, 1);
  expect(share(({ rate }) => rate >= 0.1)).toBeCloseTo(0.25, 1);
  expect(share(({ beta }) => beta < 0.99)).toBeCloseTo(0.5, 1);
  expect(share(({ units }) => units >= 4)).toBeCloseTo(1 / 3, 1);
  expect(share(({ kind }) => kind === "c")).toBeCloseTo(0.25, 1);
});

test("the type of a configuration follows from its space", async () => {
  const mixed = {
    rate: space.log(1e-4, 1),
    units: space.list(space.integer(1, 3), space.logInteger(8, 64)),
    kind: space.choice(["relu", "tanh"]),
    size: space.choice([32, 64]),
    norm: space.boolean(),
  };
  const { best } = await tune(mixed, ({ kind }) => (kind === "relu" ? 0 : 1), { trials: 1 });
  expectTypeOf(best.config).toEqualTypeOf<{
    readonly rate: number;
    readonly units: readonly number[];
    readonly kind: "relu" | "tanh";
    readonly size: 32 | 64;
    readonly norm: boolean;
  }>();
});

describe("wrong use", () => {
  test.each<[() => unknown, RegExp]>([
    [() => space.log(0, 1), /^space\.log: expected a number above 0, since a log scale has no 0, for low but received 0/],
    [() => space.linear(2, 1), /^space\.linear: expected a number above low, which is 2, for high but received 1/],
    [() => space.linear(1, 1), /above low, which is 1, for high/],
    [() => space.linear(NaN, 1), /a finite number for low but received NaN/],
    [() => space.linear("0" as unknown as number, 1), /a finite number for low but received "0"/],
    [() => space.oneMinus(0.9, 1), /a number below 1, since a log scale of 1 - β has no 0, for high but received 1/],
    [() => space.integer(1, 2.5), /an integer for high but received 2.5/],
    [() => space.logInteger(0, 8), /^space\.logInteger: expected an integer above 0/],
    [() => space.choice([]), /at least one value for values/],
    [() => space.choice("ab" as unknown as string[]), /an array of at least one value for values but received "ab"/],
    [() => space.choice([1, 2, 1]), /each value once for values but received 1/],
    [() => space.choice([() => 1] as unknown as string[]), /values that JSON can hold, such as names, for values/],
    [() => space.choice([NaN]), /values that JSON can hold/],
    [() => space.list(space.linear(1, 3), space.boolean()), /^space\.list: expected a dimension of integers >= 0/],
    [() => space.list(3 as unknown as Dimension<number>, space.boolean()), /a dimension such as .* for length but received 3/],
    [() => space.list(space.integer(-1, 3), space.boolean()), /a dimension of integers >= 0/],
  ])("%s", (make, message) => {
    expect(make).toThrow(failure("OptionError", message));
  }); // prettier-ignore
});
