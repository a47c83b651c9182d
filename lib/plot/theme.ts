// Colours and letters of all plots, light and dark. Every renderer understands classes; custom properties only browsers do.

interface Theme {
  readonly paper: string;
  readonly ink: string;
  readonly quiet: string;
  readonly grid: string;
  /** Full colour of a heat map, on which ink is still readable; shares are its opacity. */
  readonly heat: string;
  /** Colours of things that have no order; told apart by most colour-blind people, and by dashes and shapes besides. */
  readonly categories: readonly string[];
  /** From the first, or least, to the last, or most, of things in order: contrast grows. */
  readonly ramp: readonly string[];
}

/** @internal */
export const light: Theme = {
  paper: "#ffffff",
  ink: "#1b1f24",
  quiet: "#57606a",
  grid: "#d8dee4",
  heat: "#5f9ce0",
  categories: ["#0b62c4", "#c2410c", "#0a7a55", "#a3328a", "#7a6000", "#0b7a93", "#c0203f", "#555b63"],
  ramp: ["#a08408", "#b97820", "#c76a3f", "#c95a5c", "#bd4975", "#a83b88", "#8d3196", "#6d2a9c", "#4b2398", "#2a1a8a"],
};

/** @internal */
export const dark: Theme = {
  paper: "#15181d",
  ink: "#e8ecf1",
  quiet: "#a3adb8",
  grid: "#343b44",
  heat: "#2b66ad",
  categories: ["#64acff", "#ff9a5c", "#3ecf9b", "#ee92d6", "#e0bf35", "#5cd3ea", "#ff8394", "#b9c1ca"],
  ramp: ["#8f8cff", "#a38cf7", "#b78cee", "#ca8ce2", "#dc8dd3", "#ea91c0", "#f498a9", "#f9a38f", "#f8b274", "#f1c45a"],
};

/** Dash patterns that tell lines apart without colour. */
const dashes = [undefined, "7 4", "2 3", "10 3 2 3"];

/** Attributes of a line. */
export interface Look {
  readonly class: string;
  readonly "stroke-dasharray": string | undefined;
}

/** The look of category `index`, with which colours start again after eight. */
export const category = (index: number): Look => ({
  class: `c${index % light.categories.length}`,
  "stroke-dasharray": dashes[index % dashes.length],
});

/** The look of thing `index` of `count` that are in order. */
export const ordered = (index: number, count: number): Look => ({
  class: rampClass(count === 1 ? 1 : index / (count - 1)),
  "stroke-dasharray": count <= light.ramp.length ? dashes[index % dashes.length] : undefined,
});

/** The class of a place from 0 (first, lowest) to 1 (last, highest). */
export const rampClass = (place: number): string => `r${Math.round(place * (light.ramp.length - 1))}`;

function rules({ paper, ink, quiet, grid, heat, categories, ramp }: Theme): string {
  const colours = [
    ...categories.map((colour, i) => [`c${i}`, colour]),
    ...ramp.map((colour, i) => [`r${i}`, colour]),
    ["quiet", quiet],
    ["heat", heat],
  ];
  return [
    `.simdnn-plot .paper{fill:${paper}}`,
    `.simdnn-plot text{fill:${ink}}`,
    `.simdnn-plot text.quiet{fill:${quiet}}`,
    `.simdnn-plot .outlined{stroke:${paper};stroke-width:3;paint-order:stroke;stroke-linejoin:round}`,
    `.simdnn-plot .grid{stroke:${grid}}`,
    `.simdnn-plot .axis{stroke:${quiet}}`,
    `.simdnn-plot .halo{stroke:${paper}}`,
    `.simdnn-plot .ring,.simdnn-plot .boundary{stroke:${ink}}`,
    ...colours.map(([name, colour]) => `.simdnn-plot .${name}{color:${colour}}`),
  ].join("");
}

/** For a `<style>` in each SVG. Names are prefixed, since a page that holds the SVG is subject to them, too. */
export const stylesheet = [
  ".simdnn-plot{font:12px system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif;font-variant-numeric:tabular-nums}",
  ".simdnn-plot .title{font-size:15px;font-weight:600}.simdnn-plot .heading{font-weight:600}",
  ".simdnn-plot .line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round;stroke-linecap:butt}",
  ".simdnn-plot .thin{stroke-width:1.25}.simdnn-plot .best{stroke-width:3.5}.simdnn-plot .dot{fill:currentColor}.simdnn-plot .ring{stroke-width:1.5}.simdnn-plot .boundary{fill:none;stroke-width:1.25}",
  ".simdnn-plot .halo{stroke-width:1;stroke-linejoin:round}",
  rules(light),
  `@media (prefers-color-scheme:dark){${rules(dark)}}`,
].join("");
