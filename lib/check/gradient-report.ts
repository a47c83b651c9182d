// What a gradient check found: the figure, the verdict, and which elements of which parameter are wrong. The slopes come from differences.ts.
import type { Shape } from "../tensor.js";
import { textTable } from "../text-table.js";
import type { Slopes } from "./differences.js";

/** Below 1e-7 great, below 1e-5 worth a look, below 1e-3 a worry, above it wrong. */
export type GradientVerdict = "great" | "look" | "worry" | "wrong";

/** One element of a parameter. */
export interface CheckedElement {
  readonly index: readonly number[];
  /** What the gradient claims. */
  readonly gradient: number;
  /** What the two-sided difference says. */
  readonly difference: number;
}

/** How the gradient of one parameter compares with the differences. */
export interface CheckedParameter {
  readonly name: string;
  readonly shape: Shape;
  /** Elements that were compared. */
  readonly checked: number;
  /** Elements left out since the cost has a corner there, as ReLU has at 0: a difference across it is no derivative. */
  readonly corners: number;
  readonly figure: number;
  readonly verdict: GradientVerdict;
  /** The elements with the largest errors, the worst first. */
  readonly worst: readonly CheckedElement[];
  /** What the gradient is times what it should be, where that is the same for all elements. */
  readonly factor: number | undefined;
}

const bounds: readonly (readonly [below: number, verdict: GradientVerdict])[] = [[1e-7, "great"], [1e-5, "look"], [1e-3, "worry"], [Infinity, "wrong"]]; // prettier-ignore
const mostNamed = 5;

/** The outcome of {@link gradientCheck}: plain data, and as a string what to look at. */
export class GradientReport {
  /** `‖dθ_approx - dθ‖ / (‖dθ_approx‖ + ‖dθ‖)` over everything that was compared; 0 where all slopes are 0. */
  readonly figure: number;
  /** The worst of the figure's and the parameters': a small parameter that is wrong does not vanish among large ones that are right. */
  readonly verdict: GradientVerdict;
  /** Whether the verdict is "great" or "look", and anything was compared at all. */
  readonly passed: boolean;
  /** Elements compared. */
  readonly checked: number;
  /** Elements there are. */
  readonly elements: number;

  /** @internal */
  constructor(
    readonly parameters: readonly CheckedParameter[],
    whole: Comparison,
    /** The cost at the point of the check, penalties included. */
    readonly cost: number,
    /** How far each element was moved. */
    readonly epsilon: number,
    /** What rounding may leave of a difference; errors up to it count as none. */
    readonly rounding: number,
  ) {
    this.figure = whole.figure;
    const verdicts = [whole.verdict, ...parameters.map(({ verdict }) => verdict)];
    this.verdict = bounds.findLast(([, verdict]) => verdicts.includes(verdict))![1];
    this.checked = parameters.reduce((sum, { checked }) => sum + checked, 0);
    this.passed = this.checked > 0 && (this.verdict === "great" || this.verdict === "look");
    this.elements = parameters.reduce((sum, { shape }) => sum + shape.reduce((size, dim) => size * dim, 1), 0);
  }

  toString(): string {
    const corners = this.parameters.reduce((sum, parameter) => sum + parameter.corners, 0);
    const rows = this.parameters.map(({ name, shape, checked, figure, verdict }) => [
      name,
      `[${shape.join(", ")}]`,
      `${checked}`,
      figure.toExponential(1),
      verdict,
    ]);
    return [
      `gradient check: ${this.verdict}; ${this.figure.toExponential(1)} over ${this.checked} of ${this.elements} elements`,
      "(below 1e-7 great, 1e-5 look, 1e-3 worry, above wrong)",
      ...(corners > 0
        ? [
            `${corners} elements left out: the cost has a corner there, such as ReLU's at 0; try other inputs or weights`,
          ]
        : []),
      ...(this.parameters.some(({ figure, verdict }) => verdict === "great" && figure >= bounds[0]![0])
        ? [
            `(gradients so small that their errors are within rounding, ±${this.rounding.toExponential(1)}, count as great)`,
          ]
        : []),
      "",
      ...textTable([["parameter", "shape", "checked", "figure", "verdict"], ...rows], [0, 1, 4]),
      ...this.parameters
        .filter(({ verdict }) => verdict === "wrong" || verdict === "worry")
        .flatMap((parameter) => ["", ...detailOf(parameter)]),
    ].join("\n");
  }
}

function detailOf({ name, worst, factor }: CheckedParameter): string[] {
  const nothing = worst.every(({ gradient }) => gradient === 0);
  const said = nothing
    ? ": no gradient arrives, but the cost depends on it"
    : factor === undefined
      ? ""
      : `: all of its gradient is ${Number(factor.toPrecision(4))} times what it should be`;
  const rows = worst.map(({ index, gradient, difference }) => [
    `  [${index.join(", ")}]`,
    gradient.toPrecision(8),
    difference.toPrecision(8),
  ]);
  return [`${name}${said}`, ...textTable([["  element", "gradient", "difference"], ...rows])];
}

interface Comparison {
  readonly figure: number;
  readonly verdict: GradientVerdict;
}

/** Puts a report together from the slopes of each parameter. */
export function reportOf(
  parameters: readonly { readonly name: string; readonly shape: Shape }[],
  slopes: readonly Slopes[],
  cost: number,
  epsilon: number,
): GradientReport {
  const rounding = roundingOf(cost, epsilon);
  const judged = slopes.map((own) => smooth(own, cost, epsilon, rounding));
  const checked = parameters.map(({ name, shape }, p): CheckedParameter => {
    const own = judged[p]!;
    const { gradient, difference } = own;
    const order = [...gradient.keys()].sort((a, b) => errorAt(own, b) - errorAt(own, a));
    return {
      name,
      shape,
      checked: gradient.length,
      corners: slopes[p]!.components.length - gradient.length,
      ...compare(own, rounding),
      worst: order.slice(0, mostNamed).map((i) => ({
        index: indexOf(own.components[i]!, shape),
        gradient: gradient[i]!,
        difference: difference[i]!,
      })),
      factor: factorOf(own, rounding),
    };
  });
  const all = {
    components: [],
    gradient: judged.flatMap(({ gradient }) => gradient),
    difference: judged.flatMap(({ difference }) => difference),
  };
  return new GradientReport(checked, compare(all, rounding), cost, epsilon, rounding);
}

/**
 * What rounding may leave of a difference: costs are right to a few units in the last place (a few terms of order 1 are lost in small costs, too),
 * and the error is divided by ε.
 */
function roundingOf(cost: number, epsilon: number): number {
  return (4 * Number.EPSILON * Math.max(1, Math.abs(cost))) / epsilon;
}

interface Pairs {
  readonly components: readonly number[];
  readonly gradient: readonly number[];
  readonly difference: readonly number[];
}

const errorAt = ({ gradient, difference }: Pairs, i: number): number => Math.abs(gradient[i]! - difference[i]!);

/** The elements at which the cost is smooth. Where its slopes on either side differ, neither they nor their mean says what the gradient should be. */
function smooth({ components, gradient, costs }: Slopes, cost: number, epsilon: number, rounding: number): Pairs {
  const kept: { components: number[]; gradient: number[]; difference: number[] } = {
    components: [],
    gradient: [],
    difference: [],
  };
  components.forEach((component, i) => {
    const [before, after] = [costs[2 * i]!, costs[2 * i + 1]!];
    const [left, right] = [(cost - before) / epsilon, (after - cost) / epsilon];
    const difference = (after - before) / (2 * epsilon);
    const bend = Math.abs(right - left);
    const bends = bend > 16 * rounding + 1e-3 * (Math.abs(left) + Math.abs(right));
    const error = Math.abs(gradient[i]! - difference);
    if (bends && error > rounding) return;
    kept.components.push(component);
    kept.gradient.push(gradient[i]!);
    kept.difference.push(difference);
  });
  return kept;
}

const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

function compare(pairs: Pairs, rounding: number): Comparison {
  const error = norm(pairs.gradient.map((_, i) => errorAt(pairs, i)));
  const figure = error === 0 ? 0 : error / (norm(pairs.gradient) + norm(pairs.difference));
  const rounded = error <= rounding * Math.sqrt(pairs.gradient.length);
  if (pairs.gradient.length === 0) return { figure, verdict: "look" };
  return { figure, verdict: rounded ? "great" : (bounds.find(([below]) => figure < below)?.[1] ?? "wrong") };
}

/** The factor by which the gradient is off, where it is the same one throughout, as when a 2 or a 1/m was forgotten. */
function factorOf({ gradient, difference }: Pairs, rounding: number): number | undefined {
  const dot = gradient.reduce((sum, value, i) => sum + value * difference[i]!, 0);
  const factor = dot / norm(difference) ** 2;
  const rest = norm(gradient.map((value, i) => value - factor * difference[i]!));
  const fits = rest <= 1e-5 * norm(gradient) + rounding * Math.sqrt(gradient.length);
  return gradient.length > 1 && dot !== 0 && fits && Math.abs(factor - 1) > 1e-3 ? factor : undefined;
}

/** Row and column and so on of a place in a tensor. */
function indexOf(place: number, shape: Shape): number[] {
  let rest = place;
  return shape
    .toReversed()
    .map((dim) => {
      const index = rest % dim;
      rest = Math.floor(rest / dim);
      return index;
    })
    .toReversed();
}
