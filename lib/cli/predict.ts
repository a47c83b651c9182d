// `simdnn predict`: labels the images of IDX files with a saved model.
import { basename } from "node:path";
import type { Command } from "commander";
import { readIdx, type IdxArray } from "../data/idx.js";
import { dtypeError, shapeError } from "../errors.js";
import { loadModel, type Model } from "../index.js";
import { integer } from "./arguments.js";
import { argmaxRows } from "./confusion.js";
import { drawImage } from "./draw-image.js";
import { count, percent } from "./format.js";

interface PredictOptions {
  readonly labels: readonly string[];
  readonly limit?: number;
  readonly threads?: number;
  readonly show?: true;
  readonly json?: true;
}

interface Labelled {
  readonly file: string;
  /** `[n, height, width]` */
  readonly images: IdxArray;
  readonly predicted: Int32Array;
  /** The model's probability of each prediction. */
  readonly probabilities: Float32Array;
  /** What the images show, where a file says so. */
  readonly truth: ArrayLike<number> | undefined;
}

export function addPredictCommand(program: Command): void {
  program
    .command("predict")
    .summary("label images with a saved model")
    .description(
      "Labels the images of IDX files, MNIST's own format, gzipped or not, with a model that simdnn train has saved.",
    )
    .argument("<model>", "safetensors file with the model")
    .argument("<files...>", "IDX files of images")
    .option(
      "--labels <file>",
      "IDX file with the true labels of the images, to give the accuracy; once per file of images",
      collect,
      [],
    )
    .option("-n, --limit <n>", "label the first n images of each file only", integer(1))
    .option("-t, --threads <n>", "threads to compute with (default: all cores)", integer(1, 256))
    .option("--show", "draw each image in characters")
    .option("--json", "print JSON, and nothing else")
    .addHelpText(
      "after",
      `
Examples:
  simdnn predict mnist.safetensors t10k-images-idx3-ubyte.gz --limit 10
  simdnn predict mnist.safetensors images.idx --labels labels.idx
  simdnn predict mnist.safetensors images.idx --show --limit 3
  simdnn predict mnist.safetensors images.idx --json > labels.json`,
    )
    .action((model: string, files: string[], options: PredictOptions, command: Command) => {
      const labels = options.labels.length;
      if (labels > 0 && labels !== files.length)
        command.error(`expected --labels once per file of images, but there are ${labels} for ${files.length}`);
      return predict(model, files, options);
    });
}

function collect(file: string, files: readonly string[]): string[] {
  return [...files, file];
}

async function predict(modelFile: string, files: readonly string[], options: PredictOptions): Promise<void> {
  const model = await loadModel(modelFile);
  if (model.outputShape.length !== 1 || model.outputShape[0]! < 2)
    throw shapeError("predict", `${modelFile} is no classifier: it does not give one number per class`, [
      { label: "output", shape: model.outputShape },
    ]);
  const results: Labelled[] = [];
  for (const [i, file] of files.entries()) {
    const labelled = await labelFile(model, file, options.labels[i], options);
    results.push(labelled);
    if (!options.json) process.stdout.write(asText(labelled, options.show ?? false, files.length > 1));
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ model: modelFile, files: results.map(asJson) })}\n`);
}

async function labelFile(
  model: Model,
  file: string,
  labelsFile: string | undefined,
  { limit = Infinity, threads }: PredictOptions,
): Promise<Labelled> {
  const images = firstOf(await readIdx(file), limit);
  checkImages(model, file, images);
  const truth = labelsFile === undefined ? undefined : await readLabels(labelsFile, file, images, limit);
  if (images.shape[0] === 0)
    return { file, images, predicted: new Int32Array(), probabilities: new Float32Array(), truth };
  const output = await model.predict(images.data as Uint8Array, threads === undefined ? {} : { threads });
  const scores = output.data();
  const classes = model.outputShape[0]!;
  const predicted = argmaxRows(scores, classes);
  return {
    file,
    images,
    predicted,
    probabilities: Float32Array.from(predicted, (label, i) => scores[i * classes + label]!),
    truth,
  };
}

function firstOf({ dtype, shape, data }: IdxArray, limit: number): IdxArray {
  const [length, ...rest] = shape as [number, ...number[]];
  const kept = Math.min(length, limit);
  return { dtype, shape: [kept, ...rest], data: data.subarray(0, (data.length / length) * kept || 0) };
}

function checkImages(model: Model, file: string, { dtype, shape }: IdxArray): void {
  const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
  if (dtype !== "uint8" || shape.length < 2)
    throw dtypeError("predict", `${file}: expected images, uint8 [n, height, width]`, [
      { label: "file", dtype, shape },
    ]);
  if (size(shape.slice(1)) !== size(model.inputShape))
    throw shapeError("predict", `${file}: its images have another size than those the model was trained on`, [
      { label: "images", shape },
      { label: "model", shape: ["n" as never, ...model.inputShape] },
    ]);
}

async function readLabels(
  labelsFile: string,
  file: string,
  images: IdxArray,
  limit: number,
): Promise<ArrayLike<number>> {
  const labels = firstOf(await readIdx(labelsFile), limit);
  if (labels.shape.length !== 1 || labels.shape[0] !== images.shape[0])
    throw shapeError("predict", `${labelsFile}: expected one label per image of ${file}`, [
      { label: "labels", dtype: labels.dtype, shape: labels.shape },
      { label: "images", dtype: images.dtype, shape: images.shape },
    ]);
  return labels.data;
}

function rightOnes({ predicted, truth }: Labelled): number {
  return predicted.reduce((right, label, i) => right + (label === truth?.[i] ? 1 : 0), 0);
}

function asText(labelled: Labelled, show: boolean, heading: boolean): string {
  const { file, images, predicted, probabilities, truth } = labelled;
  const lines = heading ? [`${file}:`] : [];
  const numberWidth = String(predicted.length - 1).length;
  predicted.forEach((label, i) => {
    const mistake = truth && truth[i] !== label ? `   wrong: it is ${truth[i]}` : "";
    if (show) lines.push(...drawImage(images, i));
    lines.push(
      `${String(i).padStart(numberWidth + 2)}  label ${label}  ${percent(probabilities[i]!).padStart(8)}${mistake}`,
    );
  });
  if (truth)
    lines.push(
      `accuracy ${percent(rightOnes(labelled) / predicted.length)} (${count(rightOnes(labelled))} of ${count(predicted.length)}) on ${basename(file)}`,
    );
  return lines.map((line) => `${line}\n`).join("");
}

function asJson(labelled: Labelled) {
  const { file, predicted, probabilities, truth } = labelled;
  return {
    file,
    images: Array.from(predicted, (label, i) => ({ label, probability: probabilities[i]! })),
    ...(truth ? { accuracy: rightOnes(labelled) / predicted.length } : {}),
  };
}
