// Bias and variance: the table that everyone learns, gaps at their bounds, and what is refused.
import { describe, expect, test } from "vitest";
import { biasVariance, type BiasVarianceOptions, type BiasVarianceVerdict } from "simdnn";
import { failure } from "../failure.js";

const cases: [trainError: number, devError: number, baseline: number, verdict: BiasVarianceVerdict, remedy: string][] =
  [
    [0.01, 0.11, 0, "high variance", "more data"],
    [0.15, 0.16, 0, "high bias", "a bigger network"],
    [0.15, 0.3, 0, "both", "first the bias"],
    [0.005, 0.01, 0, "fine", "nothing"],
    [0.15, 0.16, 0.15, "fine", "nothing"], // blurred images: not even people do better
    [0.15, 0.3, 0.15, "high variance", "more data"],
    [0.1, 0.11, 0.14, "fine", "nothing"], // better than the baseline
    [0.2, 0.15, 0, "high bias", "a bigger network"], // the dev set is easier
  ];

describe("verdicts", () => {
  test.each(cases)("train %f, dev %f, baseline %f: %s", (trainError, devError, baseline, verdict, remedy) => {
    const report = biasVariance({ trainError, devError, baseline });
    expect(report).toMatchObject({ trainError, devError, baseline, tolerance: 0.02, verdict });
    expect(report.avoidableBias).toBeCloseTo(trainError - baseline, 15);
    expect(report.variance).toBeCloseTo(devError - trainError, 15);
    expect(report.recipe[0]).toContain(remedy);
    const said = verdict === "both" ? "high bias and high variance" : verdict;
    expect(String(report).split("\n")[0]).toBe(`bias and variance: ${said}`);
  });
});

test("a gap is high where it exceeds the tolerance", () => {
  const verdict = (options: Partial<BiasVarianceOptions>) =>
    biasVariance({ trainError: 0.25, devError: 0.5, ...options }).verdict;
  expect(verdict({ tolerance: 0.25 })).toBe("fine");
  expect(verdict({ tolerance: 0.24 })).toBe("both");
  expect(verdict({ tolerance: 0.125, baseline: 0.125 })).toBe("high variance");
  expect(biasVariance({ trainError: 30, devError: 31, baseline: 5, tolerance: 2 }).verdict).toBe("high bias");
});

test("the report shows the sums", () => {
  expect(String(biasVariance({ trainError: 0.01, devError: 0.11, baseline: 0.002 })).split("\n")).toEqual([
    "bias and variance: high variance",
    "train error 0.01 - baseline 0.002 = avoidable bias 0.008",
    "dev error 0.11 - train error 0.01 = variance 0.1",
    "(up to 0.02 is fine)",
    "- more data, or augmentation of what there is",
    "- regularization: l2, dropout, early stopping",
    "- another architecture",
  ]);
});

test("wrong use", () => {
  const refused = (options: object | undefined, text: RegExp): void =>
    expect(() => biasVariance(options as BiasVarianceOptions)).toThrow(failure("OptionError", text));
  refused(undefined, /an object with trainError and devError/);
  refused({ trainError: 0.1 }, /a number >= 0 for devError/);
  refused({ trainError: -0.1, devError: 0.1 }, /a number >= 0 for trainError/);
  refused({ trainError: 0.1, devError: NaN }, /devError but received NaN/);
  refused({ trainError: 0.1, devError: 0.1, baselin: 0 }, /unknown option "baselin"; did you mean "baseline"\?/);
  refused({ trainError: 15, devError: 16 }, /for tolerance but received undefined/);
});
