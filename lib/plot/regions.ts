// Where in the plane each class is the likeliest: asks a classifier at the places of a grid and draws the lines between them.
import { contours } from "d3-contour";
import { tensor, type Tensor } from "../tensor.js";
import type { Box } from "./frame.js";
import { element, title, type Markup } from "./svg.js";
import { category } from "./theme.js";

/** A part of the plane. */
export interface Plane {
  readonly x: readonly [low: number, high: number];
  readonly y: readonly [low: number, high: number];
}

/** Places asked per side; lines are interpolated between them. */
const resolution = 140;
/** How far ahead of the next class the likeliest one is where a colour gets stronger. */
const leads = [0, 0.5, 0.9];

/** The middles of the cells of a grid over the plane, `[cells, 2]`, in rows from the top. */
export function gridOver({ x, y }: Plane): Tensor {
  const at = ([low, high]: readonly [number, number], cell: number): number =>
    low + ((cell + 0.5) / resolution) * (high - low);
  const places = Float32Array.from({ length: 2 * resolution ** 2 }, (_, i) => {
    const [row, column] = [Math.floor(i / 2 / resolution), Math.floor(i / 2) % resolution];
    return i % 2 === 0 ? at(x, column) : at(y, resolution - 1 - row);
  });
  return tensor(places, { shape: [resolution ** 2, 2] });
}

/**
 * The regions of the classes, in `area`.
 *
 * @param scores - at the places of gridOver(), `[cells][classes]`
 */
export function drawRegions(area: Box, scores: readonly (readonly number[])[], names: readonly string[]): Markup {
  const { x, y, width, height } = area;
  const levels = names.map((name, k) => ({
    name,
    look: category(k),
    paths: contours()
      .size([resolution, resolution])
      .thresholds(leads)(scores.map((each) => leadOf(each, k)))
      .map(({ coordinates }) => pathOf(coordinates, [width / resolution, height / resolution])),
  }));
  // An SVG of its own cuts off the edges of the contours.
  return element("svg", { x, y, width, height }, [
    ...levels.flatMap(({ name, look, paths }) =>
      paths.map((d) =>
        element("path", { class: look.class, fill: "currentColor", "fill-opacity": 0.14, d }, [title(name)]),
      ),
    ),
    ...levels.map(({ paths }) => element("path", { class: "boundary", d: paths[0] })),
  ]);
}

/** By how much the score of class k exceeds that of the best other class. */
function leadOf(scores: readonly number[], k: number): number {
  const others = scores.reduce((most, score, j) => (j === k ? most : Math.max(most, score)), -Infinity);
  return scores[k]! - others;
}

type Ring = readonly (readonly number[])[];

function pathOf(polygons: readonly (readonly Ring[])[], pixels: readonly [across: number, down: number]): string {
  const placed = (cells: number, axis: number): number => Math.round(cells * pixels[axis]! * 10) / 10;
  const ring = (points: Ring): string => `M${points.map((point) => point.map(placed).join()).join("L")}Z`;
  return polygons.flat().map(ring).join("");
}
