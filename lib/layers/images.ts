// What the layers that change images share: how images lie in a batch, ranges of chance, and the change itself, in training only.
import { formatShape, shapeError } from "../errors.js";
import { matmul } from "../ops/matmul.js";
import { add } from "../ops/binary.js";
import { broadcastTo } from "../ops/move.js";
import { randomUniform } from "../ops/random.js";
import { reshape } from "../ops/view.js";
import { fills, warp, type Fill } from "../ops/warp.js";
import { finiteNumber, isArray, oneOf, wrongValue } from "../options.js";
import { sizeOf, tensor, type Shape, type Tensor } from "../tensor.js";
import type { CallContext, Json, Layer } from "./layer.js";

/** Lowest and highest; one number stands for `[-number, number]`. */
export type Range = number | readonly [low: number, high: number];

export interface ImageOptions {
  /**
   * `[height, width]` or `[height, width, channels]` of an example that comes as one row of pixels. Default: the example's own shape, which then has two
   * or three dimensions.
   */
  readonly imageShape?: Shape;
  /** What comes in from beyond the edge: "reflect" (default), "nearest", "wrap" or "constant". */
  readonly fill?: Fill;
  /** The pixels beyond the edge with "constant". Default: 0. */
  readonly value?: number;
}

export const imageOptionNames: readonly (keyof ImageOptions)[] = ["imageShape", "fill", "value"];

/** Where the pixels of a batch are fetched from. */
interface Places {
  readonly transforms: Tensor;
  readonly displacement?: Tensor;
}

/** A batch of images that a layer changes. */
export interface Scene {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** Numbers uniform in [low, high), `[batch, columns]`, other ones in each step; a layer draws once. */
  readonly draw: (shape: Shape, low?: number, high?: number) => Tensor;
  readonly dtype: Tensor["dtype"];
}

/** A layer that fetches pixels from elsewhere in training, and does nothing otherwise. */
export function imageLayer(
  type: string,
  options: { readonly [key: string]: Json },
  { imageShape, fill = "reflect", value = 0 }: ImageOptions,
  placesOf: (scene: Scene) => Places,
): Layer {
  if (
    imageShape !== undefined &&
    !(isArray(imageShape) && [2, 3].includes(imageShape.length) && imageShape.every(isSize))
  )
    throw wrongValue(type, "imageShape", "[height, width] or [height, width, channels]", imageShape);
  oneOf(type, "fill", fill, fills);
  finiteNumber(type, "value", value);
  const imageOf = (example: Shape): Shape => {
    const shape = imageShape ?? example;
    if (![2, 3].includes(shape.length) || sizeOf(shape) !== sizeOf(example))
      throw shapeError(
        type,
        imageShape
          ? `an image of ${formatShape(imageShape)} does not fill the example`
          : "expected images [height, width] or [height, width, channels]; where they come as rows of pixels, give imageShape",
        [{ label: "example", shape: example }],
      );
    return shape.length === 3 ? shape : [...shape, 1];
  };
  return {
    type,
    options: { ...options, ...(imageShape && { imageShape: [...imageShape] }), fill, value },
    call(input, _weights, context) {
      const image = imageOf(input.shape.slice(1));
      if (!context.training) return input;
      const batch = input.shape[0]!;
      const [height, width] = image as [number, number];
      const draw: Scene["draw"] = (shape, low = 0, high = 1) =>
        randomUniform(shape, { ...source(input, context), low, high });
      const { transforms, displacement } = placesOf({ batch, height, width, draw, dtype: input.dtype });
      const images = reshape(input, [batch, ...image]);
      const changed = warp(images, transforms, { fill, value, ...(displacement && { displacement }) });
      return reshape(changed, input.shape);
    },
  };
}

/** What a layer's random numbers are drawn with. */
export function source(
  input: Tensor,
  { random }: CallContext,
): { seed: number; stream: number; step: Tensor; dtype: "float32" | "float64" } {
  const { seed, stream, counter } = random;
  return { seed, stream, step: counter, dtype: input.dtype === "float64" ? "float64" : "float32" };
}

/** `draws [batch, n] · basis [n, 6] + offset [6]`: transforms that depend linearly on what was drawn. */
export function transformsOf(draws: Tensor, basis: readonly (readonly number[])[], offset: readonly number[]): Tensor {
  const matrix = tensor(Float64Array.from(basis.flat()), { shape: [basis.length, 6], dtype: draws.dtype });
  return add(matmul(draws, matrix), tensor(Float64Array.from(offset), { dtype: draws.dtype }));
}

/** The transform that changes nothing. */
export const identity = [1, 0, 0, 0, 1, 0] as const;

/** It, for each image of a batch. */
export function identities({ batch, dtype }: Scene): Tensor {
  return broadcastTo(tensor(Float64Array.from(identity), { dtype }), [batch, 6]);
}

/** Both ends of a range of numbers above `above`. */
export function rangeOf(type: string, option: string, range: Range, above = -Infinity): readonly [number, number] {
  const ends = typeof range === "number" ? ([-Math.abs(range), Math.abs(range)] as const) : range;
  if (isArray(ends) && ends.length === 2 && ends.every(Number.isFinite) && ends[0] <= ends[1] && ends[0] > above)
    return ends;
  throw wrongValue(type, option, `a number or [low, high]${above === -Infinity ? "" : `, above ${above}`}`, range);
}

function isSize(dim: unknown): boolean {
  return Number.isInteger(dim) && (dim as number) > 0;
}
