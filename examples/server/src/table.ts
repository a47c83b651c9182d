// Rows of numbers and their targets, read from a CSV file or from JSON, made into datasets.
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { dataset, type Dataset } from "simdnn";
import { DataError } from "./errors.js";
import type { TrainingOptions } from "./options.js";

export interface Table {
  readonly columns: number;
  readonly inputs: Float32Array;
  readonly targets: readonly (string | number)[];
}

export interface Prepared {
  readonly train: Dataset;
  readonly dev: Dataset;
  /** In the order of the model's outputs; undefined for a regression. */
  readonly classes: readonly (string | number)[] | undefined;
}

/** Reads a CSV file with a header line as it streams from the disk; all columns but `target` must be numbers. */
export async function readCsv(file: string, target: string): Promise<Table> {
  const values: number[] = [];
  const targets: string[] = [];
  let columns = 0;
  const parser = parse({ columns: true, skip_empty_lines: true, trim: true });
  const rows = pipeline(createReadStream(file), parser, () => undefined); // errors of all come out of the last
  try {
    for await (const row of rows as AsyncIterable<Record<string, string>>) {
      const wanted = Object.hasOwn(row, target) ? row[target] : undefined;
      if (wanted === undefined) throw new DataError(`there is no column "${target}"`);
      const others = Object.keys(row).filter((name) => name !== target);
      columns = others.length;
      targets.push(wanted);
      for (const name of others) {
        const value = row[name] === "" ? NaN : Number(row[name]);
        if (!Number.isFinite(value))
          throw new DataError(`row ${targets.length}: "${row[name]}" in column "${name}" is no number`);
        values.push(value);
      }
    }
  } catch (error) {
    throw error instanceof CsvError ? new DataError(error.message) : error;
  }
  if (columns === 0) throw new DataError("a header line with at least two columns is needed");
  return { columns, inputs: Float32Array.from(values), targets };
}

export function tableOf(inputs: readonly (readonly number[])[], targets: readonly (string | number)[]): Table {
  const columns = inputs[0]?.length ?? 0;
  const ragged = inputs.findIndex((row) => row.length !== columns);
  if (ragged >= 0)
    throw new DataError(`inputs[${ragged}] has ${inputs[ragged]!.length} numbers, inputs[0] has ${columns}`);
  if (inputs.length !== targets.length) throw new DataError(`${inputs.length} inputs but ${targets.length} targets`);
  return { columns, inputs: Float32Array.from(inputs.flat()), targets };
}

/** Weights of the largest network: with Adam's averages and what the steps compute some 100 MB. */
const mostWeights = 5_000_000;

function checkNetwork(columns: number, hidden: string, outputs: number): void {
  const widths = [columns, ...hidden.split(",").map(Number), outputs];
  const weights = widths.slice(1).reduce((sum, width, i) => sum + (widths[i]! + 1) * width, 0);
  if (weights > mostWeights)
    throw new DataError(`a network of ${widths.join("-")} has ${weights} weights, more than ${mostWeights}`);
}

/**
 * A fifth of the examples becomes the dev set.
 * @throws DataError for data that cannot be trained on, or with a network that is too large
 */
export function prepare(
  { columns, inputs, targets }: Table,
  { task, seed, hidden }: Pick<TrainingOptions, "task" | "seed" | "hidden">,
): Prepared {
  if (targets.length < 5) throw new DataError("at least five examples are needed");
  const inputShape = [columns];
  if (task === "regression") {
    checkNetwork(columns, hidden, 1);
    const values = targets.map(Number);
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) throw new DataError(`target ${wrong}, "${targets[wrong]}", is no number`);
    const [train, dev] = dataset(inputs, Float32Array.from(values), { inputShape }).split([0.8, 0.2], { seed });
    return { train: train, dev: dev, classes: undefined };
  }
  const classes = [...new Set(targets)].sort();
  if (classes.length < 2 || classes.length > 1000)
    throw new DataError(`2 to 1000 classes are needed, there are ${classes.length}`);
  checkNetwork(columns, hidden, classes.length);
  const numbers = new Map(classes.map((name, i) => [name, i]));
  const labels = Int32Array.from(targets, (target) => numbers.get(target)!);
  const [train, dev] = dataset(inputs, labels, { inputShape }).split([0.8, 0.2], { seed });
  return { train: train, dev: dev, classes };
}
