import { expect, test } from "vitest";
import { exponentialAverage } from "simdnn";
import { failure } from "./failure.js";

// The temperatures of London that a well-known course averages.
const days = [40, 49, 45, 44];

test("v = βv + (1 - β)θ", () => {
  const average = exponentialAverage({ beta: 0.9, correctBias: false });
  expect(average.value).toBe(0);
  const expected = [4, 8.5, 12.15, 15.335];
  days.forEach((day, i) => expect(average.update(day)).toBeCloseTo(expected[i]!, 12));
});

test("corrected, it is the weighted mean of what there was", () => {
  const average = exponentialAverage();
  expect(average.value).toBeNaN();
  days.forEach((day, t) => {
    const weights = days.slice(0, t + 1).map((_, i) => 0.9 ** (t - i));
    const mean = weights.reduce((sum, w, i) => sum + w * days[i]!, 0) / weights.reduce((sum, w) => sum + w);
    expect(average.update(day)).toBeCloseTo(mean, 12);
  });
  expect(exponentialAverage({ beta: 0 }).update(3)).toBe(3);
});

test("refuses what is no share", () => {
  expect(() => exponentialAverage({ beta: 1 })).toThrow(failure("OptionError", /for beta but received 1/));
  expect(() => exponentialAverage({ bias: true } as never)).toThrow(failure("OptionError", /unknown option "bias"/));
});
