// Dense layer's arithmetic in one kernel: matrix product, bias and activation. The layer is layers/dense.ts.
import { shapeError } from "../errors.js";
import { apply, apply1, defineOp, type Sample } from "../op.js";
import { checkOptions, oneOf, positiveNumber } from "../options.js";
import { sizeOf, type Shape, type Spec, type Tensor } from "../tensor.js";
import { activation as activate, activations, defaultSlopes, derivesFromOutput, type Activation } from "./activation.js"; // prettier-ignore
import { add, mul, sub } from "./binary.js";
import { matmul, productFlops } from "./matmul.js";
import { float, savedRange } from "./samples.js";
import { features, floatType, notes, sameShape } from "./shapes.js";
import { neg } from "./unary.js";
import { reshape } from "./view.js";

export type DenseOptions = {
  /** Function applied to the result; the default is `linear`. */
  readonly activation?: Activation;
  /** leakyRelu's slope (default 0.01) or elu's alpha (default 1); without meaning for the others. */
  readonly slope?: number;
};
type Attrs = { readonly activation: Activation; readonly slope: number };

const labels = ["input", "weight", "bias"];

function shape(operands: readonly Spec[]): Spec[] {
  const [input, weight, bias] = operands as [Spec, Spec, Spec?];
  const dtype = floatType("dense", labels, operands);
  if (weight.shape.length !== 2) throw shapeError("dense", "weight must be [in, out]", notes(labels, operands));
  const [rows, columns] = weight.shape as [number, number];
  const last = features("dense", labels, operands);
  if (last !== rows)
    throw shapeError(
      "dense",
      `input's last dimension must equal weight's first, but ${last} ≠ ${rows}`,
      notes(labels, operands),
    );
  if (columns === 0) throw shapeError("dense", "weight needs at least one column", notes(labels, operands));
  if (bias && !sameShape(bias.shape, [columns]))
    throw shapeError("dense", `bias must be [${columns}], one number per column of weight`, notes(labels, operands));
  return [{ shape: input.shape.with(-1, columns), dtype }];
}

const kinds: readonly Attrs[] = activations
  .filter(derivesFromOutput)
  .map((activation) => ({ activation, slope: defaultSlopes[activation] ?? 0 }));

function samples(): Sample<Attrs>[] {
  const small: [input: Shape, out: number][] = [
    [[1, 1], 1],
    [[5], 3],
    [[0, 2], 3],
    [[2, 3, 5], 4],
  ];
  // Of that many sums some would be so near to 0 that differences see the bend there.
  const smooth: typeof small = [
    [[3, 7], 10],
    [[17, 16], 33],
    [[9, 67], 1],
  ];
  return kinds.flatMap((attrs) =>
    (bends(attrs.activation) ? small : [...small, ...smooth]).flatMap(([input, out]) => {
      const operands = [float(input), float([input.at(-1)!, out], [-0.5, 0.5])];
      return [
        { operands, attrs },
        { operands: [...operands, float([out])], attrs },
      ];
    }),
  );
}

function bends(activation: Activation): boolean {
  return activation === "relu" || activation === "leakyRelu" || activation === "elu";
}

const record = defineOp<Attrs>({
  name: "dense",
  operands: labels,
  attrs: { activation: activations, slope: "number" },
  shape,
  vjp: ({ operands: [input, weight], outputs: [output], attrs, needs }, [dout]) => {
    const [dz, dbias] =
      attrs.activation === "linear" && !needs[2] ? [dout!] : (apply(gradRecord, [dout!, output!], attrs) as [Tensor, Tensor]); // prettier-ignore
    const dinput = (): Tensor => reshape(matmul(rows(dz), weight!, { transposeB: true }), input!.shape);
    const dweight = (): Tensor => matmul(rows(input!), rows(dz), { transposeA: true });
    return [needs[0] ? dinput() : undefined, needs[1] ? dweight() : undefined, needs[2] ? dbias : undefined];
  },
  absorb: ([input, weight, bias], attrs, epilogue) => {
    if (attrs.activation !== "linear") return undefined;
    if ("activation" in epilogue)
      return derivesFromOutput(epilogue.activation)
        ? { operands: bias ? [input!, weight!, bias] : [input!, weight!], attrs: epilogue }
        : undefined;
    const { center, scale, shift } = epilogue;
    const offset = bias ? sub(bias, center) : neg(center);
    return { operands: [input!, mul(weight!, scale), add(mul(offset, scale), shift)], attrs };
  },
  flops: ([input, weight], [output]) => productFlops(input!, weight!, output!),
  samples,
});

function rows(x: Tensor): Tensor {
  return x.rank === 2 ? x : reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
}

const gradRecord = defineOp<Attrs>({
  name: "denseGrad",
  operands: ["dout", "output"],
  attrs: { activation: activations, slope: "number" },
  shape: (operands) => {
    const gradLabels = ["dout", "output"];
    const [dout, output] = operands as [Spec, Spec];
    const dtype = floatType("denseGrad", gradLabels, operands);
    const columns = features("denseGrad", gradLabels, operands);
    if (!sameShape(dout.shape, output.shape))
      throw shapeError("denseGrad", "dout and output must have the same shape", notes(gradLabels, operands));
    return [{ shape: dout.shape, dtype }, { shape: [columns], dtype }]; // prettier-ignore
  },
  vjp: "missing",
  inPlace: [0, 1],
  samples: () =>
    kinds.flatMap((attrs) =>
      [[1], [0, 3], [3, 1], [5, 7], [2, 3, 17], [70, 33]].map((shape) => ({
        operands: [float(shape), float(shape, savedRange(attrs.activation, attrs.slope))],
        attrs,
      })),
    ),
});

/**
 * `g(input · weight + bias)` in one pass, with the activation function g.
 *
 * @param input - `[..., in]`
 * @param weight - `[in, out]`
 * @param bias - `[out]`; none when undefined
 * @returns `[..., out]`
 * @throws ShapeError or DTypeError when they do not fit together; OptionError for an unknown activation or a slope <= 0
 *
 * @example
 * ```ts
 * const x = tensor([[1, 2]]), weight = tensor([[1, -1], [1, -1]]), bias = tensor([0.5, 0]);
 * dense(x, weight, bias, { activation: "relu" }).data(); // [3.5, 0]
 * ```
 */
export function dense(input: Tensor, weight: Tensor, bias?: Tensor, options: DenseOptions = {}): Tensor {
  checkOptions("dense", options, ["activation", "slope"]);
  const activation = oneOf("dense", "activation", options.activation ?? "linear", activations);
  const slope = activation in defaultSlopes ? positiveNumber("dense", "slope", options.slope ?? defaultSlopes[activation]) : 0; // prettier-ignore
  const operands = bias ? [input, weight, bias] : [input, weight];
  if (derivesFromOutput(activation)) return apply1(record, operands, { activation, slope });
  return activate(apply1(record, operands, { activation: "linear", slope: 0 }), activation);
}
