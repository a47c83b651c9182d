// The frame of a panel: heading, legend, axes with ticks and names, grid. What is drawn inside is the business of the others.
import type { Scale } from "./scale.js";
import { characters, element, group, text, widthOf, wrapped, type Markup } from "./svg.js";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Axis<Value> {
  readonly label: string;
  /** The scale for a range of pixels and the number of ticks that fit there. */
  readonly scale: (range: readonly [number, number], ticks: number) => Scale<Value>;
}

/** An entry of a legend: what it is called, and its mark in a square of 12 pixels around a point. */
export interface Entry {
  readonly name: string;
  readonly mark: (x: number, y: number) => Markup;
}

export interface FrameOptions<X, Y> {
  readonly heading?: string;
  readonly legend?: readonly Entry[];
  readonly x: Axis<X>;
  readonly y: Axis<Y>;
}

export interface Frame<X, Y> {
  /** Where the values are. */
  readonly area: Box;
  readonly x: Scale<X>;
  readonly y: Scale<Y>;
  readonly markup: Markup;
}

const lineHeight = 18;
const tickGap = 10;

/** Lays out a panel in `box`. */
export function frame<X, Y>(box: Box, { heading, legend = [], x, y }: FrameOptions<X, Y>): Frame<X, Y> {
  const rows = legendRows(legend, box.width - 64);
  const top = box.y + (heading === undefined ? 0 : 22) + rows.length * lineHeight + 8;
  const bottom = box.y + box.height - 42;
  const yScale = y.scale([bottom, top], Math.max(2, Math.floor((bottom - top) / 36)));
  const mostLabel = Math.min(120, Math.max(...yScale.ticks.map(({ label }) => widthOf(label)), 0));
  const left = box.x + 24 + mostLabel + 6;
  const right = box.x + box.width - 14;
  const xScale = x.scale([left, right], Math.max(2, Math.floor((right - left) / 64)));
  const area = { x: left, y: top, width: right - left, height: bottom - top };
  const legendTop = box.y + (heading === undefined ? 0 : 22) + 10;
  const markup = group({}, [
    ...(heading === undefined ? [] : [text(heading, { class: "heading", x: left, y: box.y + 14 }, right - left)]),
    ...rows.map((row, i) =>
      legendRow(row, rows.length > 1 ? columnWidth(legend) : undefined, left, legendTop + i * lineHeight),
    ),
    ...yAxis(yScale, y.label, area, box, mostLabel),
    ...xAxis(xScale, x.label, area),
  ]);
  return { area, x: xScale, y: yScale, markup };
}

function xAxis<X>(scale: Scale<X>, label: string, { x, y, width, height }: Box): Markup[] {
  const bottom = y + height;
  const ticks = thinned(scale.ticks, width);
  const room = ticks.length < 2 ? width : Math.abs(ticks[1]!.at - ticks[0]!.at) - 4;
  return [
    element("path", { class: "axis", d: `M${x},${bottom}h${width}` }),
    ...ticks.map(({ at }) => element("path", { class: "axis", d: `M${Math.round(at * 100) / 100},${bottom}v4` })),
    ...ticks.map(({ at, label }) => {
      // A label at the end of the axis must not leave the picture.
      const over = at + widthOf(label) / 2 - (x + width + 12);
      return text(
        label,
        { class: "quiet", x: over > 0 ? at - over : at, y: bottom + 17, "text-anchor": "middle" },
        room,
      );
    }),
    text(named(label, scale), { x: x + width / 2, y: bottom + 36, "text-anchor": "middle" }, width + 40),
  ];
}

function yAxis<Y>(scale: Scale<Y>, label: string, { x, y, width, height }: Box, box: Box, room: number): Markup[] {
  const middle = y + height / 2;
  const place = { x: box.x + 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 ${box.x + 14} ${middle})` };
  return [
    ...scale.ticks.map(({ at }) =>
      element("path", { class: "grid", d: `M${x},${Math.round(at * 100) / 100}h${width}` }),
    ),
    ...scale.ticks.map(({ at, label }) =>
      text(label, { class: "quiet", x: x - 6, y: at + 4, "text-anchor": "end" }, room + 1),
    ),
    text(named(label, scale), place, height + 30),
  ];
}

const named = (label: string, { note }: Scale<never>): string => (note === undefined ? label : `${label}, ${note}`);

/** As many of the ticks, evenly, as have room for what `size` pixels of their labels take. */
export function thinned(ticks: Scale<never>["ticks"], room: number, size?: number): Scale<never>["ticks"] {
  const widest = size ?? Math.min(90, Math.max(...ticks.map(({ label }) => widthOf(label)), 0)) + tickGap;
  const every = Math.max(1, Math.ceil((ticks.length * widest) / (room + widest)));
  return ticks.filter((_, i) => i % every === 0);
}

const entryWidth = ({ name }: Entry): number => 30 + Math.min(widthOf(name), 160) + 16;

/** A row where one is enough, else columns. */
function legendRows(entries: readonly Entry[], width: number): Entry[][] {
  const total = entries.reduce((sum, entry) => sum + entryWidth(entry), 0);
  const perRow = total <= width ? entries.length : Math.max(1, Math.floor(width / columnWidth(entries)));
  return Array.from({ length: Math.ceil(entries.length / (perRow || 1)) }, (_, i) =>
    entries.slice(i * perRow, (i + 1) * perRow),
  );
}

const columnWidth = (entries: readonly Entry[]): number => Math.max(...entries.map(entryWidth));

function legendRow(entries: readonly Entry[], column: number | undefined, x: number, y: number): Markup {
  let at = x;
  return group(
    {},
    entries.flatMap((entry) => {
      const markup = [entry.mark(at + 12, y), text(entry.name, { x: at + 30, y: y + 4 }, 160)];
      at += column ?? entryWidth(entry);
      return markup;
    }),
  );
}

/** The heading of a whole picture with notes below it, and where the rest may begin. */
export function pictureTitle(
  content: string,
  width: number,
  ...notes: readonly string[]
): { readonly markup: Markup; readonly height: number } {
  const lines = notes.flatMap((note) => wrapped(note, width - 2 * inset));
  const markup = group({}, [
    text(content, { class: "title", x: inset, y: 26 }, (width - 2 * inset) / 1.3),
    ...lines.map((line, i) => element("text", { class: "quiet", x: inset, y: 45 + i * 16 }, [characters(line)])),
  ]);
  return { markup, height: 42 + lines.length * 16 + (lines.length > 0 ? 4 : 0) };
}

const inset = 16;
