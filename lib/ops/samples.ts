// How records write down their samples. float32 stands for the precision under test: gradient checks read it as float64.
import type { Sample } from "../op.js";
import type { Shape } from "../tensor.js";
import type { Activation } from "./activation.js";

type Operand = Sample["operands"][number];

/** Floating-point values, drawn from `range`. */
export function float(shape: Shape, range?: readonly [number, number]): Operand {
  return { shape, dtype: "float32", ...(range && { range }) };
}

/** Class numbers or row indices, drawn from [0, below). */
export function indices(count: number, below: number): Operand {
  return { shape: [count], dtype: "int32", below };
}

/** A learning rate: float64 whatever the precision. */
export const learningRate: Operand = { shape: [], dtype: "float64", range: [0.001, 0.1] };

/** A counter or step. */
export const counter: Operand = { shape: [], dtype: "int32", below: 1000 };

/** Shapes for ops that go element by element: nothing, one element, and lengths on either side of vector widths. */
export const elementShapes: readonly Shape[] = [
  [],
  [0],
  [1],
  [3, 0, 2],
  [2, 3, 5],
  ...[7, 8, 9, 15, 16, 17, 31, 33, 67, 130].map((length) => [length]),
];

/** Shapes for ops that work on rows of features. */
export const rowShapes: readonly Shape[] = [
  [1],
  [5],
  [1, 1],
  [3, 1],
  [0, 4],
  [4, 7],
  [2, 3, 16],
  [3, 17],
  [2, 33],
  [5, 67],
];

/** Pairs of shapes that broadcast in every way: equal, scalar, by column, by row, both ways, and with nothing in them. */
export const broadcastShapes: readonly (readonly [Shape, Shape])[] = [
  [[], []],
  [[], [3]],
  [[17], []],
  [[5], [1]],
  [
    [2, 3],
    [2, 3],
  ],
  [[33], [33]],
  [
    [3, 1],
    [1, 4],
  ],
  [[2, 2, 3], [3]],
  [[3], [2, 3]],
  [
    [2, 1, 2],
    [3, 1],
  ],
  [
    [1, 1],
    [3, 5],
  ],
  [[9, 17], [17]],
  [
    [17, 9],
    [17, 1],
  ],
  [[0, 3], [3]],
  [
    [2, 1, 0],
    [1, 3, 1],
  ],
  [
    [1, 2, 1, 2, 1, 2],
    [2, 1, 2, 1, 2, 1],
  ],
];

/** Values that what an activation saves for its gradient can have: of the output where it is the output. */
export function savedRange(kind: Activation, slope: number): readonly [number, number] {
  if (kind === "elu") return [-0.95 * slope, 2];
  if (kind === "sigmoid" || kind === "softplus" || kind === "relu") return [0.01, 0.99];
  return kind === "tanh" ? [-0.99, 0.99] : [-2, 2];
}
