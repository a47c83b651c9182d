// Reductions over axes: sums, means, maxima and where they are.
import { shapeError } from "../errors.js";
import { apply1, defineOp, type Op, type Sample } from "../op.js";
import { integers, checkOptions, wrongValue } from "../options.js";
import { Scaled } from "../tape.js";
import { checkTensor, sizeOf, type Shape, type Spec, type Tensor } from "../tensor.js";
import { mul } from "./binary.js";
import type { NoAttrs } from "./constant.js";
import { float } from "./samples.js";
import { floatType, notes, resolveAxis, sameShape } from "./shapes.js";
import { broadcastTo } from "./move.js";
import { reshape } from "./view.js";

/** Over which axes to reduce. */
export type ReduceOptions = {
  /** One axis or several; negative ones count from the back. All of them when absent. */
  readonly axes?: number | readonly number[];
  /** Whether reduced axes stay as 1, so that the result broadcasts against the input. The default is false. */
  readonly keepDims?: boolean;
};
type Attrs = { readonly axes: readonly number[]; readonly keepDims: boolean };

function reducedShape(shape: Shape, { axes, keepDims }: Attrs): Shape {
  return keepDims ? shape.map((dim, d) => (axes.includes(d) ? 1 : dim)) : shape.filter((_, d) => !axes.includes(d));
}

function reduction(name: string, shape: Op<Attrs>["shape"], vjp: Op<Attrs>["vjp"]): Op<Attrs> {
  return defineOp<Attrs>({
    name,
    operands: ["input"],
    attrs: { axes: "integers", keepDims: "boolean" },
    shape,
    vjp,
    samples: () => [...filledSamples(), ...(name === "max" ? [] : emptySamples)],
  });
}

function filledSamples(): Sample<Attrs>[] {
  const cases: [Shape, readonly (readonly number[])[]][] = [
    [[], [[]]],
    [[1], [[0]]],
    [[67], [[0], []]],
    [[1, 1], [[0], [1]]],
    [[300, 3], [[0], [0, 1]]],
    [[5, 33], [[0], [1], [0, 1]]],
    [[2, 3, 17], [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]],
    [[2, 1, 3, 2, 1, 5], [[1, 3, 5], [0, 2, 4], [3]]],
    [[0, 3], [[1]]],
  ]; // prettier-ignore
  return cases.flatMap(([shape, lists]) =>
    lists.flatMap((axes) => [true, false].map((keepDims) => ({ operands: [float(shape)], attrs: { axes, keepDims } }))),
  );
}

/** A sum of nothing is 0; there is no maximum of nothing. */
const emptySamples: Sample<Attrs>[] = [{ operands: [float([2, 0, 3])], attrs: { axes: [1], keepDims: false } }];

function reduceShape(name: string): Op<Attrs>["shape"] {
  return ([input], attrs) => [
    { dtype: floatType(name, ["input"], [input!]), shape: reducedShape(input!.shape, attrs) },
  ];
}

/** A gradient of the reduced shape, spread over the input's. */
function spread(dout: Tensor, { shape }: Tensor, { axes }: Attrs): Tensor {
  const kept = reducedShape(shape, { axes, keepDims: true });
  return broadcastTo(reshape(dout, kept), shape);
}

function count({ shape }: Spec, { axes }: Attrs): number {
  return sizeOf(axes.map((axis) => shape[axis]!));
}

function somethingToCompare(name: string, input: Spec, output: Shape): void {
  if (sizeOf(input.shape) === 0 && sizeOf(output) > 0)
    throw shapeError(name, "there is no largest of no elements", notes(["input"], [input]));
}

const sumRecord = reduction("sum", reduceShape("sum"), ({ operands: [x], attrs }, [dout]) => [
  spread(dout!, x!, attrs),
]);

const meanRecord = reduction("mean", reduceShape("mean"), ({ operands: [x], attrs }, [dout]) => [
  spread(mul(dout!, 1 / count(x!, attrs)), x!, attrs),
]);

const maxRecord = reduction(
  "max",
  (operands, attrs) => {
    const specs = reduceShape("max")(operands, attrs);
    somethingToCompare("max", operands[0]!, specs[0]!.shape);
    return specs;
  },
  ({ operands: [x], outputs: [y], attrs }, [dout]) => [apply1(maxGradRecord, [dout!, x!, y!], attrs)],
);

const maxGradLabels = ["dout", "input", "output"];

const maxGradRecord = defineOp<Attrs>({
  name: "maxGrad",
  operands: maxGradLabels,
  attrs: { axes: "integers", keepDims: "boolean" },
  shape: (operands, attrs) => {
    const [dout, input, output] = operands as [Spec, Spec, Spec];
    const dtype = floatType("maxGrad", maxGradLabels, operands);
    const reduced = reducedShape(input.shape, attrs);
    if (!sameShape(dout.shape, reduced) || !sameShape(output.shape, reduced))
      throw shapeError("maxGrad", "dout and output must have the reduced shape", notes(maxGradLabels, operands));
    return [{ shape: input.shape, dtype }];
  },
  vjp: "missing",
  samples: () =>
    filledSamples().map(({ operands: [input], attrs }) => {
      const reduced = reducedShape(input!.shape, attrs);
      return { operands: [float(reduced), input!, float(reduced)], attrs };
    }),
});

const squaredNormRecord = defineOp<NoAttrs>({
  name: "squaredNorm",
  operands: ["input"],
  attrs: {},
  shape: (operands) => [{ shape: [], dtype: floatType("squaredNorm", ["input"], operands) }],
  vjp: ({ operands: [x] }, [dout]) => [new Scaled(x!, mul(dout!, 2))],
  samples: () =>
    [[], [0], [1], [7], [3, 17], [2, 3, 5], [1030]].map((shape) => ({ operands: [float(shape)], attrs: {} })),
});

const argmaxRecord = defineOp<{ readonly axis: number }>({
  name: "argmax",
  operands: ["input"],
  attrs: { axis: "number" },
  shape: ([input], { axis }) => {
    floatType("argmax", ["input"], [input!]);
    const shape = input!.shape.filter((_, d) => d !== axis);
    somethingToCompare("argmax", input!, shape);
    return [{ shape, dtype: "int32" }];
  },
  vjp: "none",
  samples: () =>
    [[1], [67], [3, 1], [5, 10], [4, 33], [2, 3, 17], [0, 3]].flatMap((shape) =>
      shape.flatMap((dim, axis) => (dim === 0 ? [] : [{ operands: [float(shape)], attrs: { axis } }])),
    ),
});

function resolve(where: string, x: Tensor, options: ReduceOptions): Attrs {
  checkTensor(where, "x", x);
  checkOptions(where, options, ["axes", "keepDims"]);
  const { axes, keepDims = false } = options;
  if (axes === undefined) return { axes: x.shape.map((_, d) => d), keepDims };
  const resolved = integers(where, "axes", typeof axes === "number" ? [axes] : axes).map((axis) =>
    resolveAxis(where, "axes", axis, x.rank),
  );
  if (new Set(resolved).size < resolved.length) throw wrongValue(where, "axes", "distinct axes", axes);
  return { axes: resolved.sort((a, b) => a - b), keepDims };
}

/**
 * Sum over `axes` of a floating-point tensor. Of no elements it is 0.
 *
 * @throws OptionError for an axis that the tensor has not got; DTypeError for integers
 *
 * @example
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * sum(x).item();                            // 10
 * sum(x, { axes: 0 }).data();               // [4, 6]
 * sum(x, { axes: -1, keepDims: true }).shape; // [2, 1]
 * ```
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return apply1(sumRecord, [x], resolve("sum", x, options));
}

/**
 * Mean over `axes` of a floating-point tensor. Of no elements it is NaN.
 *
 * @throws OptionError for an axis that the tensor has not got; DTypeError for integers
 *
 * @example
 * ```ts
 * mean(tensor([[1, 2], [3, 4]]), { axes: 1 }).data(); // [1.5, 3.5]
 * ```
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  return apply1(meanRecord, [x], resolve("mean", x, options));
}

/**
 * Largest element over `axes` of a floating-point tensor; NaN if there is one. Ties share the gradient equally.
 *
 * @throws ShapeError when there are no elements to choose from; OptionError for an axis that the tensor has not got; DTypeError for integers
 *
 * @example
 * ```ts
 * max(tensor([[1, 2], [4, 3]]), { axes: 1 }).data(); // [2, 4]
 * ```
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  return apply1(maxRecord, [x], resolve("max", x, options));
}

/**
 * Index of the largest element along `axis` (default: the last), as int32; the first of equal ones, NaN before all others. No gradient flows
 * through it.
 *
 * @throws ShapeError when there are no elements to choose from; OptionError for an axis that the tensor has not got; DTypeError for integers
 *
 * @example
 * ```ts
 * argmax(tensor([[1, 2], [4, 3]])).data(); // [1, 0]
 * ```
 */
export function argmax(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  checkTensor("argmax", "x", x);
  checkOptions("argmax", options, ["axis"]);
  return apply1(argmaxRecord, [x], { axis: resolveAxis("argmax", "axis", options.axis ?? -1, x.rank) });
}

/**
 * Sum of the squares of all elements, a scalar: what clipping by the global norm adds up.
 *
 * @throws DTypeError for integers
 *
 * @example
 * ```ts
 * squaredNorm(tensor([3, 4])).item(); // 25
 * ```
 */
export function squaredNorm(x: Tensor): Tensor {
  return apply1(squaredNormRecord, [x], {});
}

/** @internal Sums `x` over the axes along which `shape` was broadcast to reach x's: the gradient of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  checkTensor("sumTo", "x", x);
  if (sameShape(x.shape, integers("sumTo", "shape", shape))) return x;
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((dim, d) => (d < lead || (shape[d - lead] === 1 && dim !== 1) ? [d] : []));
  const summed = axes.some((axis) => x.shape[axis] !== 1) ? sum(x, { axes }) : x;
  return sameShape(summed.shape, shape) ? summed : reshape(summed, shape);
}
