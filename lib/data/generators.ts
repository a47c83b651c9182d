// Small data sets from formulas: points in two classes or more, and a line with noise. Images are drawn in digits.ts.
import { shapeError } from "../errors.js";
import { take } from "../memory.js";
import {
  checkOptions,
  finiteNumber,
  fraction,
  isArray,
  nonNegativeNumber,
  positiveInteger,
  wrongValue,
} from "../options.js";
import { type RandomStream, randomStream, resolveSeed } from "../random.js";
import { dataset, type Dataset } from "./dataset.js";

/** What every generator takes. */
export interface GeneratorOptions {
  /** How many examples, shared evenly among the classes, the first ones taking one more where it does not divide. Default: 100. */
  readonly count?: number;
  /** The same seed makes the same examples, on every machine. Default: a random one. */
  readonly seed?: number;
}

export interface NoiseOptions extends GeneratorOptions {
  /** Standard deviation of the normal noise that is added to each coordinate. Default: 0. */
  readonly noise?: number;
}

export interface CirclesOptions extends NoiseOptions {
  /** Radius of the inner circle, in [0, 1); the outer one has 1. Default: 0.8. */
  readonly factor?: number;
}

/**
 * A circle around a circle: `(cos θ, sin θ)` is class 0, `factor · (cos θ, sin θ)` class 1, with θ at even distances over the whole turn; as
 * scikit-learn's `make_circles`. No line divides them. Inputs float32 `[count, 2]` in random order, targets int32 `[count]`.
 *
 * @throws OptionError for an unknown option or a wrong value, and for fewer examples than classes
 *
 * @example
 * ```ts
 * const rings = datasets.circles({ count: 300, noise: 0.05, factor: 0.5, seed: 1 });
 * rings.inputs.shape; // [300, 2]
 * ```
 */
export function circles(options: CirclesOptions = {}): Dataset {
  const where = "datasets.circles";
  checkOptions(where, options, ["count", "seed", "noise", "factor"]);
  const factor = fraction(where, "factor", options.factor ?? 0.8);
  return planar(where, 2, options, (label, i, count) => {
    const angle = (2 * Math.PI * i) / count;
    const radius = label === 0 ? 1 : factor;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

/**
 * Two half circles that reach into each other: `(cos θ, sin θ)` is class 0, `(1 - cos θ, ½ - sin θ)` class 1, with θ at even distances from 0 to π;
 * as scikit-learn's `make_moons`. Inputs float32 `[count, 2]` in random order, targets int32 `[count]`.
 *
 * @throws OptionError for an unknown option or a wrong value, and for fewer examples than classes
 *
 * @example
 * ```ts
 * datasets.moons({ count: 300, noise: 0.2, seed: 3 }).targets.shape; // [300]
 * ```
 */
export function moons(options: NoiseOptions = {}): Dataset {
  const where = "datasets.moons";
  checkOptions(where, options, ["count", "seed", "noise"]);
  return planar(where, 2, options, (label, i, count) => {
    const angle = (Math.PI * i) / Math.max(count - 1, 1);
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    return label === 0 ? [x, y] : [1 - x, 0.5 - y];
  });
}

export interface SpiralsOptions extends NoiseOptions {
  /** Arms of the spiral, one class each. Default: 2. */
  readonly classes?: number;
  /** How often an arm goes round. Default: 1. */
  readonly turns?: number;
}

/**
 * Arms of a spiral: point i of n of class k is `r (cos θ, sin θ)` with `r = (i + 1)/n` and `θ = 2π (k/classes + turns · r)`, i = 0 … n-1. Inputs
 * float32 `[count, 2]` in random order, targets int32 `[count]`.
 *
 * @throws OptionError for an unknown option or a wrong value, and for fewer examples than classes
 *
 * @example
 * ```ts
 * datasets.spirals({ count: 300, classes: 3, turns: 0.75, noise: 0.02, seed: 1 }).inputs.shape; // [300, 2]
 * ```
 */
export function spirals(options: SpiralsOptions = {}): Dataset {
  const where = "datasets.spirals";
  checkOptions(where, options, ["count", "seed", "noise", "classes", "turns"]);
  const classes = positiveInteger(where, "classes", options.classes ?? 2);
  const turns = finiteNumber(where, "turns", options.turns ?? 1);
  return planar(where, classes, options, (label, i, count) => {
    const radius = (i + 1) / count;
    const angle = 2 * Math.PI * (label / classes + turns * radius);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

export interface BlobsOptions extends GeneratorOptions {
  /** How many blobs, one class each. Default: 3, or as many as `centers`. */
  readonly classes?: number;
  /** Numbers per example. Default: 2, or as many as a centre has. */
  readonly features?: number;
  /** The middle of each blob; drawn evenly from `centerBox` where absent. */
  readonly centers?: readonly (readonly number[])[];
  /** Lowest and highest coordinate of a drawn centre. Default: [-10, 10]. */
  readonly centerBox?: readonly [low: number, high: number];
  /** Standard deviation of each coordinate around the centre, for all blobs or one by one. Default: 1. */
  readonly deviation?: number | readonly number[];
}

/**
 * Round clouds: an example of class k is `center_k + deviation_k · z` with z normal; as scikit-learn's `make_blobs`. Inputs float32
 * `[count, features]` in random order, targets int32 `[count]`.
 *
 * @throws OptionError for an unknown option or a wrong value, and for fewer examples than classes; ShapeError for centres of unequal length
 *
 * @example
 * ```ts
 * datasets.blobs({ count: 90, centers: [[0, 0], [5, 5]], deviation: [1, 0.5], seed: 1 }).inputs.shape; // [90, 2]
 * datasets.blobs({ classes: 4, features: 10, seed: 1 }).inputs.shape; // [100, 10]
 * ```
 */
export function blobs(options: BlobsOptions = {}): Dataset {
  const where = "datasets.blobs";
  checkOptions(where, options, ["count", "seed", "classes", "features", "centers", "centerBox", "deviation"]);
  const seed = resolveSeed(where, options.seed);
  const centers = options.centers ? givenCenters(where, options) : drawnCenters(where, options, seed);
  const { deviation = 1 } = options;
  if (isArray(deviation as readonly number[]) && (deviation as readonly number[]).length !== centers.length)
    throw wrongValue(where, "deviation", `one number, or ${centers.length}, one per class,`, deviation);
  const deviations = centers.map((_, k) => {
    const own = isArray(deviation as readonly number[]) ? (deviation as readonly number[])[k] : deviation;
    return nonNegativeNumber(where, "deviation", own);
  });
  const features = centers[0]!.length;
  return labelled(where, centers.length, features, { count: options.count, seed }, (label, _i, _count, random) =>
    centers[label]!.map((middle) => middle + deviations[label]! * random.normal()),
  );
}

function givenCenters(
  where: string,
  { centers = [], classes, features }: BlobsOptions,
): readonly (readonly number[])[] {
  if (!isArray(centers) || centers.length === 0 || !centers.every((center) => isArray(center) && center.length > 0))
    throw wrongValue(where, "centers", "a list of points such as [[0, 0], [5, 5]]", centers);
  for (const value of centers.flat()) finiteNumber(where, "centers", value);
  if (centers.some((center) => center.length !== centers[0]!.length))
    throw shapeError(
      where,
      `expected centers of one length but received ${centers.map(({ length }) => length).join(", ")}`,
    );
  if (classes !== undefined && classes !== centers.length)
    throw wrongValue(where, "classes", `${centers.length}, the number of centers,`, classes);
  if (features !== undefined && features !== centers[0]!.length)
    throw wrongValue(where, "features", `${centers[0]!.length}, the length of the centers,`, features);
  return centers;
}

function drawnCenters(where: string, options: BlobsOptions, seed: number): number[][] {
  const { centerBox = [-10, 10] } = options;
  const classes = positiveInteger(where, "classes", options.classes ?? 3);
  const features = positiveInteger(where, "features", options.features ?? 2);
  if (!isArray(centerBox) || centerBox.length !== 2 || !centerBox.every(Number.isFinite) || centerBox[0] > centerBox[1])
    throw wrongValue(where, "centerBox", "a low and a high number", centerBox);
  const [low, high] = centerBox;
  const random = randomStream(seed, streams.parameters);
  const place = (): number => low + (high - low) * random.uniform();
  const center = (): number[] => Array.from({ length: features }, place);
  return take(8 * classes * features, () => `${where}: centers`, () => Array.from({ length: classes }, center)); // prettier-ignore
}

export interface LinearOptions extends NoiseOptions {
  /** Numbers per example. Default: 1, or as many as `weights`. */
  readonly features?: number;
  /** What each feature is multiplied by; drawn from the standard normal distribution where absent. */
  readonly weights?: readonly number[];
  /** Default: 0. */
  readonly bias?: number;
}

/**
 * A plane with noise: features x from the standard normal distribution and targets `y = w·x + bias + noise · z` with z normal; as scikit-learn's
 * `make_regression`. Inputs float32 `[count, features]`, targets float32 `[count]`.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * const plane = datasets.linear({ count: 50, weights: [2, -1], bias: 3, noise: 0.1, seed: 1 });
 * plane.inputs.shape; // [50, 2]
 * plane.targets.shape; // [50]
 * ```
 */
export function linear(options: LinearOptions = {}): Dataset {
  const where = "datasets.linear";
  checkOptions(where, options, ["count", "seed", "noise", "features", "weights", "bias"]);
  const count = positiveInteger(where, "count", options.count ?? 100);
  const noise = nonNegativeNumber(where, "noise", options.noise ?? 0);
  const bias = finiteNumber(where, "bias", options.bias ?? 0);
  const seed = resolveSeed(where, options.seed);
  const { weights } = options;
  if (weights && (!isArray(weights) || weights.length === 0))
    throw wrongValue(where, "weights", "one number per feature", weights);
  weights?.forEach((weight) => finiteNumber(where, "weights", weight));
  const features = positiveInteger(where, "features", options.features ?? weights?.length ?? 1);
  if (weights && weights.length !== features)
    throw wrongValue(where, "weights", `${features} numbers, one per feature,`, weights);
  const random = {
    x: randomStream(seed),
    w: randomStream(seed, streams.parameters),
    noise: randomStream(seed, streams.noise),
  };
  const drawn = { length: count * features };
  const inputs = take(4 * drawn.length, () => `${where}: inputs`, () => Float32Array.from(drawn, () => random.x.normal())); // prettier-ignore
  const w = weights ?? Array.from({ length: features }, () => random.w.normal());
  const targets = Float32Array.from({ length: count }, (_, i) =>
    w.reduce((sum, weight, k) => sum + weight * inputs[i * features + k]!, bias + noise * random.noise.normal()),
  );
  return dataset(inputs, targets, { inputShape: [features] });
}

// What a seed's streams are for: stream 0 makes points; the order, parameters and noise do not depend on how many it made.
const streams = { order: 1, parameters: 2, noise: 3 } as const;

/** The `i`-th of the `count` points of a class. */
type Point = (label: number, i: number, count: number, random: RandomStream) => readonly number[];

/** Points of a plane, moved by noise. */
function planar(where: string, classes: number, options: NoiseOptions, point: Point): Dataset {
  const noise = nonNegativeNumber(where, "noise", options.noise ?? 0);
  return labelled(where, classes, 2, options, (label, i, count, random) =>
    point(label, i, count, random).map((x) => x + noise * random.normal()),
  );
}

/** Classes of points, in random order. */
function labelled(
  where: string,
  classes: number,
  features: number,
  { count = 100, seed }: { readonly count?: number | undefined; readonly seed?: number | undefined },
  point: Point,
): Dataset {
  if (positiveInteger(where, "count", count) < classes)
    throw wrongValue(where, "count", `at least ${classes}, one example of each class,`, count);
  const resolved = resolveSeed(where, seed);
  const random = randomStream(resolved);
  const places = randomStream(resolved, streams.order).permutation(count);
  const inputs = new Float32Array(count * features);
  const targets = new Int32Array(count);
  let made = 0;
  for (let label = 0; label < classes; label++) {
    const members = Math.floor(count / classes) + (label < count % classes ? 1 : 0);
    for (let i = 0; i < members; i++) {
      const place = places[made++]!;
      inputs.set(point(label, i, members, random), place * features);
      targets[place] = label;
    }
  }
  return dataset(inputs, targets, { inputShape: [features] });
}
