// What `simdnn train` learns from: a folder of IDX files or built-in digits, and how they are divided.
import { shapeError } from "../errors.js";
import { datasets, type Dataset } from "../index.js";

export interface TrainingDataOptions {
  /** Folder with MNIST's four files; built-in digits when absent. */
  readonly data?: string;
  /** Number of built-in digits. */
  readonly examples: number;
  /** Share of the training data that is held out. */
  readonly dev: number;
  readonly seed: number;
}

export interface TrainingData {
  readonly name: string;
  /** What the weights are fitted to. */
  readonly fitting: Dataset;
  /** What chooses between epochs; undefined when nothing is held out for it. */
  readonly dev: Dataset | undefined;
  /** What no decision is made by. */
  readonly test: Dataset;
  readonly classes: number;
}

// Always the same digits: a seed that changed data and weights at once would say nothing about either.
const digitsSeed = 1;
const testShare = 0.2;

/**
 * @throws FileError for a folder without the files, or with damaged ones; ShapeError when its training and test images differ in size;
 *   OptionError when there are too few examples to divide
 */
export async function loadTrainingData(options: TrainingDataOptions): Promise<TrainingData> {
  const { data: folder, dev: devShare, seed } = options;
  const { train, test } = folder === undefined ? await drawDigits(options.examples) : await datasets.idx(folder);
  if (train.inputShape.join() !== test.inputShape.join())
    throw shapeError("train", "training and test images differ in size", [
      { label: "training", shape: train.inputShape },
      { label: "test", shape: test.inputShape },
    ]);
  const [fitting, dev] = devShare === 0 ? [train] : train.split([1 - devShare, devShare], { stratify: true, seed });
  const classes = 1 + [train, test].flatMap(({ targets }) => [...targets.data()]).reduce((a, b) => Math.max(a, b), 0);
  return { name: folder ?? "built-in digits", fitting: fitting, dev, test, classes };
}

async function drawDigits(count: number): Promise<{ train: Dataset; test: Dataset }> {
  const digits = await datasets.digits({ count, seed: digitsSeed });
  const [train, test] = digits.split([1 - testShare, testShare], { stratify: true, seed: digitsSeed });
  return { train: train, test: test };
}
