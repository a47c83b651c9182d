// From the text of an option to its value, or to a message that says what was expected. The options are with their commands.
import { InvalidArgumentError } from "commander";
import { nearest } from "../options.js";

/** An integer from `least` to `most`. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return number(`an integer ${range}`, (value) => Number.isSafeInteger(value) && value >= least && value <= most);
}

/** A number > 0. */
export const positive = number("a number above 0", (value) => value > 0 && value < Infinity);

/** A number x with 0 <= x < 1. */
export const fraction = number("a number from 0 up to, but not including, 1", (value) => value >= 0 && value < 1);

/** Widths of layers, such as `512,256`; `none` for an empty list. */
export function widths(text: string): number[] {
  if (text === "none") return [];
  const list = text.split(",").map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : NaN));
  if (list.every((width) => Number.isSafeInteger(width) && width > 0)) return list;
  throw new InvalidArgumentError('Expected positive integers such as "512,256", or "none".');
}

/** One of `names`; a misspelt one is told its nearest. */
export function choice<Name extends string>(names: readonly Name[]): (text: string) => Name {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    const suggestion = nearest(text, names);
    const hint = suggestion === undefined ? "" : ` (Did you mean ${suggestion}?)`;
    throw new InvalidArgumentError(`Expected one of ${names.join(", ")}.${hint}`);
  };
}

function number(expected: string, accepts: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (accepts(value)) return value;
    throw new InvalidArgumentError(`Expected ${expected}.`);
  };
}
