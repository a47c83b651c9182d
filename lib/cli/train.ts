// `simdnn train`: its options and the run from data to saved model. What is printed about it is train-report.ts and progress.ts.
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { fileError } from "../errors.js";
import { checkWritable, replaceFile } from "../files.js";
import { keepBest, type Callback, type Logs, type Model, type PredictOptions } from "../index.js";
import { choice, fraction, integer, positive, widths } from "./arguments.js";
import { interruptedExitCode, interruptSignal } from "./interrupt.js";
import { buildNetwork, optimizerNames, type NetworkOptions } from "./network.js";
import { epochLines } from "./progress.js";
import { asJson, asText, describe, type TrainResult } from "./train-report.js";
import { loadTrainingData, type TrainingData, type TrainingDataOptions } from "./training-data.js";

interface TrainOptions extends TrainingDataOptions, NetworkOptions {
  readonly epochs?: number;
  readonly batchSize: number;
  readonly threads: number;
  readonly output: string;
  readonly report?: string;
  readonly quiet?: true;
  readonly json?: true;
  readonly profile?: true;
}

/** The built-in digits are learnt sooner, and `simdnn train` alone should not keep anybody waiting. */
const defaultEpochs = { folder: 20, digits: 10 };

export function addTrainCommand(program: Command): void {
  program
    .command("train")
    .summary("train a classifier of images, evaluate and save it")
    .description(
      "Trains a classifier of images and saves it.\n\n" +
        "Without --data it learns digits that the program draws itself. A share of the training data, called dev, is held out " +
        "to choose the best epoch; the test data is looked at once, at the end. Ctrl-C stops at the next step and saves the " +
        "best model so far.",
    )
    .option("-d, --data <folder>", "folder with MNIST's four IDX files, gzipped or not (default: built-in digits)")
    .option("--examples <n>", "number of built-in digits, a fifth of them for the test", integer(100), 20_000)
    .option("--dev <share>", "share of the training data held out to choose the best epoch; 0 for none", fraction, 0.1)
    .option(
      "-e, --epochs <n>",
      `passes over the training data (default: ${defaultEpochs.folder}, built-in digits ${defaultEpochs.digits})`,
      integer(1),
    )
    .option("-b, --batch-size <n>", "examples per step", integer(2), 128)
    .addOption(
      new Option("--hidden <widths>", 'widths of the hidden layers; "none" for a linear model')
        .argParser(widths)
        .default([512, 256], "512,256"),
    )
    .option("--dropout <rate>", "share of the hidden units that is dropped in each step", fraction, 0.2)
    .option("--optimizer <name>", `one of ${optimizerNames.join(", ")}`, choice(optimizerNames), "adam")
    .option("-l, --learning-rate <rate>", "(default: the optimizer's own, 0.001 for adam)", positive)
    .option("--seed <n>", "decides initial weights, order of examples, dropout and what is held out", integer(0), 1)
    .option(
      "-t, --threads <n>",
      "threads to compute with; results do not depend on it",
      integer(1, 256),
      availableParallelism(),
    )
    .option("-o, --output <file>", "where the model is saved, as safetensors", "simdnn-digits.safetensors")
    .option("-r, --report <file>", "write a page about the training: curves, norms of gradients, confusions, as HTML")
    .option("-q, --quiet", "print the result only")
    .option("--json", "print the result as JSON, and nothing else")
    .option("--profile", "print how long each instruction of a training step takes, and train nothing")
    .addHelpText(
      "after",
      `
Examples:
  simdnn train
  simdnn train --examples 2000 --epochs 3 --hidden 64
  simdnn train --data data/mnist --output mnist.safetensors
  simdnn train --data data/mnist --dev 0 --learning-rate 3e-4 --batch-size 64
  simdnn train --report report.html
  simdnn train --hidden none --json > linear.json
  simdnn train --profile --threads 1`,
    )
    .action(train);
}

async function train(options: TrainOptions): Promise<void> {
  const { output, report, batchSize, threads, seed } = options;
  const silent = options.quiet ?? options.json ?? false;
  if (report !== undefined && resolve(report) === resolve(output))
    throw fileError(report, "a file of its own for the report", "the model is to be saved there", "name another one");
  if (!options.profile) for (const path of [output, report]) if (path !== undefined) await checkWritable(path);
  const data = await loadTrainingData(options);
  const model = buildNetwork(data.fitting, data.classes, options);
  const epochs = options.epochs ?? (options.data === undefined ? defaultEpochs.digits : defaultEpochs.folder);
  if (!silent) process.stdout.write(describe(data, model, { ...options, epochs }));
  if (options.profile) {
    const profile = await model.profile(data.fitting, { batchSize: Math.min(batchSize, data.fitting.size), threads });
    process.stdout.write(`${options.json ? JSON.stringify(profile) : String(profile)}\n`);
    return;
  }

  const epochLogs: Logs[] = [];
  const record: Callback = { onEpochEnd: (_epoch, logs) => void epochLogs.push(logs) };
  const signal = interruptSignal();
  await unlessAborted(signal, () =>
    model.fit(data.fitting, {
      epochs,
      batchSize,
      threads,
      seed,
      signal,
      // Batch norm cannot learn from a batch of one.
      dropLast: data.fitting.size % batchSize === 1,
      ...(data.dev ? { validationData: data.dev } : {}),
      ...(report === undefined ? {} : { watch: ["activations", "gradients"] }),
      callbacks: [
        record,
        ...(data.dev ? [keepBest({ monitor: "valAccuracy" })] : []),
        ...(silent ? [] : [epochLines(process.stdout, epochs, data.dev !== undefined)]),
      ],
    }),
  );
  await model.save(output);
  const test = await unlessAborted(signal, () => testModel(model, data, { threads, signal }));

  const best = data.dev ? bestEpoch(epochLogs) : undefined;
  const result: TrainResult = { model, data, seed, epochs, epochLogs, best, test, output, report };
  if (report !== undefined) {
    const { reportPage } = await import("./report-page.js"); // loads what draws
    await replaceFile(report, [Buffer.from(reportPage(result, { ...options, epochs }))]);
  }
  process.stdout.write(options.json ? `${JSON.stringify(asJson(result))}\n` : await asText(result));
  if (signal.aborted) process.exitCode = interruptedExitCode;
}

/** What `work` resolves with, undefined when it ended because of `signal`. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!signal.aborted) throw error;
    return undefined;
  }
}

/** What keepBest chooses: the first epoch of the highest dev accuracy. */
function bestEpoch(logs: readonly Logs[]): number | undefined {
  const accuracies = logs.map(({ valAccuracy }) => valAccuracy!);
  return accuracies.length === 0 ? undefined : accuracies.indexOf(Math.max(...accuracies));
}

async function testModel(model: Model, { test }: TrainingData, options: PredictOptions): Promise<TrainResult["test"]> {
  const { loss, accuracy } = await model.evaluate(test, options);
  const confusion = await model.confusionMatrix(test, options);
  return { loss: loss!, accuracy: accuracy!, confusion };
}
