// Augmentation: layers that show a network other versions of its examples in each step of training, and do nothing otherwise.
import { add } from "../ops/binary.js";
import { greaterEqual } from "../ops/comparison.js";
import { matmul } from "../ops/matmul.js";
import { concat, transpose } from "../ops/move.js";
import { randomNormal } from "../ops/random.js";
import { cos, sin } from "../ops/unary.js";
import { reshape } from "../ops/view.js";
import { checkOptions, nonNegativeNumber, oneOf, positiveNumber } from "../options.js";
import { tensor, type DType, type Tensor } from "../tensor.js";
import {
  identities,
  identity,
  imageLayer,
  imageOptionNames,
  rangeOf,
  source,
  transformsOf,
  type ImageOptions,
  type Range,
} from "./images.js";
import type { Layer } from "./layer.js";

const flipModes = ["horizontal", "vertical", "horizontalAndVertical"] as const;

export interface RandomFlipOptions extends ImageOptions {
  /** Left and right, top and bottom, or each of both. Default: "horizontalAndVertical". */
  readonly mode?: (typeof flipModes)[number];
}

/**
 * Mirrors every other image, at random. For pictures whose mirror image means the same: cats, not digits.
 *
 * Like all augmentation it is drawn anew for each image in each step of training, from the model's seed, and is nothing in `evaluate` and `predict`.
 *
 * @throws OptionError for an unknown option or a wrong value; ShapeError when the model is built, if its examples are no images
 *
 * @example
 * ```ts
 * sequential([randomFlip({ mode: "horizontal" }), flatten(), dense(10)], { inputShape: [32, 32, 3] });
 * ```
 */
export function randomFlip(options: RandomFlipOptions = {}): Layer {
  const type = "randomFlip";
  checkOptions(type, options, ["mode", ...imageOptionNames]);
  const mode = oneOf(type, "mode", options.mode ?? "horizontalAndVertical", flipModes);
  const across = mode === "vertical" ? 0 : 2;
  const down = mode === "horizontal" ? 0 : 2;
  return imageLayer(type, { mode }, options, ({ batch, draw }) => ({
    transforms: transformsOf(
      greaterEqual(draw([batch, 2]), 0.5),
      [[-across, 0, 0, 0, 0, 0], [0, 0, 0, 0, -down, 0]],
      identity,
    ), // prettier-ignore
  }));
}

export interface RandomTranslationOptions extends ImageOptions {
  /** How far down, as shares of the height; up is negative. */
  readonly height: Range;
  /** How far to the right, as shares of the width; left is negative. */
  readonly width: Range;
}

/**
 * Shifts each image by random shares of its size, between pixels too. (Keras's `RandomTranslation`, whose `height_factor` is `height`.)
 *
 * @throws as {@link randomFlip}
 *
 * @example
 * ```ts
 * const shift = randomTranslation({ height: 0.1, width: 0.1, imageShape: [28, 28], fill: "constant" }); // up to 10 % either way
 * sequential([shift, dense(10)], { inputShape: [784] });
 * ```
 */
export function randomTranslation(options: RandomTranslationOptions): Layer {
  const type = "randomTranslation";
  checkOptions(type, options, ["height", "width", ...imageOptionNames]);
  const [down, across] = [rangeOf(type, "height", options?.height), rangeOf(type, "width", options?.width)];
  return imageLayer(type, { height: down, width: across }, options, ({ batch, height, width, draw }) => ({
    transforms: transformsOf(
      draw([batch, 2]),
      [[0, 0, (across[0] - across[1]) * width, 0, 0, 0], [0, 0, 0, 0, 0, (down[0] - down[1]) * height]],
      [1, 0, -across[0] * width, 0, 1, -down[0] * height],
    ), // prettier-ignore
  }));
}

export interface RandomRotationOptions extends ImageOptions {
  /** Shares of a whole turn, counter-clockwise: 0.1 turns by up to 36 degrees either way. */
  readonly factor: Range;
}

/**
 * Turns each image about its centre by a random angle.
 *
 * @throws as {@link randomFlip}
 *
 * @example
 * ```ts
 * sequential([randomRotation({ factor: 0.04, imageShape: [28, 28] }), dense(10)], { inputShape: [784] }); // up to 14.4 degrees
 * ```
 */
export function randomRotation(options: RandomRotationOptions): Layer {
  const type = "randomRotation";
  checkOptions(type, options, ["factor", ...imageOptionNames]);
  const turns = rangeOf(type, "factor", options?.factor);
  return imageLayer(type, { factor: turns }, options, ({ batch, draw }) => {
    const angle = draw([batch, 1], 2 * Math.PI * turns[0], 2 * Math.PI * turns[1]);
    const basis = [[1, 0, 0, 0, 1, 0], [0, -1, 0, 1, 0, 0]]; // prettier-ignore
    return { transforms: transformsOf(concat([cos(angle), sin(angle)], 1), basis, [0, 0, 0, 0, 0, 0]) };
  });
}

export interface RandomZoomOptions extends ImageOptions {
  /** What the height that is seen grows by: 0.2 shows 120 % of the image, smaller; -0.2 shows 80 % of it, larger. Above -1. */
  readonly height: Range;
  /** The same for the width. Default: as the height, so that proportions stay. */
  readonly width?: Range;
}

/**
 * Brings each image nearer or moves it away by a random factor. (Keras's `RandomZoom`, whose `height_factor` is `height`.)
 *
 * @throws as {@link randomFlip}
 *
 * @example
 * ```ts
 * sequential([randomZoom({ height: [-0.1, 0.1], imageShape: [28, 28] }), dense(10)], { inputShape: [784] });
 * ```
 */
export function randomZoom(options: RandomZoomOptions): Layer {
  const type = "randomZoom";
  checkOptions(type, options, ["height", "width", ...imageOptionNames]);
  const down = rangeOf(type, "height", options?.height, -1);
  const across = options.width === undefined ? undefined : rangeOf(type, "width", options.width, -1);
  const own = { height: down, ...(across && { width: across }) };
  return imageLayer(type, own, options, ({ batch, draw }) => {
    const tall = down[1] - down[0];
    if (!across)
      return {
        transforms: transformsOf(draw([batch, 1]), [[tall, 0, 0, 0, tall, 0]], [1 + down[0], 0, 0, 0, 1 + down[0], 0]),
      };
    const basis = [[across[1] - across[0], 0, 0, 0, 0, 0], [0, 0, 0, 0, tall, 0]]; // prettier-ignore
    return { transforms: transformsOf(draw([batch, 2]), basis, [1 + across[0], 0, 0, 0, 1 + down[0], 0]) };
  });
}

export interface RandomElasticOptions extends ImageOptions {
  /** How strong: what the smoothed noise is multiplied by, in pixels. Default: 34. */
  readonly alpha?: number;
  /** How smooth: the deviation in pixels of the Gaussian that the noise is smoothed with. Default: 4. */
  readonly sigma?: number;
}

/**
 * Elastic distortion: every pixel is fetched from a place that is off by `alpha · G(sigma) * U`, where U is noise, uniform in [-1, 1) for each pixel and
 * direction, smoothed by a Gaussian, with nothing beyond the edge (Simard, Steinkraus and Platt, 2003, with their values for handwritten digits as
 * defaults). The deviation of the shift is about `alpha / (6.1 sigma)` pixels.
 *
 * @throws as {@link randomFlip}
 *
 * @example
 * ```ts
 * sequential([randomElastic({ alpha: 20, imageShape: [28, 28], fill: "constant" }), dense(10)], { inputShape: [784] });
 * ```
 */
export function randomElastic(options: RandomElasticOptions = {}): Layer {
  const type = "randomElastic";
  checkOptions(type, options, ["alpha", "sigma", ...imageOptionNames]);
  const alpha = nonNegativeNumber(type, "alpha", options.alpha ?? 34);
  const sigma = positiveNumber(type, "sigma", options.sigma ?? 4);
  return imageLayer(type, { alpha, sigma }, options, (scene) => {
    const { batch, height, width, draw, dtype } = scene;
    // Noise is noise, whichever way it lies: with the height in front, columns and rows are smoothed by one product each.
    const columns = matmul(smoothing(height, sigma, 1, dtype), draw([height, 2 * batch * width], -1, 1));
    const rows = matmul(reshape(columns, [height * 2 * batch, width]), smoothing(width, sigma, alpha, dtype));
    const smooth = transpose(reshape(rows, [height, 2 * batch, width]), [1, 0, 2]);
    return { transforms: identities(scene), displacement: reshape(smooth, [batch, 2, height, width]) };
  });
}

/** A matrix that smooths rows of `size`, and multiplies them by `factor`. */
function smoothing(size: number, sigma: number, factor: number, dtype: DType): Tensor {
  const kernel = Array.from({ length: size }, (_, distance) => Math.exp(-(distance ** 2) / (2 * sigma ** 2)));
  let sum = 1; // of the kernel on either side, as far as it reaches
  for (let d = 1; d < 9 * sigma + 1; d++) sum += 2 * Math.exp(-(d ** 2) / (2 * sigma ** 2));
  const matrix = Float64Array.from({ length: size * size }, (_, i) => {
    const distance = Math.abs((i % size) - Math.floor(i / size));
    return (factor * kernel[distance]!) / sum;
  });
  return tensor(matrix, { shape: [size, size], dtype });
}

/**
 * Adds normal noise of the given standard deviation to every value, for inputs of any shape. (Keras's `GaussianNoise`.) Where inputs are normalized,
 * 0.05 to 0.2 is usual.
 *
 * @param options - the deviation >= 0, or `{ deviation }`
 * @throws OptionError for anything else
 *
 * @example
 * ```ts
 * sequential([gaussianNoise(0.1), dense(10)], { inputShape: [20] });
 * ```
 */
export function gaussianNoise(options: number | { readonly deviation: number }): Layer {
  const type = "gaussianNoise";
  if (typeof options !== "number") checkOptions(type, options, ["deviation"]);
  const deviation = nonNegativeNumber(type, "deviation", typeof options === "number" ? options : options?.deviation);
  return {
    type,
    options: { deviation },
    call: (input, _weights, context) =>
      context.training && deviation > 0
        ? add(input, randomNormal(input.shape, { ...source(input, context), deviation }))
        : input,
  };
}
