// Examples, checked and made into arrays in turns with the event loop, and those into datasets.
import { setImmediate } from "node:timers/promises";
import { dataset, type Dataset } from "simdnn";
import { DataError } from "./errors.js";
import { Growing } from "./growing.js";
import type { Examples, TrainingOptions } from "./options.js";

export interface Example {
  readonly inputs: readonly number[];
  readonly target: string | number;
}

export interface Table {
  readonly columns: number;
  readonly inputs: Float32Array;
  /** Values, or numbers of classes. */
  readonly targets: Float32Array | Int32Array;
  /** In the order of the model's outputs; undefined for a regression. */
  readonly classes: readonly (string | number)[] | undefined;
}

/** Splitting as many takes a fifth of a second, in one go. */
const mostExamples = 1_000_000;
const mostClasses = 1000;

export function* rowsOf({ inputs, targets }: Examples): Generator<Example> {
  if (inputs.length !== targets.length) throw new DataError(`${inputs.length} inputs but ${targets.length} targets`);
  for (const [i, row] of inputs.entries()) yield { inputs: row, target: targets[i]! };
}

/** @throws DataError for data that cannot be trained on, or with a network that is too large */
export async function tableOf(
  rows: Iterable<Example> | AsyncIterable<Example>,
  { task, hidden }: Pick<TrainingOptions, "task" | "hidden">,
): Promise<Table> {
  const inputs = new Growing(Float32Array);
  const values = new Growing(Float32Array);
  const labels = new Growing(Int32Array);
  const numbers = new Map<string | number, number>();
  let columns: number | undefined;
  let count = 0;
  let begun = performance.now();
  for await (const row of rows) {
    columns ??= row.inputs.length;
    if (row.inputs.length !== columns)
      throw new DataError(`example ${count} has ${row.inputs.length} numbers, the first one has ${columns}`);
    if (++count > mostExamples) throw new DataError(`there are more than ${mostExamples} examples`);
    for (const value of row.inputs) inputs.add(finite(value, count, "a number"));
    if (task === "regression") values.add(finite(Number(row.target), count, "the target"));
    else {
      if (!numbers.has(row.target)) numbers.set(row.target, numbers.size);
      if (numbers.size > mostClasses) throw new DataError(`there are more than ${mostClasses} classes`);
      labels.add(numbers.get(row.target)!);
    }
    if (performance.now() - begun < 1) continue;
    await setImmediate();
    begun = performance.now();
  }
  if (columns === undefined || count < 5) throw new DataError("at least five examples are needed");
  if (task === "regression") {
    checkNetwork(columns, hidden, 1);
    return { columns, inputs: inputs.array, targets: values.array, classes: undefined };
  }
  if (numbers.size < 2) throw new DataError("at least two classes are needed");
  checkNetwork(columns, hidden, numbers.size);
  const classes = [...numbers.keys()].sort();
  const places = new Int32Array(classes.length);
  classes.forEach((name, place) => (places[numbers.get(name)!] = place));
  return { columns, inputs: inputs.array, targets: labels.array.map((label) => places[label]!), classes };
}

/** As the float32 that it becomes. */
function finite(value: number, example: number, what: string): number {
  if (!Number.isFinite(Math.fround(value))) throw new DataError(`${what} of example ${example} is no float32 number`);
  return value;
}

/** Weights of the largest network: with Adam's averages and what the steps compute some 100 MB. */
const mostWeights = 5_000_000;

function checkNetwork(columns: number, hidden: string, outputs: number): void {
  const widths = [columns, ...hidden.split(",").map(Number), outputs];
  const weights = widths.slice(1).reduce((sum, width, i) => sum + (widths[i]! + 1) * width, 0);
  if (weights > mostWeights)
    throw new DataError(`a network of ${widths.join("-")} has ${weights} weights, more than ${mostWeights}`);
}

/** A fifth of the examples becomes the dev set. */
export async function split(
  { columns, inputs, targets }: Table,
  seed: number,
): Promise<[train: Dataset, dev: Dataset]> {
  const all = dataset(inputs, targets, { inputShape: [columns] });
  await setImmediate();
  const parts = all.split([0.8, 0.2], { seed });
  await setImmediate();
  return parts;
}
