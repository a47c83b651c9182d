// From values to pixels, with ticks for an axis: d3's scales, and the decision which of them suits the values.
import { scaleLinear, scaleLog, scalePoint, type ScaleLinear } from "d3-scale";

/** `oneMinus` is logarithmic in `1 - value`, as momentum's β is searched. */
export type ScaleKind = "linear" | "log" | "oneMinus";

export interface Scale<Value> {
  /** Pixels; NaN for a value that has no place. */
  readonly at: (value: Value) => number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  /** What the axis is to say of the scale besides its name, such as "log scale". */
  readonly note?: string;
}

export interface ScaleOptions {
  /** Where the lowest and the highest value go. */
  readonly range: readonly [number, number];
  /** About how many ticks there is room for. */
  readonly ticks: number;
  /** Only whole numbers get ticks. */
  readonly whole?: boolean;
  /** The ends are exactly the extreme values, without room beyond them. */
  readonly tight?: boolean;
}

/** The scale for `values` of a curve: logarithmic where they are positive and spread over more than two powers of ten. */
export function suitableKind(values: readonly number[]): "linear" | "log" {
  const [low, high] = extent(values);
  return low > 0 && high / low >= 100 ? "log" : "linear";
}

/** The scale on which `values` were probably drawn: that on which the median of the different ones is nearest to the middle. */
export function evenKind(values: readonly number[]): ScaleKind {
  const sorted = [...new Set(values)].filter(Number.isFinite).sort((a, b) => a - b);
  const [low, high] = extent(sorted);
  const middle = [(sorted.length - 1) >> 1, sorted.length >> 1].map((i) => sorted[i] ?? low);
  const off = (scaled: (value: number) => number): number => {
    const places = middle.map((value) => (scaled(value) - scaled(low)) / (scaled(high) - scaled(low)));
    return Math.abs((places[0]! + places[1]!) / 2 - 0.5);
  };
  const candidates: [ScaleKind, number][] = [["linear", off((value) => value)]];
  if (low > 0 && high / low >= 8) candidates.push(["log", off(Math.log)]);
  if (low >= 0.5 && high < 1 && (1 - low) / (1 - high) >= 8)
    candidates.push(["oneMinus", off((value) => Math.log(1 - value))]);
  return candidates.reduce((a, b) => (b[1] < a[1] ? b : a))[0];
}

/** A scale for numbers; those that are not finite have no place on it. */
export function numberScale(values: readonly number[], kind: ScaleKind, options: ScaleOptions): Scale<number> {
  const room = (value: number): boolean => Number.isFinite(value) && (kind === "oneMinus" ? value < 1 : value > 0);
  if (kind === "linear" || !values.some(room)) return linearScale(values, options);
  if (kind === "log") return logScale(values, options);
  const [start, end] = options.range;
  const rests = values.map((value) => 1 - value);
  const { at, ticks } = logScale(rests, { ...options, range: [end, start] }, (rest) => short(1 - rest, 9));
  return { at: (value) => at(1 - value), ticks, note: "log scale of 1 − value" };
}

/** The same scale with ticks at `values` alone, where these are so few that all of them have room. */
export function tickedAt(scale: Scale<number>, values: readonly number[], gap: number): Scale<number> {
  const ticks = [...new Set(values)].filter(Number.isFinite).sort((a, b) => a - b).map((value) => ({ at: scale.at(value), label: short(value) })); // prettier-ignore
  const roomy = ticks.length <= 6 && ticks.every(({ at }, i) => i === 0 || Math.abs(at - ticks[i - 1]!.at) >= gap);
  return roomy ? { ...scale, ticks } : scale;
}

/** A scale for things without an order, each at a place of its own. */
export function namedScale(names: readonly string[], range: readonly [number, number]): Scale<string> {
  const scale = scalePoint([...new Set(names)], range).padding(0.5);
  return {
    at: (name) => scale(name) ?? NaN,
    ticks: scale.domain().map((name) => ({ at: scale(name)!, label: name })),
  };
}

function linearScale(
  values: readonly number[],
  { range, ticks, whole = false, tight = false }: ScaleOptions,
): Scale<number> {
  const [least, greatest] = extent(values);
  const unit = unitOf(Math.max(-least, greatest));
  const [low, high] = [least / unit, greatest / unit];
  // A constant gets an axis around it.
  const room = low === high ? (whole ? 1 : Math.abs(low) / 2 || 1) : 0;
  const scale = scaleLinear([low - room, high + room], range);
  if (!tight && !whole) scale.nice(ticks);
  const places = steps(scale, ticks, unit).filter((value) => !whole || Number.isInteger(value));
  const format = linearFormat(places, whole ? (value) => short(value, 9) : scale.tickFormat(ticks));
  const at = (value: number): number => scale(value / unit);
  return { at, ticks: places.map((value) => ({ at: at(value), label: format(value) })) };
}

/** What to count in, so that neither the room around values nor the steps between ticks leave what a double can hold. */
function unitOf(greatest: number): number {
  if (greatest > 1e300) return 1e20;
  return greatest > 0 && greatest < 1e-280 ? 1e-300 : 1;
}

/** Where `scale`, which counts in `unit`, has its ticks. */
function steps(scale: ScaleLinear<number, number>, ticks: number, unit: number): number[] {
  return [...new Set(scale.ticks(ticks).map((place) => place * unit))].filter(Number.isFinite);
}

function logScale(values: readonly number[], options: ScaleOptions, label = short): Scale<number> {
  const { range, ticks, tight = false } = options;
  const [low, high] = extent(values.filter((value) => value > 0));
  const spread = Math.log10(high) - Math.log10(low);
  const room = low === high ? 2 : tight ? 1 : 10 ** (spread / 20);
  const ends = [Math.max(low / room, Number.MIN_VALUE), Math.min(high * room, Number.MAX_VALUE)] as const;
  const scale = scaleLog(ends, range);
  const [first, last] = ends;
  const unit = unitOf(last);
  const decades = Math.log10(last) - Math.log10(first);
  const within = (value: number): boolean => value >= first * (1 - 1e-9) && value <= last * (1 + 1e-9);
  const powers = (digits: readonly number[], every = 1): number[] => {
    const places: number[] = [];
    for (let power = Math.floor(Math.log10(first)); power <= Math.log10(last); power++)
      if (power % every === 0) places.push(...digits.map((digit) => digit * 10 ** power).filter(within));
    return places;
  };
  const places =
    decades < 0.7
      ? steps(scaleLinear([first / unit, last / unit], range), ticks, unit)
      : decades * 3 <= ticks + 1
        ? powers([1, 2, 5])
        : decades * 2 <= ticks + 1
          ? powers([1, 3])
          : powers([1], Math.ceil(decades / (1.5 * ticks)));
  return {
    at: (value) => (value > 0 ? scale(value) : NaN),
    ticks: places.map((value) => ({ at: scale(value), label: label(value) })),
    note: "log scale",
  };
}

/** The least and the greatest of the finite values; 0 and 1 where there are none. */
function extent(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
}

function linearFormat(places: readonly number[], usual: (value: number) => string): (value: number) => string {
  const greatest = Math.max(...places.map(Math.abs));
  return greatest !== 0 && (greatest < 1e-3 || greatest >= 1e6) ? short : usual;
}

/** A number in few characters: `0.001`, `1e-5`, `12,500`, `2.5e7`. */
export function short(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  const near = Number(value.toPrecision(digits));
  const rounded = Number.isFinite(near) ? near : value;
  const size = Math.abs(rounded);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e6)
      ? rounded.toExponential().replace("e+", "e")
      : rounded.toLocaleString("en", { maximumFractionDigits: 9 });
  return text.replace(/-/g, "−");
}
