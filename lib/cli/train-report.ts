// What `simdnn train` says: before the training, and its result as text or JSON. The lines in between are progress.ts.
import { stat } from "node:fs/promises";
import type { Logs, Model } from "../index.js";
import { info } from "../native.js";
import { drawConfusion, type Confusion } from "./confusion.js";
import { bytes, count, counted, loss, percent } from "./format.js";
import { describeWidths, type NetworkOptions } from "./network.js";
import type { TrainingData } from "./training-data.js";

export interface TrainResult {
  readonly model: Model;
  readonly data: TrainingData;
  readonly seed: number;
  /** Epochs asked for. */
  readonly epochs: number;
  /** Losses and accuracies of each whole epoch. */
  readonly epochLogs: readonly Logs[];
  /** The epoch whose weights were kept, from 0; undefined when there was no dev epoch to choose from. */
  readonly best: number | undefined;
  /** Undefined after an interrupt. */
  readonly test: { readonly loss: number; readonly accuracy: number; readonly confusion: Confusion } | undefined;
  readonly output: string;
  /** The page about it, undefined where none was asked for. */
  readonly report: string | undefined;
}

/** What was asked for, and the defaults of the rest. */
export interface Settings extends NetworkOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly threads: number;
}

/** What is about to be trained. */
export function describe(data: TrainingData, model: Model, options: Settings): string {
  const { name, fitting, dev, test, classes } = data;
  const { hidden, dropout, epochs, batchSize, seed, threads } = options;
  const parts = hidden.length === 0 ? "linear" : `batch norm, ReLU, dropout ${dropout}`;
  return [
    `data      ${name}`,
    `examples  ${count(fitting.size)} to fit, ${count(dev?.size ?? 0)} dev, ${count(test.size)} test; ${classes} classes`,
    `network   ${describeWidths(model, hidden)}, ${parts}; ${count(model.parameterCount)} parameters`,
    `training  ${model.optimizer.name}, learning rate ${model.optimizer.learningRate.item()}, batch ${batchSize}, ${counted(epochs, "epoch")}, seed ${seed}`,
    `machine   ${info.isa}, ${counted(threads, "thread")}`,
    "\n",
  ].join("\n");
}

/** The result for people. */
export async function asText({ data, epochs, epochLogs, best, test, output, report }: TrainResult): Promise<string> {
  const lines = [""];
  if (!test) lines.push(`stopped   after ${epochLogs.length} of ${counted(epochs, "epoch")}`);
  if (best !== undefined)
    lines.push(`kept      epoch ${best + 1}, the best on dev: accuracy ${percent(epochLogs[best]!.valAccuracy!)}`);
  else if (!test) lines.push("kept      the weights of the last step");
  if (test) {
    const right = test.confusion.reduce((sum, counts, label) => sum + counts[label]!, 0);
    lines.push(
      `test      loss ${loss(test.loss)}, accuracy ${percent(test.accuracy)} (${count(right)} of ${count(data.test.size)})`,
    );
    lines.push("", drawConfusion(test.confusion, process.stdout.columns ?? 80), "");
  }
  lines.push(`saved     ${output} (${bytes((await stat(output)).size)})`);
  if (report !== undefined) lines.push(`report    ${report}`);
  return `${lines.join("\n")}\n`;
}

/** The result for programs. */
export function asJson({ model, data, seed, epochLogs, best, test, output, report }: TrainResult) {
  return {
    data: {
      name: data.name,
      fit: data.fitting.size,
      dev: data.dev?.size ?? 0,
      test: data.test.size,
      classes: data.classes,
    },
    parameters: model.parameterCount,
    seed,
    epochs: epochLogs,
    best: best === undefined ? null : best + 1,
    interrupted: test === undefined,
    test: test ?? null,
    output,
    report: report ?? null,
  };
}
