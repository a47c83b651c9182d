// A log of every curve as a CSV file.
import { readFile } from "node:fs/promises";
import { fileError } from "../errors.js";
import { checkWritable, replaceFile } from "../files.js";
import { bool, checkOptions, filePath } from "../options.js";
import type { Callback } from "./callbacks.js";

export interface CsvLogOptions {
  /** Keep the rows that are there, of a run that this one goes on with; default false. */
  readonly append?: boolean;
}

/**
 * Writes a row per epoch to a CSV file, which is whole at any time: the epoch, from 0, and every curve.
 *
 * @throws OptionError for an unknown option; FileError before the training when the file cannot be written, or when rows of other columns are there
 *
 * @example
 * ```ts
 * await model.fit(train, { epochs: 2, validationData: dev, callbacks: [csvLog("run/curves.csv")] });
 * ```
 */
export function csvLog(path: string, options: CsvLogOptions = {}): Callback {
  checkOptions("csvLog", options, ["append"]);
  filePath("csvLog", "path", path);
  const append = bool("csvLog", "append", options.append ?? false);
  let text = "";
  return {
    onTrainBegin: async () => {
      await checkWritable(path);
      text = append ? await readFile(path, "utf8").catch(() => "") : "";
    },
    onEpochEnd: async (epoch, logs) => {
      const header = row(["epoch", ...Object.keys(logs)]);
      if (text === "") text = header;
      if (!text.startsWith(header))
        throw fileError(path, `the columns ${header.trim()}`, "it has others", "write to another file");
      text += row([epoch, ...Object.values(logs)]);
      await replaceFile(path, [Buffer.from(text)]);
    },
    getState: () => ({ text }),
    setState: (state) => {
      text = state.text as string; // rows behind the checkpoint come again
    },
  };
}

function row(fields: readonly (string | number)[]): string {
  const quoted = (field: string): string => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  return `${fields.map((field) => quoted(String(field))).join()}\n`;
}
