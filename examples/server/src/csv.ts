// Reads examples from a CSV file as it streams from the disk. What becomes of them is table.ts.
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { DataError } from "./errors.js";
import { mostColumns } from "./options.js";
import type { Example } from "./table.js";

/** The event loop waits while one is parsed, about a millisecond. */
const chunk = 16 << 10;
/** Characters of a row, some hundred for each of as many columns as there may be. */
const longest = 1 << 20;

/**
 * The rows below the header line; all columns but `target` must be numbers.
 * @throws DataError
 */
export async function* readCsv(file: string, target: string): AsyncGenerator<Example> {
  const parser = parse({ skip_empty_lines: true, trim: true, bom: true, max_record_size: longest });
  // Errors of all come out of the last.
  const rows = pipeline(createReadStream(file, { highWaterMark: chunk }), parser, () => undefined);
  let names: readonly string[] | undefined;
  let at = -1;
  try {
    for await (const row of rows as AsyncIterable<string[]>) {
      if (!names) {
        names = row;
        at = placeOf(target, names);
        continue;
      }
      const inputs: number[] = [];
      for (let i = 0; i < row.length; i++) {
        if (i === at) continue;
        const value = row[i] === "" ? NaN : Number(row[i]);
        if (!Number.isFinite(value)) throw new DataError(`"${row[i]}" in column "${names[i]}" is no number`);
        inputs.push(value);
      }
      yield { inputs, target: row[at]! };
    }
  } catch (error) {
    throw error instanceof CsvError ? new DataError(error.message) : error;
  }
}

function placeOf(target: string, names: readonly string[]): number {
  if (names.length < 2 || names.length > mostColumns + 1)
    throw new DataError(`a header line with 2 to ${mostColumns + 1} columns is needed, there are ${names.length}`);
  const at = names.indexOf(target);
  if (at < 0) throw new DataError(`there is no column "${target}"`);
  if (names.includes(target, at + 1)) throw new DataError(`there are two columns "${target}"`);
  return at;
}
