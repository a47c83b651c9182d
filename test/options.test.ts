// Option checks: what they accept, what they refuse, and the words they refuse it with.
import { describe, expect, test } from "vitest";
import {
  bool,
  checkOptions,
  finiteNumber,
  fraction,
  nearest,
  nonNegativeInteger,
  nonNegativeNumber,
  oneOf,
  positiveInteger,
  positiveNumber,
  type Check,
} from "#lib/options.js";

describe("checkOptions", () => {
  const known = ["learningRate", "beta1", "beta2"];

  test("accepts none, some and all", () => {
    checkOptions("adam", undefined, known);
    checkOptions("adam", {}, known);
    checkOptions("adam", { beta1: 1, beta2: undefined, learningRate: 3 }, known);
  });

  test.each([
    [{ learningrate: 1 }, 'adam: unknown option "learningrate"; did you mean "learningRate"?'],
    [{ beta1: 1, lerningRate: 1 }, 'adam: unknown option "lerningRate"; did you mean "learningRate"?'],
    [{ zzz: 1 }, 'adam: unknown option "zzz"; its options are learningRate, beta1, beta2'],
    [{ ["__proto__"]: 1 }, 'adam: unknown option "__proto__"; its options are learningRate, beta1, beta2'],
  ])("%j", (options, message) => {
    expect(() => checkOptions("adam", options, known)).toThrow(
      expect.objectContaining({ code: "OptionError", message }),
    );
  });

  test("says so when there are no options at all", () => {
    expect(() => checkOptions("relu", { slope: 1 }, [])).toThrow('relu: unknown option "slope"; it takes no options');
  });

  test.each([
    [0.1, "0.1 (number)"],
    ["adam", '"adam" (string)'],
    [[1], "[ 1 ] (array)"],
    [null, "null"],
  ])("refuses %j", (value, text) => {
    expect(() => checkOptions("adam", value, known)).toThrow(
      `adam: expected an object of options but received ${text}`,
    );
  });
});

describe("values", () => {
  const cases: [string, Check<unknown>, readonly unknown[], readonly unknown[]][] = [
    ["finiteNumber", finiteNumber, [0, -1.5, 1e308], [NaN, Infinity, -Infinity, "1", null, undefined, 1n]],
    ["positiveNumber", positiveNumber, [5e-324, 1], [0, -0, -1, NaN, Infinity, "1"]],
    ["nonNegativeNumber", nonNegativeNumber, [0, 0.5], [-1e-9, NaN, Infinity, true]],
    ["positiveInteger", positiveInteger, [1, 2 ** 53 - 1], [0, -1, 1.5, 2 ** 53, NaN, Infinity, "64", [64]]],
    ["nonNegativeInteger", nonNegativeInteger, [0, 7], [-1, 0.5, 2 ** 53, "0"]],
    ["fraction", fraction, [0, 0.999], [1, -0.1, NaN, "0.5"]],
    ["bool", bool, [true, false], [0, 1, "true", undefined, null]],
  ];
  test.each(cases)("%s", (_, check, good, bad) => {
    for (const value of good) expect(check("f", "x", value)).toBe(value);
    for (const value of bad)
      expect(() => check("f", "x", value)).toThrow(expect.objectContaining({ code: "OptionError" }));
  });

  test("texts and fields", () => {
    expect(() => positiveInteger("dense", "units", "64")).toThrow(
      expect.objectContaining({
        message: 'dense: expected a positive integer for units but received "64" (string)',
        details: {
          where: "dense",
          option: "units",
          expected: "a positive integer",
          received: "64",
          suggestion: undefined,
        },
      }),
    );
    expect(() => positiveInteger("dense", "units", undefined)).toThrow(
      "dense: expected a positive integer for units but received undefined",
    );
    expect(() => positiveInteger("dense", "units", "x".repeat(1000))).toThrow(/^.{0,140}$/);
    expect(() => positiveInteger("dense", "units", new Float32Array(1000))).toThrow(/^.{0,140}$/);
  });

  test("oneOf", () => {
    const list = ["softmaxCrossEntropy", "meanSquaredError"] as const;
    expect(oneOf("compile", "loss", "meanSquaredError", list)).toBe("meanSquaredError");
    expect(() => oneOf("compile", "loss", "softmaxcrossentropy", list)).toThrow(
      'compile: expected one of "softmaxCrossEntropy", "meanSquaredError" for loss but received "softmaxcrossentropy" (string); did you mean "softmaxCrossEntropy"?',
    );
    expect(() => oneOf("compile", "loss", 3, list)).toThrow(/received 3 \(number\)$/);
  });
});

test("nearest: near words only, and the nearest of them", () => {
  expect(nearest("epoch", ["epochs", "patience"])).toBe("epochs");
  expect(nearest("batchsize", ["batches", "batchSize"])).toBe("batchSize");
  expect(nearest("bias", ["units", "seed"])).toBeUndefined();
  expect(nearest("a", ["b", "c"])).toBeUndefined();
  expect(nearest("x", [])).toBeUndefined();
});
