// The plot of a search: parallel coordinates, and the score against each parameter.
import { line } from "d3-shape";
import { frame, pictureTitle, type Axis, type Box } from "./frame.js";
import { Plot } from "./plot.js";
import { numberScale, short, suitableKind, type Scale } from "./scale.js";
import { element, group, text, title as tooltip, type Markup } from "./svg.js";
import { light, rampClass } from "./theme.js";
import { searchOf, type Parameter, type Scored, type Search, type SearchInput, type SearchOptions } from "./trials.js";

/**
 * The trials of a search for hyper-parameters, in two views: a line per trial through the axes of all parameters up to its score, and a panel per
 * parameter with the score against it. The best trials are the most colourful; parameters that are the same in all trials are left out, and trials
 * without a score are counted only.
 *
 * @throws OptionError when no trial has a score, or all have the same configuration
 *
 * @example
 * ```ts
 * const found = [
 *   { config: { learningRate: 0.1, units: 16 }, score: 0.61 },
 *   { config: { learningRate: 0.001, units: 64 }, score: 0.47 },
 *   { config: { learningRate: 0.003, units: 32 }, score: 0.44 },
 * ];
 * await plot.search(found, { scoreLabel: "dev RMSE", scales: { learningRate: "log" } }).save("search.svg");
 * ```
 */
export function search(results: SearchInput, options: SearchOptions = {}): Plot {
  const found = searchOf(results, options);
  const { trials, parameters, unscored } = found;
  const { title = "Search", scoreLabel = "score" } = options;
  const best = trials.at(-1)!;
  const settings = parameters.flatMap(({ name }) => {
    const value = best.values.get(name);
    return value === undefined ? [] : [`${name} ${typeof value === "number" ? short(value) : value}`];
  });
  const counted = `${trials.length + unscored} trials${unscored === 0 ? "" : `, ${unscored} without a score`}`;
  const bestOne = `Best ${scoreLabel} ${short(best.score)}: ${settings.join(", ")}`;
  const width = Math.max(960, 2 * margin + (parameters.length + 1) * 120);
  const head = pictureTitle(title, width, counted, bestOne);
  const lines = { x: margin, y: head.height, width: width - 2 * margin, height: 330 };
  const columns = Math.floor((width - margin) / (300 + margin));
  const panel = { width: (width - margin) / columns - margin, height: 260 };
  const top = lines.y + lines.height + 24;
  const height = top + Math.ceil(parameters.length / columns) * (panel.height + margin);
  return new Plot(`${title}: ${counted}. ${bestOne}`, width, height, [
    head.markup,
    parallel(lines, found, scoreLabel),
    ...parameters.map((parameter, i) => {
      const x = margin + (i % columns) * (panel.width + margin);
      const y = top + Math.floor(i / columns) * (panel.height + margin);
      return scatter({ x, y, ...panel }, parameter, found, scoreLabel);
    }),
  ]);
}

const margin = 16;

/** Parallel coordinates: an upright axis per parameter, the score last, its good end up. */
function parallel(box: Box, { trials, parameters, mode }: Search, scoreLabel: string): Markup {
  const [top, bottom] = [box.y + 56, box.y + box.height - 10];
  const range = [bottom, top] as const;
  const scores = trials.map(({ score }) => score);
  const scale = numberScale(scores, suitableKind(scores), { range: mode === "max" ? range : [top, bottom], ticks: 6 });
  const axes = [
    ...parameters.map((parameter) => {
      const own = parameter.scale(range, 6, 15);
      return { name: parameter.name, scale: own, at: (trial: Scored) => parameter.at(trial, own) };
    }),
    { name: scoreLabel, scale: scale as Scale<never>, at: ({ score }: Scored) => scale.at(score) },
  ];
  const spacing = (box.width - 130) / (axes.length - 1);
  const xOf = (i: number): number => box.x + 60 + i * spacing;
  const path = line<number>()
    .defined(Number.isFinite)
    .x((_, i) => xOf(i))
    .y((y) => y)
    .digits(1);
  const lines = trials.map((trial) => {
    const best = trial.best;
    const look = `line ${best ? "best" : "thin"} ${rampClass(trial.merit)}`;
    const d = path(axes.map(({ at }) => at(trial)))!;
    const dashes = trial.done ? {} : { "stroke-dasharray": "3 3" };
    return element("path", { class: look, "stroke-opacity": 0.35 + 0.65 * trial.merit, d, ...dashes }, [tooltip(describe(trial))]); // prettier-ignore
  });
  return group({}, [
    ...axes.map((_, i) => element("path", { class: "axis", d: `M${xOf(i)},${top}V${bottom}` })),
    ...lines,
    ...axes.map(({ name, scale }, i) => uprightAxis(name, scale, xOf(i), box.y + 24, spacing)),
    ...meritLegend(trials, box.x + box.width, box.y),
  ]);
}

function uprightAxis(name: string, { ticks, note }: Scale<never>, x: number, y: number, room: number): Markup {
  return group({}, [
    text(name, { class: "heading", x, y, "text-anchor": "middle" }, room - 6),
    ...(note === undefined ? [] : [text(note.replace("log scale", "log"), { class: "quiet", x, y: y + 15, "text-anchor": "middle" }, room - 6)]),
    ...ticks.flatMap(({ at, label }) => [
      element("path", { class: "axis", d: `M${x - 4},${at}h4` }),
      text(label, { class: "quiet outlined", x: x - 7, y: at + 4, "text-anchor": "end" }, Math.min(room - 14, 100)),
    ]),
  ]); // prettier-ignore
}

/** What the colours of lines and dots mean. */
function meritLegend(trials: readonly Scored[], right: number, y: number): Markup[] {
  const steps = light.ramp.length;
  const left = right - steps * 10 - 40;
  const stopped = trials.some(({ done }) => !done);
  return [
    text("worst", { class: "quiet", x: left - 6, y: y + 4, "text-anchor": "end" }),
    ...Array.from({ length: steps }, (_, i) =>
      element("rect", { class: `dot ${rampClass(i / (steps - 1))}`, x: left + i * 10, y: y - 6, width: 10, height: 12 }),
    ),
    text("best", { class: "quiet", x: right - 34, y: y + 4 }),
    ...(stopped ? [text("dashed, hollow: not trained to the end", { class: "quiet", x: left - 60, y: y + 4, "text-anchor": "end" })] : []),
  ]; // prettier-ignore
}

function scatter(box: Box, parameter: Parameter, { trials }: Search, scoreLabel: string): Markup {
  const scores = trials.map(({ score }) => score);
  const y: Axis<number> = {
    label: scoreLabel,
    scale: (range, ticks) => numberScale(scores, suitableKind(scores), { range, ticks }),
  };
  const placed = frame(box, {
    x: { label: parameter.name, scale: (range, ticks) => parameter.scale(inset(range), ticks, 44) },
    y,
  });
  const dots = trials.flatMap((trial) => {
    const [cx, cy] = [parameter.at(trial, placed.x), placed.y.at(trial.score)];
    if (!Number.isFinite(cx)) return [];
    const best = trial.best;
    const look = trial.done ? "dot halo" : "line thin";
    return [
      element("circle", { class: `${look} ${rampClass(trial.merit)}`, cx, cy, r: best ? 6 : 4 }, [
        tooltip(describe(trial)),
      ]),
    ];
  });
  return group({}, [placed.markup, ...dots]);
}

/** Room for dots at the ends of an axis. */
const inset = ([start, end]: readonly [number, number]): readonly [number, number] => [start + 8, end - 8];

function describe({ score, values, done }: Scored): string {
  const settings = [...values].map(([name, value]) => `${name} ${typeof value === "number" ? short(value) : value}`);
  return `${short(score)}${done ? "" : " (not trained to the end)"}: ${settings.join(", ")}`;
}
