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

function linePanel(box: Box, { heading, yLabel, series }: LinePanel, { xLabel, scale }: LinesOptions): Markup {
  const values = series.flatMap((one) => one.values);
  const longest = Math.max(...series.map((one) => one.values.length));
  const kind = scale ?? suitableKind(values);
  const { area, x, y, markup } = frame<number, number>(box, {
    ...(heading === undefined ? {} : { heading }),
    legend: series.length === 1 ? [] : legendOf(series),
    x: { label: xLabel, scale: (range, ticks) => numberScale(longest === 1 ? [0.5, 1.5] : [1, longest], "linear", { range, ticks, whole: true }) },
    y: { label: yLabel, scale: (range, ticks) => numberScale(values, kind === "log" ? "log" : "linear", { range, ticks }) },
  }); // prettier-ignore
  const drawn = series.map((one) => drawSeries(one, (i) => x.at(i + 1), y.at, area, xLabel));
  return group({}, [markup, ...drawn]);
}

function drawSeries(
  { name, values, look }: Series,
  xAt: (index: number) => number,
  yAt: (value: number) => number,
  area: Box,
  xLabel: string,
): Markup {
  const path = line<number>()
    .defined((value) => Number.isFinite(yAt(value)))
    .x((_, i) => xAt(i))
    .y(yAt)
    .digits(2)(values);
  const whole = element("path", { ...look, class: `line ${look.class}`, d: path ?? undefined }, [title(name)]);
  // A value whose neighbours are missing is no line; and where there are few, each can be pointed at.
  const few = values.length * 24 <= area.width;
  const alone = (i: number): boolean =>
    !Number.isFinite(values[i - 1] ?? NaN) && !Number.isFinite(values[i + 1] ?? NaN);
  const dots = values.flatMap((value, i) =>
    Number.isFinite(yAt(value)) && (few || alone(i))
      ? [
          element(
            "circle",
            { class: `dot ${look.class}`, cx: xAt(i), cy: yAt(value), r: few && !alone(i) ? 2.5 : 3.5 },
            [title(`${name}, ${xLabel} ${i + 1}: ${short(value)}`)],
          ),
        ]
      : [],
  );
  return group({}, [whole, ...dots]);
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
