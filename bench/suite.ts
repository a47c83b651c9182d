// What a suite of benchmarks is given and gives. No suite in particular.
import { distance } from "fastest-levenshtein";
import type { Sampler } from "./timing.js";

/** One measured figure; the JSON file holds these. */
export interface Row {
  readonly suite: string;
  readonly case: string;
  /** "simdnn", or a peer and its version. */
  readonly contender: string;
  readonly threads: number;
  readonly value: number;
  readonly unit: string;
  /** How far the result is from what it should be, or for `step` the loss reached; null where there is none. */
  readonly residual: number | null;
}

export interface Settings {
  readonly threads: number | undefined;
  /** Names of the cases to run; all of them when absent. */
  readonly cases: readonly string[] | undefined;
  readonly shapes: string | undefined;
  /** Names of the peers to run beside, or "all". */
  readonly peers?: string | undefined;
}

export interface Suite {
  readonly about: string;
  readonly run: (settings: Settings) => Promise<Row[]>;
}

/** A case made ready: what to time, and its residual as in `Row`. */
export interface Prepared {
  readonly sample: Sampler;
  readonly residual: number;
}

/** What peers/ needs of a suite to run it with other contenders. */
export interface Contest<Case extends { readonly name: string }> {
  readonly unit: string;
  /** Seconds that a contender samples before it is the next one's turn. */
  readonly turn: number;
  readonly cases: (settings: Settings) => readonly Case[];
  readonly prepare: (one: Case, threads: number) => Promise<Prepared>;
  /** The figure that seconds per sample stand for. */
  readonly value: (one: Case, seconds: number) => number;
  /** Whether a contender with this residual computed the same as we with ours. */
  readonly agrees: (one: Case, residual: number, ours: number) => boolean;
}

/** What the user got wrong: shown without a stack. */
export class UsageError extends Error {}

/** The entries of `all` that `names` names, in its order. */
export function select<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[] | undefined,
): readonly T[] {
  return names === undefined ? all : names.map((name) => pick(all, name, "case"));
}

export function pick<T extends { readonly name: string }>(all: readonly T[], name: string, kind: string): T {
  const found = all.find((entry) => entry.name === name);
  if (found) return found;
  const nearest = all.map((entry) => entry.name).sort((a, b) => distance(a, name) - distance(b, name))[0];
  throw new UsageError(
    `unknown ${kind} "${name}"; did you mean "${nearest}"? There are ${all.map((entry) => entry.name).join(", ")}`,
  );
}
