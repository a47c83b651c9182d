// Strategies: which points of a space are tried, round by round. They know coordinates in [0, 1], not what these stand for.
import { wrongValue } from "../options.js";
import { deriveSeed, randomStream } from "../random.js";
import { level, type Axis, type ConfigOf, type Space } from "./space.js";

/** A coordinate in [0, 1] for each axis of a space, dimension by dimension. */
export type Point = readonly number[];

/** The axes of a space. */
export interface Axes {
  readonly all: readonly Axis[];
  /** Which of them have a say at a point. */
  active(point: Point): readonly boolean[];
}

/**
 * The points of the next round, which begins when every trial of the earlier ones has ended; none when the search is over.
 *
 * @param ranked - the points tried so far that have a score, the best first
 * @param first - the index of the next trial
 */
export type Strategy = (ranked: readonly Point[], first: number) => readonly Point[];

/** The dimensions of a space in an order that does not depend on how the object was written. */
export function dimensionsOf(space: Space): [name: string, dimension: Space[string]][] {
  return Object.entries(space).sort(([a], [b]) => (a < b ? -1 : 1));
}

export function axesOf(space: Space): Axes {
  const dimensions = dimensionsOf(space).map(([, dimension]) => dimension);
  return {
    all: dimensions.flatMap(({ axes }) => axes),
    active: (point) => {
      let start = 0;
      return dimensions.flatMap((dimension) => {
        const own = point.slice(start, (start += dimension.axes.length));
        const count = dimension.active?.(own) ?? own.length;
        return own.map((_, i) => i < count);
      });
    },
  };
}

/** The values at a point, in the order in which the space was written. */
export function configAt<S extends Space>(space: S, point: Point): ConfigOf<S> {
  let start = 0;
  const values = new Map(
    dimensionsOf(space).map(([name, dimension]) => {
      const own = point.slice(start, (start += dimension.axes.length));
      return [name, dimension.at(own)];
    }),
  );
  return Object.fromEntries(Object.keys(space).map((name) => [name, values.get(name)])) as ConfigOf<S>;
}

/**
 * Every combination of as many values per axis as give at most `trials` points; of a choice, all values.
 * @throws OptionError when there are more combinations of choices alone
 */
export function gridSearch({ all }: Axes, trials: number): Strategy {
  const values = (per: number) => all.map(({ levels, ordered }) => (ordered ? Math.min(levels, per) : levels));
  const points = (per: number): number => values(per).reduce((product, count) => product * count, 1);
  if (points(1) > trials)
    throw wrongValue("tune", "trials", `at least ${points(1)}, the number of combinations of its choices,`, trials);
  const most = Math.max(trials, ...all.map(({ levels }) => (levels < Infinity ? levels : 1)));
  let per = 1;
  while (per < most && points(per + 1) <= trials) per++;
  const perAxis = all.map(({ levels, ordered }) => coordinates(levels, ordered ? per : levels));
  return (_, first) =>
    first > 0
      ? []
      : perAxis.reduce<number[][]>((grid, axis) => grid.flatMap((point) => axis.map((u) => [...point, u])), [[]]);
}

/** Where `count` values stand on an axis: from end to end, the middle if it is one alone. */
function coordinates(levels: number, count: number): number[] {
  if (count >= levels) return Array.from({ length: levels }, (_, i) => (i + 0.5) / levels);
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0.5 : i / (count - 1)));
}

/**
 * Random points, with one round all over the space; with more, in a box that each round draws closer about the best of all earlier ones. Rounds are of
 * equal size, the first ones larger by one where that does not come out even.
 */
export function randomSearch(axes: Axes, trials: number, seed: number, rounds: number): Strategy {
  let box = axes.all.map(whole);
  let round = 0;
  return (ranked, first) => {
    if (round === rounds) return [];
    if (round > 0) {
      const best = ranked.slice(0, Math.max(3, Math.round(first / 4)));
      const active = best.map((point) => axes.active(point));
      const along = (axis: number): number[] => best.filter((_, i) => active[i]![axis]).map((point) => point[axis]!);
      box = box.map((side, axis) => narrowed(axes.all[axis]!, side, along(axis)));
    }
    const size = Math.ceil((trials - round++) / rounds);
    return Array.from({ length: size }, (_, i) => {
      const random = randomStream(seedsOf(seed, first + i).point);
      return box.map((side) => drawn(side, random.uniform()));
    });
  };
}

/** The seed of a trial's point and the seed it is given: functions of its index alone, whatever order trials run in. */
export function seedsOf(seed: number, index: number): { readonly point: number; readonly trial: number } {
  const point = deriveSeed(seed, index);
  return { point, trial: deriveSeed(point, 0) };
}

/** What is left of an axis: an interval, or the middles of the levels of a choice. */
type Side = { readonly from: number; readonly to: number } | { readonly among: readonly number[] };

function whole({ levels, ordered }: Axis): Side {
  return ordered ? { from: 0, to: 1 } : { among: coordinates(levels, levels) };
}

function drawn(side: Side, u: number): number {
  return "among" in side ? side.among[level(u, side.among.length)]! : side.from + u * (side.to - side.from);
}

/**
 * The part of an axis where the best points are. An interval reaches beyond them by half their mean distance on either side, as there may be better ones
 * just outside, and has at least a quarter of the old width, as they may be close together by chance.
 */
function narrowed({ levels }: Axis, side: Side, best: readonly number[]): Side {
  if ("among" in side) {
    const kept = side.among.filter((u) => best.some((b) => level(b, levels) === level(u, levels)));
    return kept.length === 0 ? side : { among: kept };
  }
  if (best.length < 2) return side;
  const [low, high] = [Math.min(...best), Math.max(...best)];
  const missing = Math.max(0, (side.to - side.from) / 4 - (high - low)) / 2;
  const margin = Math.max((high - low) / (best.length - 1) / 2, missing);
  return { from: Math.max(0, low - margin), to: Math.min(1, high + margin) };
}
