// Checks of option objects and their values, all ending in an OptionError. Defaults are the caller's business.
import { distance } from "fastest-levenshtein";
import { SimdnnError } from "./errors.js";
import { describe, isArray, isObject } from "./values.js";

export { describe, hasMethod, isArray, isFunction, isObject } from "./values.js";

/**
 * Throws an OptionError unless `options` is absent or an object with no other keys than `known`.
 *
 * @example
 * ```ts
 * checkOptions("adam", { learningrate: 1 }, ["learningRate", "beta1"]); // OptionError: adam: unknown option "learningrate"; did you mean "learningRate"?
 * ```
 */
export function checkOptions(where: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (!isObject(options)) {
    const message = `${where}: expected an object of options but received ${describe(options)}`;
    throw new SimdnnError("OptionError", message, { where, expected: "an object of options", received: options });
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw unknownOption(where, unknown, known);
}

/** checkOptions for a function whose options are not optional. */
export function requireOptions(where: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) throw wrongValue(where, "options", "an object", options);
  checkOptions(where, options, known);
}

/** `adam: unknown option "learningrate"; did you mean "learningRate"?`, or the list of options where none is near. */
export function unknownOption(where: string, option: string, known: readonly string[]): SimdnnError<"OptionError"> {
  const suggestion = nearest(option, known);
  const remedy =
    suggestion !== undefined
      ? `did you mean "${suggestion}"?`
      : known.length === 0
        ? "it takes no options"
        : `its options are ${known.join(", ")}`;
  return new SimdnnError("OptionError", `${where}: unknown option "${option}"; ${remedy}`, {
    where,
    option,
    suggestion,
  });
}

/** `dense: expected a positive integer for units but received "64" (string)` */
export function wrongValue(
  where: string,
  option: string,
  expected: string,
  received: unknown,
  suggestion?: string,
): SimdnnError<"OptionError"> {
  const hint = suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
  const message = `${where}: expected ${expected} for ${option} but received ${describe(received)}${hint}`;
  return new SimdnnError("OptionError", message, { where, option, expected, received, suggestion });
}

/** The word of `known` that `word` is probably a misspelling of; upper and lower case count as the same. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least && edits < candidate.length) [best, least] = [candidate, edits];
  }
  return best;
}

/** The options that are there: those given as undefined are left to their defaults. */
export function only<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** Checks one option's value and hands it back, typed. */
export type Check<T> = (where: string, option: string, value: unknown) => T;

/** A finite number. */
export const finiteNumber = numberCheck("a finite number", Number.isFinite);
/** A finite number > 0. */
export const positiveNumber = numberCheck("a positive number", (x) => x > 0 && x < Infinity);
/** A finite number >= 0. */
export const nonNegativeNumber = numberCheck("a number >= 0", (x) => x >= 0 && x < Infinity);
/** A safe integer >= 1. */
export const positiveInteger = numberCheck("a positive integer", (x) => Number.isSafeInteger(x) && x > 0);
/** A safe integer >= 0. */
export const nonNegativeInteger = numberCheck("an integer >= 0", (x) => Number.isSafeInteger(x) && x >= 0);
/** A number x with 0 <= x < 1, such as a dropout rate or a momentum. */
export const fraction = numberCheck("a number from 0 up to, but not including, 1", (x) => x >= 0 && x < 1);

/** A number x with 0 < x < 1, such as a level of significance. */
export const share = numberCheck("a number between 0 and 1", (x) => x > 0 && x < 1);

/** Any text. */
export const plainText: Check<string> = (where, option, value) => {
  if (typeof value !== "string") throw wrongValue(where, option, "text", value);
  return value;
};

/** `true` or `false`. */
export const bool: Check<boolean> = (where, option, value) => {
  if (typeof value !== "boolean") throw wrongValue(where, option, "true or false", value);
  return value;
};

/** Where a file is or shall be. */
export const filePath: Check<string> = (where, option, value) => {
  if (typeof value !== "string" || value === "") throw wrongValue(where, option, "a path", value);
  return value;
};

/** An array of safe integers, such as a shape or axes. */
export const integers: Check<readonly number[]> = (where, option, value) => {
  if (!isArray(value) || !value.every(Number.isSafeInteger))
    throw wrongValue(where, option, "an array of integers", value);
  return value as number[];
};

/** One of the words of `list`; a misspelt one is told its nearest. */
export function oneOf<Word extends string>(where: string, option: string, value: unknown, list: readonly Word[]): Word {
  const found = list.find((word) => word === value);
  if (found !== undefined) return found;
  const suggestion = typeof value === "string" ? nearest(value, list) : undefined;
  throw wrongValue(where, option, `one of ${list.map((word) => `"${word}"`).join(", ")}`, value, suggestion);
}

function numberCheck(expected: string, accepts: (value: number) => boolean): Check<number> {
  return (where, option, value) => {
    if (typeof value !== "number" || !accepts(value)) throw wrongValue(where, option, expected, value);
    return value;
  };
}
