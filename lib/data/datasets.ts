// Data sets by name: where the readers and generators of this folder become Datasets.
import { access } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileError, shapeError } from "../errors.js";
import { bool, checkOptions, positiveInteger, wrongValue } from "../options.js";
import { resolveSeed } from "../random.js";
import { tensor } from "../tensor.js";
import { dataset, type Dataset } from "./dataset.js";
import { digitSize, drawDigits } from "./digits.js";
import { blobs, circles, linear, moons, spirals } from "./generators.js";
import { readIdx } from "./idx.js";

const digitsAtOnce = 100; // some 5 ms of drawing

export interface IdxOptions {
  /** Make each image one row of pixels (default) instead of `[height, width]`. */
  readonly flatten?: boolean;
}

const mnistFiles = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
] as const;

/**
 * MNIST, or anything else in its four files: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-…`, `t10k-labels-…`,
 * each gzipped (`.gz`) or not. Pixels stay uint8; they become float32 as batches are gathered.
 *
 * @throws FileError when a file is missing or damaged, ShapeError when images and labels differ in number
 *
 * @example
 * ```ts
 * const { train, test } = await datasets.idx("data/mnist");
 * ```
 */
async function idx(folder: string, options: IdxOptions = {}): Promise<{ train: Dataset; test: Dataset }> {
  checkOptions("datasets.idx", options, ["flatten"]);
  const { flatten = true } = options;
  bool("datasets.idx", "flatten", flatten);
  if (typeof folder !== "string") throw wrongValue("datasets.idx", "folder", "a path", folder);
  const part = async (imagesPath: string, labelsPath: string): Promise<Dataset> => {
    const [images, labels] = await Promise.all([readIdx(imagesPath), readIdx(labelsPath)]);
    if (images.dtype !== "uint8" || images.shape.length < 2 || labels.dtype !== "uint8" || labels.shape.length !== 1)
      throw shapeError("datasets.idx", `${folder}: expected images uint8 [n, height, width] and labels uint8 [n]`, [
        { label: "images", dtype: images.dtype, shape: images.shape },
        { label: "labels", dtype: labels.dtype, shape: labels.shape },
      ]);
    const [count, ...size] = images.shape as [number, ...number[]];
    const shape = flatten ? [count, size.reduce((a, b) => a * b, 1)] : images.shape;
    return dataset(tensor(images.data as Uint8Array, { shape, name: "images" }), Int32Array.from(labels.data));
  };
  // One after the other, so that of several missing files it is always the first that is named.
  const paths: string[] = [];
  for (const name of mnistFiles) paths.push(await find(folder, name));
  const [trainImages, trainLabels, testImages, testLabels] = paths as [string, string, string, string];
  const [train, test] = await Promise.all([part(trainImages, trainLabels), part(testImages, testLabels)]);
  return { train, test };
}

async function find(folder: string, name: string): Promise<string> {
  for (const file of [name, `${name}.gz`]) {
    const path = join(folder, file);
    if (await access(path).then(() => true, () => false)) return path; // prettier-ignore
  }
  throw fileError(
    join(folder, name),
    "MNIST's files, gzipped or not",
    "neither it nor its .gz exists",
    "give the folder that holds all four files",
  );
}

export interface DrawnDigitsOptions {
  /** How many images. Default: 10,000. */
  readonly count?: number;
  /** The same seed draws the same images. Default: a random one. */
  readonly seed?: number;
}

/**
 * Handwritten-looking digits, drawn by the program: images `[count, 784]` uint8 with their class numbers.
 *
 * @example
 * ```ts
 * const digits = await datasets.digits({ count: 10_000, seed: 1 });
 * const [train, test] = digits.split([0.8, 0.2], { stratify: true, seed: 1 });
 * ```
 */
async function digits(options: DrawnDigitsOptions = {}): Promise<Dataset> {
  checkOptions("datasets.digits", options, ["count", "seed"]);
  const count = positiveInteger("datasets.digits", "count", options.count ?? 10_000);
  const seed = resolveSeed("datasets.digits", options.seed);
  const images = new Uint8Array(count * digitSize ** 2);
  const labels = new Int32Array(count);
  for (let first = 0; first < count; first += digitsAtOnce) {
    const part = drawDigits({ count: Math.min(digitsAtOnce, count - first), seed, first });
    images.set(part.images, first * digitSize ** 2);
    labels.set(part.labels, first);
    await setImmediate(); // others may want this thread
  }
  return dataset(tensor(images, { shape: [count, digitSize ** 2], name: "images" }), labels);
}

export const datasets = { idx, digits, circles, moons, blobs, spirals, linear } as const;
