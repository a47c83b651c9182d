// Philox against its authors' known answers, the draw order against the kernels' layout, and the distributions.
import { describe, expect, test } from "vitest";
import { deriveSeed, philox, randomStream, resolveSeed, shuffling } from "#lib/random.js";

const block = (...words: [number, number, number, number, number, number]): Uint32Array => {
  const out = new Uint32Array(4);
  philox(out, 0, ...words);
  return out;
};

describe("philox4x32-10", () => {
  // Random123's tests/kat_vectors
  test.each([
    [
      [0, 0, 0, 0, 0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] satisfies [Parameters<typeof block>, number[]][])("known answer %#", (input, expected) => {
    expect([...block(...input)]).toEqual(expected);
  });
});

describe("randomStream", () => {
  test("draw i is the word that the native layout gives element i", () => {
    const seed = 5 * 2 ** 32 + 123;
    const random = randomStream(seed, 7);
    for (let i = 0; i < 200; i++) {
      const group = Math.floor(i / 64), rest = i % 64; // prettier-ignore
      const words = block(group * 16 + (rest % 16), 0, 0, 7, 123, 5);
      expect(random.uint32()).toBe(words[Math.floor(rest / 16)]);
    }
  });

  test("normal is Box–Muller on the word and its partner in stream + 2^31", () => {
    const random = randomStream(9, 2);
    for (let i = 0; i < 130; i++) {
      const at = Math.floor(i / 64) * 16 + (i % 16), word = Math.floor((i % 64) / 16); // prettier-ignore
      const u1 = ((block(at, 0, 0, 2, 9, 0)[word]! >>> 8) + 1) / 2 ** 24;
      const u2 = (block(at, 0, 0, 0x80000002, 9, 0)[word]! >>> 8) / 2 ** 24;
      expect(random.normal()).toBe(Math.sqrt(-2 * Math.log(u1)) * Math.cos(2 * Math.PI * u2));
    }
  });

  test("normals keep their partner when other draws come between", () => {
    const [mixed, plain] = [randomStream(3), randomStream(3)];
    const normals = Array.from({ length: 200 }, () => plain.normal());
    for (let i = 0; i < 200; i++) {
      if (i % 3 === 0) mixed.uint32();
      else expect(mixed.normal()).toBe(normals[i]);
    }
  });

  test("same seed and stream, same numbers; else others", () => {
    const draw = (seed: number, stream?: number): number[] => {
      const random = randomStream(seed, stream);
      return Array.from({ length: 8 }, () => random.uint32());
    };
    expect(draw(1)).toEqual(draw(1, 0));
    expect(new Set([draw(1), draw(2), draw(1, 1), draw(1 + 2 ** 32), draw(1, 2)].map(String)).size).toBe(5);
  });

  test("without a seed it draws one and reports it", () => {
    const [a, b] = [randomStream(), randomStream()];
    expect(a.seed).not.toBe(b.seed);
    expect(randomStream(a.seed).uint32()).toBe(a.uint32());
  });

  test.each([-1, 0.5, 2 ** 53, NaN, "1"])("refuses the seed %s", (seed) => {
    expect(() => randomStream(seed as number)).toThrow(expect.objectContaining({ code: "OptionError" }));
    expect(() => resolveSeed("split", seed as number)).toThrow(/^split: expected an integer >= 0 for seed/);
  });

  test.each([-1, 0.5, 2 ** 31, NaN])("refuses the stream %s", (stream) => {
    expect(() => randomStream(0, stream)).toThrow(expect.objectContaining({ code: "OptionError" }));
  });
});

describe("distributions", () => {
  const n = 100_000;

  test("uniform: in [0, 1), exact in float32, mean 1/2, variance 1/12", () => {
    const random = randomStream(1);
    const values = Array.from({ length: n }, () => random.uniform());
    expect(values.every((u) => u >= 0 && u < 1 && Math.fround(u) === u)).toBe(true);
    expect(mean(values)).toBeCloseTo(0.5, 2);
    expect(mean(values.map((u) => (u - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
  });

  test("normal: the first four moments", () => {
    const random = randomStream(2);
    const values = Array.from({ length: n }, () => random.normal());
    const moments = [1, 2, 3, 4].map((power) => mean(values.map((x) => x ** power)));
    // five standard errors of each moment
    for (const [k, [expected, deviation]] of [
      [0, 1],
      [1, Math.SQRT2],
      [0, Math.sqrt(15)],
      [3, Math.sqrt(96)],
    ].entries()) {
      expect(Math.abs(moments[k]! - expected!)).toBeLessThan((5 * deviation!) / Math.sqrt(n));
    }
  });

  test("integer: every value equally often, also where 2^32 is no multiple of n", () => {
    const random = randomStream(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < n; i++) counts[random.integer(7)]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - n / 7) ** 2 / (n / 7), 0);
    expect(chiSquare).toBeLessThan(27.9); // p = 0.0001 at 6 degrees of freedom

    let low = 0;
    const big = 3 * 2 ** 30; // a plain remainder would give values below 2^30 half of the time instead of a third
    for (let i = 0; i < n; i++) if (random.integer(big) < 2 ** 30) low++;
    expect(Math.abs(low / n - 1 / 3)).toBeLessThan(0.01);
    expect(random.integer(1)).toBe(0);
    expect(random.integer(2 ** 32)).toBeLessThan(2 ** 32);
  });

  test.each([0, -1, 1.5, 2 ** 32 + 1, NaN])("integer refuses %s", (bad) => {
    expect(() => randomStream(0).integer(bad)).toThrow(expect.objectContaining({ code: "OptionError" }));
  });

  test("permutation: holds every index once, every order of three equally often", () => {
    const random = randomStream(4);
    expect([...random.permutation(1000)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(random.permutation(0).length).toBe(0);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random.permutation(3).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test("a shuffle that pauses makes the same order", () => {
    const [whole, paused] = [randomStream(5).permutation(1000), Int32Array.from({ length: 1000 }, (_, i) => i)];
    let pauses = 0;
    for (const work = shuffling(randomStream(5), paused, 64); !work.next().done;) pauses++;
    expect(paused).toEqual(whole);
    expect(pauses).toBe(15);
  });

  test("shuffle works in place on arrays of any kind", () => {
    const words = ["a", "b", "c", "d", "e", "f", "g", "h"];
    expect(randomStream(5).shuffle(words)).toBe(words);
    expect([...words].sort()).toEqual(["a", "b", "c", "d", "e", "f", "g", "h"]);
    expect(words.join("")).not.toBe("abcdefgh");
    expect([...randomStream(5).shuffle(new Float32Array([1, 2, 3]))].sort()).toEqual([1, 2, 3]);
  });
});

describe("deriveSeed", () => {
  test("gives safe, distinct, repeatable seeds", () => {
    const seeds = [0, 1, 2 ** 40].flatMap((seed) => Array.from({ length: 100 }, (_, i) => deriveSeed(seed, i)));
    expect(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
    expect(new Set(seeds).size).toBe(300);
    expect(deriveSeed(1, 5)).toBe(seeds[105]);
    expect(seeds.some((seed) => seed > 2 ** 52)).toBe(true);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
