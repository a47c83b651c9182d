// What the plots of a training take: curves by name, checked, and the options they share.
import { checkOptions, isArray, isObject, oneOf, plainText, wrongValue } from "../options.js";

/** One number per epoch or iteration, by name. */
export type Curves = Readonly<Record<string, readonly number[]>>;

/** Curves, or what `fit` resolves with. */
export type CurvesInput = Curves | { readonly curves: Curves };

export interface CurveOptions {
  /** Heading of the picture. */
  readonly title?: string;
  /** What the values are counted by. Default: "epoch". */
  readonly per?: "epoch" | "iteration";
  /** Default: logarithmic where all values are positive and spread over more than two powers of ten. */
  readonly scale?: "linear" | "log";
}

/** The curves of `input` that have values. */
export function curvesOf(
  where: string,
  input: CurvesInput,
): readonly (readonly [name: string, values: readonly number[]])[] {
  const record: unknown = isHistory(input) ? input.curves : input;
  if (!isRecord(record))
    throw wrongValue(where, "curves", "curves by name, or the history that fit() resolves with,", input);
  const entries = Object.entries(record);
  for (const [name, values] of entries)
    if (!isArray(values) || !values.every((value) => typeof value === "number"))
      throw wrongValue(where, name, "an array of numbers", values);
  const filled = entries.filter(([, values]) => values.length > 0);
  if (filled.length === 0) throw wrongValue(where, "curves", "at least one curve with a value", record);
  return filled;
}

const isRecord = (value: unknown): value is Curves => isObject(value);

/** Whether `input` is what fit() resolves with. */
export const isHistory = (input: CurvesInput): input is { readonly curves: Curves } =>
  isRecord(input) && isRecord(input.curves);

/** @throws OptionError for an option that is none of CurveOptions or `more` */
export function checkCurveOptions(where: string, options: CurveOptions, more: readonly string[] = []): void {
  checkOptions(where, options, ["title", "per", "scale", ...more]);
  const { title, per, scale } = options;
  if (title !== undefined) plainText(where, "title", title);
  if (per !== undefined) oneOf(where, "per", per, ["epoch", "iteration"]);
  if (scale !== undefined) oneOf(where, "scale", scale, ["linear", "log"]);
}

/** `valMeanAbsoluteError` → `val mean absolute error` */
export const words = (name: string): string =>
  name.replace(/([a-z\d])([A-Z])(?=[a-z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);

export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
