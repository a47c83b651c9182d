// The drawn digits: repeatable to the byte, varied, inside their frame, and harder for a linear classifier than they look.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { digitSize, drawDigits } from "#lib/data/digits.js";

const pixels = digitSize * digitSize;
const drawn = drawDigits({ count: 3000, seed: 7 });
const image = (i: number): Uint8Array => drawn.images.subarray(i * pixels, (i + 1) * pixels);

describe("drawDigits", () => {
  test("gives the same bytes for the same seed, today and tomorrow", () => {
    const { images, labels } = drawDigits({ count: 200, seed: 1 });
    const hash = createHash("sha256").update(images).update(Uint8Array.from(labels)).digest("hex");
    expect(hash).toBe("61e80ef7b13c37e0de2e86cc634c2b13b464e1a4043277f01a4c162018ffb1e0");
    expect(drawDigits({ count: 200, seed: 2 }).images).not.toEqual(images);
  });

  test("image i depends on nothing but the seed and i", () => {
    const part = drawDigits({ count: 5, seed: 7, first: 20 });
    expect(part.labels).toEqual(drawn.labels.slice(20, 25));
    expect(part.images).toEqual(drawn.images.slice(20 * pixels, 25 * pixels));
  });

  test("without a seed it reports the one it drew", () => {
    const { images, seed } = drawDigits({ count: 3 });
    expect(drawDigits({ count: 3, seed }).images).toEqual(images);
    expect(drawDigits({ count: 3 }).seed).not.toBe(seed);
  });

  test("shows every digit about equally often", () => {
    const counts = new Array<number>(10).fill(0);
    for (const label of drawn.labels) counts[label]!++;
    for (const count of counts) expect(Math.abs(count - 300)).toBeLessThan(5 * Math.sqrt(300 * 0.9));
  });

  test("every image has ink, mostly paper, and none is drawn twice", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 3000; i++) {
      const dark = image(i).filter((value) => value > 128).length;
      expect(dark).toBeGreaterThan(10);
      expect(dark).toBeLessThan(pixels / 2);
      seen.add(Buffer.from(image(i)).toString("base64"));
    }
    expect(seen.size).toBe(3000);
  });

  test("strokes stay inside the frame but for a few", () => {
    const edge = Array.from({ length: digitSize }, (_, k) => [
      k,
      pixels - 1 - k,
      k * digitSize,
      k * digitSize + digitSize - 1,
    ]).flat();
    let cut = 0;
    for (let i = 0; i < 3000; i++) if (edge.some((at) => image(i)[at]! > 128)) cut++;
    expect(cut).toBeLessThan(3000 * 0.1);
  });

  test("the nearest mean image is far from enough to read them, and far better than chance", () => {
    const means = Array.from({ length: 10 }, () => new Float64Array(pixels));
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 2000; i++) {
      const label = drawn.labels[i]!;
      counts[label]!++;
      image(i).forEach((value, at) => (means[label]![at]! += value));
    }
    means.forEach((sum, label) => sum.forEach((value, at) => (sum[at] = value / counts[label]!)));
    let right = 0;
    for (let i = 2000; i < 2500; i++) {
      const distances = means.map((mean) => mean.reduce((sum, value, at) => sum + (value - image(i)[at]!) ** 2, 0));
      if (distances.indexOf(Math.min(...distances)) === drawn.labels[i]) right++;
    }
    expect(right).toBeGreaterThan(250);
    expect(right).toBeLessThan(425);
  });

  test("none at all", () => {
    expect(drawDigits({ count: 0, seed: 1 })).toEqual({
      images: new Uint8Array(0),
      labels: new Int32Array(0),
      seed: 1,
    });
  });

  test.each<[unknown, string]>([
    [{ count: -1 }, "drawDigits: expected an integer >= 0 for count but received -1 (number)"],
    [{ count: 1, first: 0.5 }, "drawDigits: expected an integer >= 0 for first but received 0.5 (number)"],
    [{ count: 1, seed: "a" }, 'drawDigits: expected an integer >= 0 for seed but received "a" (string)'],
    [{ count: 1, sead: 1 }, 'drawDigits: unknown option "sead"; did you mean "seed"?'],
  ])("refuses %j", (options, message) => {
    expect(() => drawDigits(options as { count: number })).toThrow(
      expect.objectContaining({ code: "OptionError", message }),
    );
  });
});
