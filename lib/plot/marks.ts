// Marks for examples: a shape and a colour per kind.
import {
  symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolStar, symbolTriangle, symbolWye,
} from "d3-shape"; // prettier-ignore
import { element, group, title, type Markup } from "./svg.js";
import { category } from "./theme.js";

const shapes = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolStar, symbolWye];

export interface Mark {
  readonly x: number;
  readonly y: number;
  /** Chooses shape and colour; undefined for a ring alone. */
  readonly kind: number | undefined;
  /** Whether it gets a ring. */
  readonly ringed: boolean;
}

/** @param tooltip - what is said when the pointer rests on it */
export function drawMark({ x, y, kind, ringed }: Mark, tooltip?: string): Markup {
  const rounded = (value: number): number => Math.round(value * 10) / 10;
  const parts: Markup[] = tooltip === undefined ? [] : [title(tooltip)];
  if (kind !== undefined) {
    const shape = symbol(shapes[kind % shapes.length], 38).digits(1)()!;
    parts.push(element("path", { class: `dot halo ${category(kind).class}`, d: shape }));
  }
  if (ringed) parts.push(element("circle", { class: "ring", fill: "none", r: 6 }));
  return group({ transform: `translate(${rounded(x)} ${rounded(y)})` }, parts);
}
