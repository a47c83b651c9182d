// Panels of lines over steps or epochs, and pictures made of such panels.
import { line } from "d3-shape";
import { frame, pictureTitle, type Box, type Entry } from "./frame.js";
import { Plot } from "./plot.js";
import { numberScale, short, suitableKind } from "./scale.js";
import { element, group, title, type Markup } from "./svg.js";
import type { Look } from "./theme.js";

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
  readonly look: Look;
}

export interface LinePanel {
  readonly heading?: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

export interface LinesOptions {
  readonly title: string;
  /** What the values are counted by: `epoch`, `iteration`. */
  readonly xLabel: string;
  /** Where on that axis the values are. Default: 1, 2, 3 and so on. */
  readonly at?: readonly number[];
  /** Default: what suits the values. */
  readonly scale?: "linear" | "log" | undefined;
}

const panelSize = { width: 440, height: 280 };
const margin = 16;
/** More lines than this get a legend of some of them; all have tooltips. */
const mostEntries = 16;

/** One panel, or several side by side in two columns. */
export function linesPlot(panels: readonly LinePanel[], options: LinesOptions): Plot {
  const columns = Math.min(2, panels.length);
  const size = columns === 1 ? { width: 680, height: 360 } : panelSize;
  const width = columns * size.width + (columns + 1) * margin;
  const head = pictureTitle(options.title, width);
  const height = head.height + Math.ceil(panels.length / columns) * (size.height + margin);
  const drawn = panels.map((panel, i) => {
    const x = margin + (i % columns) * (size.width + margin);
    const y = head.height + Math.floor(i / columns) * (size.height + margin);
    return linePanel({ x, y, ...size }, panel, options);
  });
  const lines = panels.map(({ yLabel, series }) => `${yLabel}: ${series.map(describe).join(", ")}`);
  return new Plot(`${options.title}. ${lines.join("; ")}.`, width, height, [head.markup, ...drawn]);
}

function linePanel(box: Box, { heading, yLabel, series }: LinePanel, { xLabel, at, scale }: LinesOptions): Markup {
  const values = series.flatMap((one) => one.values);
  const longest = Math.max(...series.map((one) => one.values.length));
  const ends = at ?? (longest === 1 ? [0.5, 1.5] : [1, longest]);
  const { area, x, y, markup } = frame<number, number>(box, {
    ...(heading === undefined ? {} : { heading }),
    legend: series.length === 1 ? [] : legendOf(series),
    x: { label: xLabel, scale: (range, ticks) => numberScale(ends, "linear", { range, ticks, whole: true }) },
    y: { label: yLabel, scale: (range, ticks) => numberScale(values, scale ?? suitableKind(values), { range, ticks }) },
  });
  const drawn = series.map((one) => {
    const points = one.values.map((value, i) => ({ at: at?.[i] ?? i + 1, value }));
    const placed = points.map((point) => ({ ...point, x: x.at(point.at), y: y.at(point.value) }));
    return drawSeries(one, placed, area.width, xLabel);
  });
  return group({}, [markup, ...drawn]);
}

interface Point {
  readonly at: number;
  readonly value: number;
  readonly x: number;
  /** NaN where the value has no place. */
  readonly y: number;
}

function drawSeries({ name, look }: Series, points: readonly Point[], width: number, xLabel: string): Markup {
  const path = line<Point>()
    .defined(({ y }) => Number.isFinite(y))
    .x(({ x }) => x)
    .y(({ y }) => y)
    .digits(2)(envelope(points, width));
  const whole = element("path", { ...look, class: `line ${look.class}`, d: path ?? undefined }, [title(name)]);
  // A value whose neighbours are missing is no line; and where there are few, each can be pointed at.
  const few = points.length * 24 <= width;
  const missing = (i: number): boolean => !Number.isFinite(points[i]?.y);
  const dots = points.flatMap(({ at, value, x, y }, i) => {
    const alone = missing(i - 1) && missing(i + 1);
    if (missing(i) || !(few || alone)) return [];
    const dot = { class: `dot ${look.class}`, cx: x, cy: y, r: alone ? 3.5 : 2.5 };
    return [element("circle", dot, [title(`${name}, ${xLabel} ${short(at, 9)}: ${short(value)}`)])];
  });
  return group({}, [whole, ...dots]);
}

/** Of more points than can be told apart, the lowest and the highest of each pixel, and of each gap one. */
function envelope(points: readonly Point[], width: number): readonly Point[] {
  const each = Math.ceil(points.length / width);
  if (each <= 4) return points;
  return Array.from({ length: Math.ceil(points.length / each) }, (_, pixel) => {
    const part = points.slice(pixel * each, (pixel + 1) * each);
    const seen = part.filter(({ y }) => Number.isFinite(y));
    const ends = seen.length === 0 ? [] : [seen.reduce((a, b) => (b.y < a.y ? b : a)), seen.reduce((a, b) => (b.y > a.y ? b : a))]; // prettier-ignore
    const gap = seen.length < part.length ? [part.find(({ y }) => !Number.isFinite(y))!] : [];
    return [...ends, ...gap].sort((a, b) => a.at - b.at);
  }).flat();
}

function legendOf(series: readonly Series[]): Entry[] {
  const every = Math.ceil(series.length / mostEntries);
  const shown = series.filter((_, i) => i % every === 0 || i === series.length - 1);
  return shown.map(({ name, look }) => ({
    name,
    mark: (x, y) => element("path", { ...look, class: `line ${look.class}`, d: `M${x - 12},${y}h24` }),
  }));
}

function describe({ name, values }: Series): string {
  const [first, last] = [values[0], values.at(-1)];
  return first === undefined ? `${name} has no values` : `${name} from ${short(first)} to ${short(last!)}`;
}
