// Images seen through a map of their pixels. Which maps make useful augmentations is layers/augmentation.ts.
import { shapeError } from "../errors.js";
import { apply, apply1, defineOp, type Sample } from "../op.js";
import { checkOptions, finiteNumber, oneOf } from "../options.js";
import { tensor, type Shape, type Spec, type Tensor } from "../tensor.js";
import { matmul } from "./matmul.js";
import { float } from "./samples.js";
import { floatType, notes, sameShape } from "./shapes.js";
import { reshape } from "./view.js";

export const fills: readonly Fill[] = ["constant", "nearest", "reflect", "wrap"];

/** What lies beyond an image's edge: one value, the nearest pixel, the image mirrored (`b a | a b c | c b`), or the image again. */
export type Fill = "constant" | "nearest" | "reflect" | "wrap";

export interface WarpOptions {
  /** `[batch, 2, height, width]`: how far each pixel is fetched from besides, first along x, then along y. */
  readonly displacement?: Tensor;
  /** Default: "constant". */
  readonly fill?: Fill;
  /** What is beyond the edge with "constant". Default: 0. */
  readonly value?: number;
}
type Attrs = { readonly fill: Fill; readonly value: number };

const attrs = { fill: fills, value: "number" } as const;
const labels = ["input", "transform", "displacement"];
const gradLabels = ["dout", ...labels];

function checkOperands(where: string, names: readonly string[], operands: readonly Spec[], at: number): void {
  floatType(where, names, operands);
  const [input, transform, displacement] = operands.slice(at) as [Spec, Spec, Spec?];
  const [batch, height, width] = input.shape;
  const fits = (operand: Spec | undefined, shape: Shape): boolean => !operand || sameShape(operand.shape, shape);
  if (input.shape.length !== 4 || !fits(transform, [batch!, 6]) || !fits(displacement, [batch!, 2, height!, width!]))
    throw shapeError(
      where,
      "expected images [batch, height, width, channels], transforms [batch, 6] and displacements [batch, 2, height, width]",
      notes(names, operands),
    );
}

const record = defineOp<Attrs>({
  name: "warp",
  operands: labels,
  attrs,
  shape: (operands) => {
    const [input] = operands;
    checkOperands("warp", labels, operands, 0);
    return [{ shape: input!.shape, dtype: input!.dtype }];
  },
  vjp: ({ operands: [input, transform, displacement], attrs, needs }, [dout]) => {
    const operands = [dout!, input!, transform!, ...(displacement ? [displacement] : [])];
    const [dinput, dplace] = apply(gradRecord, operands, attrs);
    return [needs[0] ? dinput : undefined, needs[1] ? transformGradient(dplace!) : undefined, ...(displacement ? [dplace] : [])]; // prettier-ignore
  },
  samples: () => warpSamples(({ operands: [input, ...rest], attrs }) => ({ operands: [input!, ...rest], attrs })),
});

const gradRecord = defineOp<Attrs>({
  name: "warpGrad",
  operands: gradLabels,
  attrs,
  shape: (operands) => {
    const [dout, input] = operands;
    checkOperands("warpGrad", gradLabels, operands, 1);
    if (!sameShape(dout!.shape, input!.shape))
      throw shapeError("warpGrad", "dout must have the input's shape", notes(gradLabels, operands));
    const [batch, height, width] = input!.shape;
    const { dtype } = input!;
    return [{ shape: input!.shape, dtype }, { shape: [batch!, 2, height!, width!], dtype }]; // prettier-ignore
  },
  vjp: "missing",
  samples: () =>
    warpSamples(({ operands: [input, ...rest], attrs }) => ({ operands: [input!, input!, ...rest], attrs })),
});

/** A transform's gradient is that of the places, weighed by what its numbers are multiplied by: u, v and 1. */
function transformGradient(dplace: Tensor): Tensor {
  const [batch, , height, width] = dplace.shape as [number, number, number, number];
  const factors = new Float64Array(height * width * 3);
  for (let i = 0; i < height * width; i++)
    factors.set([(i % width) - (width - 1) / 2, Math.floor(i / width) - (height - 1) / 2, 1], 3 * i);
  const plane = tensor(factors, { shape: [height * width, 3], dtype: dplace.dtype });
  return reshape(matmul(reshape(dplace, [2 * batch, height * width]), plane), [batch, 6]);
}

function warpSamples(make: (sample: Sample<Attrs>) => Sample<Attrs>): Sample<Attrs>[] {
  const shapes: Shape[] = [[1, 2, 3, 1], [0, 3, 3, 1], [2, 1, 1, 3], [2, 5, 4, 2], [3, 4, 17, 1], [1, 2, 18, 3]]; // prettier-ignore
  return shapes.flatMap((shape, i) => {
    const [batch, height, width] = shape as [number, number, number];
    const operands = [float(shape), float([batch, 6]), float([batch, 2, height, width])];
    return fills.map((fill, j) =>
      make({ operands: operands.slice(0, 2 + ((i + j) % 2)), attrs: { fill, value: 0.5 } }),
    );
  });
}

/**
 * Each image as it looks through a map of its pixels: pixel (x, y) of the result is what the image shows at
 * `(t₀ u + t₁ v + t₂, t₃ u + t₄ v + t₅)`, where (u, v) is (x, y) and all is counted in pixels from the image's centre. Between pixels it
 * interpolates linearly.
 *
 * @param images - `[batch, height, width, channels]`
 * @param transforms - `[batch, 6]`; `[1, 0, 0, 0, 1, 0]` changes nothing
 * @throws ShapeError or DTypeError when they do not fit together; OptionError for an unknown fill
 *
 * @example
 * ```ts
 * const image = tensor([1, 2, 3, 4], { shape: [1, 1, 4, 1] });
 * warp(image, tensor([[-1, 0, 0, 0, 1, 0]])).data(); // [4, 3, 2, 1]: seen in a mirror
 * warp(image, tensor([[1, 0, 0.5, 0, 1, 0]]), { fill: "nearest" }).data(); // [1.5, 2.5, 3.5, 4]
 * ```
 */
export function warp(images: Tensor, transforms: Tensor, options: WarpOptions = {}): Tensor {
  checkOptions("warp", options, ["displacement", "fill", "value"]);
  const { displacement, fill = "constant", value = 0 } = options;
  oneOf("warp", "fill", fill, fills);
  finiteNumber("warp", "value", value);
  return apply1(record, [images, transforms, ...(displacement ? [displacement] : [])], { fill, value });
}
