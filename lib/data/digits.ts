// The built-in data set: handwritten-looking digits, drawn from a seed. Not MNIST, and no substitute for it in comparisons.
import { checkOptions, nonNegativeInteger } from "../options.js";
import { type RandomStream, randomStream, resolveSeed } from "../random.js";
import { type Glyph, glyphs } from "./digit-strokes.js";

/** Height and width of an image in pixels. */
export const digitSize = 28;

/** What to draw. */
export interface DigitOptions {
  /** How many images. */
  readonly count: number;
  /** The same seed gives the same images; drawn from the operating system when absent. */
  readonly seed?: number | undefined;
  /** Number of the first image, 0 by default. Image i of a seed does not depend on `count`, so sets over separate numbers share none. */
  readonly first?: number | undefined;
}

/** Drawn digits. */
export interface Digits {
  /** `count` images of 28 × 28 pixels, one after the other, row by row; 0 is paper, 255 is ink. */
  readonly images: Uint8Array;
  /** The digit, 0 to 9, that each image shows. */
  readonly labels: Int32Array;
  /** The seed, also when it was drawn. */
  readonly seed: number;
}

/**
 * Draws digits: each picks one of a few hands, then slants, turns, stretches, shifts and bends it, with a pen of its own width and
 * pressure, on paper of its own graininess.
 *
 * @throws OptionError for unknown options, and for numbers that are not integers >= 0
 *
 * @example
 * ```ts
 * const train = drawDigits({ count: 8000, seed: 1 });
 * const test = drawDigits({ count: 2000, seed: 1, first: 8000 });
 * ```
 */
export function drawDigits(options: DigitOptions): Digits {
  const where = "drawDigits";
  checkOptions(where, options, ["count", "seed", "first"]);
  const count = nonNegativeInteger(where, "count", options.count);
  const first = nonNegativeInteger(where, "first", options.first ?? 0);
  const seed = resolveSeed(where, options.seed);
  const pixels = digitSize * digitSize;
  const images = new Uint8Array(count * pixels);
  const labels = new Int32Array(count);
  const ink = new Float32Array(pixels);
  for (let i = 0; i < count; i++) {
    const random = randomStream(seed, first + i);
    const label = (labels[i] = random.integer(glyphs.length));
    const hands = glyphs[label]!;
    ink.fill(0);
    write(ink, hands[random.integer(hands.length)]!, random);
    print(new Uint8ClampedArray(images.buffer, i * pixels, pixels), ink, random);
  }
  return { images, labels, seed };
}

type Place = (x: number, y: number) => readonly [x: number, y: number];

const stepsPerPoint = 4; // a spline between two points of a stroke is drawn as so many straight lines

function write(ink: Float32Array, glyph: Glyph, random: RandomStream): void {
  const place = randomPlace(random);
  const width = between(random, 0.7, 1.7); // half the pen's, in pixels
  for (const stroke of glyph) {
    const points = stroke.map(([x, y]) => place(x + 0.018 * random.normal(), y + 0.018 * random.normal()));
    const pressure = between(random, -0.25, 0.25); // how much more the pen presses towards the end
    const lines = (points.length - 1) * stepsPerPoint;
    let from = points[0]!;
    for (let line = 1; line <= lines; line++) {
      const to = along(points, line / stepsPerPoint);
      drawLine(ink, from, to, width * (1 + pressure * ((2 * line) / lines - 1)));
      from = to;
    }
  }
}

/** A map from the unit square of the strokes to pixels: bent by two waves, slanted, stretched, turned, shifted. */
function randomPlace(random: RandomStream): Place {
  const waves = [wave(random), wave(random)] as const;
  const slant = 0.23 * random.normal();
  const turn = 0.13 * random.normal();
  const height = between(random, 15, 22);
  const width = height * between(random, 0.65, 1.1);
  const centreX = digitSize / 2 + between(random, -1.8, 1.8);
  const centreY = digitSize / 2 + between(random, -1.8, 1.8);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return (x, y) => {
    const v = (y - 0.5 + waves[1](x, y)) * height;
    const u = (x - 0.5 + waves[0](x, y)) * width - slant * v;
    return [centreX + cos * u - sin * v, centreY + sin * u + cos * v];
  };
}

/** A slow wave over the plane: it bends strokes, and keeps those together that meet. */
function wave(random: RandomStream): (x: number, y: number) => number {
  const amplitude = 0.045 * random.normal();
  const [a, b, phase] = [between(random, -6, 6), between(random, -6, 6), between(random, 0, 2 * Math.PI)];
  return (x, y) => amplitude * Math.sin(a * x + b * y + phase);
}

/** The point at `position`, counted in points, of the Catmull-Rom spline through `points`. */
function along(points: readonly (readonly [number, number])[], position: number): readonly [number, number] {
  const last = points.length - 1;
  const i = Math.min(Math.floor(position), last - 1);
  const t = position - i;
  const [p, q] = [points[Math.max(i - 1, 0)]!, points[i]!];
  const [r, s] = [points[i + 1]!, points[Math.min(i + 2, last)]!];
  return [spline(p[0], q[0], r[0], s[0], t), spline(p[1], q[1], r[1], s[1], t)];
}

function spline(p: number, q: number, r: number, s: number, t: number): number {
  return q + 0.5 * t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)));
}

/** Inks the pixels within `radius` of a line, fading over one pixel at the edge. */
function drawLine(
  ink: Float32Array,
  from: readonly [number, number],
  to: readonly [number, number],
  radius: number,
): void {
  const [x0, y0] = from;
  const [dx, dy] = [to[0] - x0, to[1] - y0];
  const perLength = 1 / (dx * dx + dy * dy + 1e-9);
  const reach = radius + 0.5;
  const clamp = (pixel: number): number => Math.min(Math.max(pixel, 0), digitSize);
  const [left, right] = [clamp(Math.floor(Math.min(x0, to[0]) - reach)), clamp(Math.ceil(Math.max(x0, to[0]) + reach))];
  const [top, bottom] = [clamp(Math.floor(Math.min(y0, to[1]) - reach)), clamp(Math.ceil(Math.max(y0, to[1]) + reach))];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const x = column + 0.5 - x0;
      const y = row + 0.5 - y0;
      const t = Math.min(Math.max((x * dx + y * dy) * perLength, 0), 1);
      const offX = x - t * dx;
      const offY = y - t * dy;
      const cover = reach - Math.sqrt(offX * offX + offY * offY);
      const at = row * digitSize + column;
      if (cover > ink[at]!) ink[at] = Math.min(cover, 1);
    }
  }
}

/** Ink to bytes, with an image's own darkness and grain. */
function print(image: Uint8ClampedArray, ink: Float32Array, random: RandomStream): void {
  const darkness = between(random, 170, 255);
  const grain = between(random, 0, 25);
  for (let i = 0; i < image.length; i++) image[i] = darkness * ink[i]! + grain * bell(random.uint32()); // rounds, and clamps to 0 … 255
}

/** About a standard normal number, from the four bytes of a word: a real one for each pixel would take most of the time. */
function bell(word: number): number {
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
  return (sum - 510) / 147.8; // variance 4 · (256² - 1) / 12
}

function between(random: RandomStream, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}
