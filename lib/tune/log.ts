// The log of a search: a file of JSON lines that grows with every trial, and from which a search goes on. Knows nothing of how trials are run.
import { isDeepStrictEqual } from "node:util";
import { fileError, type SimdnnError } from "../errors.js";
import type { Json } from "../layers/layer.js";
import { LineFile } from "../line-file.js";
import type { TrialResult } from "./trial.js";

/** What a search is: everything that decides which trials there are, and what their scores mean. */
export type SearchHeader = Readonly<Record<string, Json>>;

/** What an earlier search left. */
export interface Logged<Config> {
  readonly header: SearchHeader;
  /** Trials that ended by themselves. */
  readonly ended: ReadonlyMap<number, TrialResult<Config>>;
  /** How often each trial was begun. */
  readonly attempts: ReadonlyMap<number, number>;
}

// The first line of a file; then one when a trial begins, and one when it ends.
type Line = { readonly search: SearchHeader } | { readonly begin: number } | { readonly trial: TrialResult<unknown> };

export class SearchLog {
  private constructor(private readonly file: LineFile) {}

  /**
   * Starts the log of the search `header`, or takes up the one that is there.
   *
   * @param mayDiffer - what of `header` need not be as it is in the file
   * @throws FileError when the file cannot be written, is damaged, is the log of another search, or is being written by one
   */
  static async open<Config>(
    path: string,
    header: SearchHeader,
    mayDiffer: readonly string[],
  ): Promise<{ log: SearchLog; logged: Logged<Config> }> {
    const { file, lines, rest } = await LineFile.open(path);
    const log = new SearchLog(file);
    const first = JSON.stringify({ search: header } satisfies Line);
    try {
      if (lines.length === 0 && !first.startsWith(rest.slice(0, 10))) throw noLog(path, 1);
      const logged = read<Config>(path, lines.length === 0 ? [first] : lines);
      compare(path, logged.header, (JSON.parse(first) as { search: SearchHeader }).search, mayDiffer);
      if (lines.length === 0) await file.append(first);
      return { log, logged };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  begin(index: number): Promise<void> {
    return this.append({ begin: index });
  }

  end(result: TrialResult<unknown>): Promise<void> {
    return this.append({ trial: result });
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private append(line: Line): Promise<void> {
    return this.file.append(JSON.stringify(line));
  }
}

function read<Config>(path: string, lines: readonly string[]): Logged<Config> {
  const ended = new Map<number, TrialResult<Config>>();
  const attempts = new Map<number, number>();
  let header: SearchHeader | undefined;
  for (const [i, text] of lines.entries()) {
    const line = parsed(text);
    if (isRecord(line?.search) && i === 0) header = line.search as SearchHeader;
    else if (header && typeof line?.begin === "number") attempts.set(line.begin, (attempts.get(line.begin) ?? 0) + 1);
    else if (header && line && isTrial(line.trial)) {
      const trial = line.trial as TrialResult<Config>;
      // JSON has no NaN: null stands for a trial without a score.
      if (trial.status !== "aborted")
        ended.set(trial.index, { ...trial, score: trial.score ?? NaN, error: trial.error });
    } else throw noLog(path, i + 1);
  }
  return { header: header!, ended, attempts };
}

function noLog(path: string, line: number): SimdnnError<"FileError"> {
  return fileError(path, "the log of a search, a JSON object per line", `line ${line} is none`, "log to another file");
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTrial(value: unknown): boolean {
  return (
    isRecord(value) &&
    Number.isInteger(value.index) &&
    ["done", "stopped", "failed", "aborted"].includes(value.status as string) &&
    (value.score === null || typeof value.score === "number") &&
    Array.isArray(value.reports)
  );
}

function compare(path: string, found: SearchHeader, wanted: SearchHeader, mayDiffer: readonly string[]): void {
  for (const key of new Set([...Object.keys(found), ...Object.keys(wanted)])) {
    if (mayDiffer.includes(key) || isDeepStrictEqual(found[key], wanted[key])) continue;
    const [there, here] = isRecord(found[key]) && isRecord(wanted[key]) ? difference(found[key], wanted[key]) : [found[key], wanted[key]]; // prettier-ignore
    throw fileError(
      path,
      `the log of this search, whose ${key} is ${text(here)}`,
      `it is of one whose ${key} is ${text(there)}`,
      "log to another file, or go on with the old search",
    );
  }
}

/** The entries in which two records differ. */
function difference(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): [object, object] {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !isDeepStrictEqual(a[key], b[key]));
  const only = (record: Readonly<Record<string, unknown>>): object =>
    Object.fromEntries(keys.flatMap((key) => (key in record ? [[key, record[key]]] : [])));
  return [only(a), only(b)];
}

function text(value: unknown): string {
  return value === undefined ? "not given" : JSON.stringify(value);
}
