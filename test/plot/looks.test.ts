// What all pictures have in common: well-formed, nothing cut off or on top of each other, readable in both colour schemes.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { dataset, tensor } from "simdnn";
import * as plot from "simdnn/plot";
import { dark, light } from "#lib/plot/theme.js";
import { all, parse, places } from "./picture.js";

const wave = (length: number, scale = 1): number[] => Array.from({ length }, (_, i) => scale * (2 + Math.sin(i)));
const nasty = `<b>"A" & 'B'</b>\u0000\ud800`;
const square = (size: number): number[][] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, k) => (i === k ? 12345 : i * k)));
const trials = Array.from({ length: 30 }, (_, i) => ({
  config: { learningRate: 10 ** (-4 + i / 10), beta: 1 - 10 ** (-3 + i / 15), units: Array<number>((i % 3) + 1).fill(64), [nasty]: i % 2 ? "relu" : nasty, "a rather long name of a parameter": i, same: 1 },
  score: i % 10 === 3 ? NaN : wave(30)[i]!,
  status: i % 4 === 0 ? "stopped" : "done",
})); // prettier-ignore
const plane = dataset([[-1e-7, 1], [2e-7, 3], [1e-7, 0]], Int32Array.of(0, 1, 0)); // prettier-ignore
const undecided = {
  predict: (inputs: { shape: readonly number[] }) => Promise.resolve(tensor(new Float32Array(inputs.shape[0]!))),
};

const pictures: Readonly<Record<string, plot.Plot>> = {
  curves: plot.learningCurves({ loss: wave(40), valLoss: wave(40), cost: wave(40), accuracy: wave(40), valAccuracy: wave(40), meanAbsoluteError: wave(3) }),
  "curves with strange values": plot.learningCurves({ loss: [NaN, 1e-30, Infinity, 1e30, NaN, -5], [nasty]: [0, 0] }, { title: nasty }),
  "one epoch": plot.learningCurves({ loss: [0.25] }),
  "many iterations": plot.learningCurves({ loss: wave(123_456) }, { per: "iteration" }),
  "large and small values": plot.learningCurves({ loss: wave(10, 1e9), f1: wave(10, 1e-9), auc: wave(10, 1e5) }),
  "errors by examples": plot.learningCurve({ points: [5e5, 1e6, 1.5e6].map((examples, i) => ({ examples, trainError: 0.01 * i, devError: 0.3 - 0.1 * i })) }),
  "learning rate": plot.learningRate({ curves: { learningRate: [0.1, 0.01, 0.001] } }),
  "learning rate, log": plot.learningRate({ learningRate: [1e-1, 1e-7] }, { scale: "log" }),
  norms: plot.gradientNorms(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`dense${i}.weight`, wave(20, 10 ** -i)]))),
  "no gradients": plot.gradientNorms({ a: [0, 0], b: [0, 0] }),
  "confusion 2": plot.confusionMatrix([[8, 2], [1, 9]], { labels: [nasty, "a class with a name of many words"] }),
  "confusion 10": plot.confusionMatrix(square(10)),
  "confusion 100": plot.confusionMatrix(square(100)),
  "confusion, empty": plot.confusionMatrix([[0, 0], [0, 0]]),
  search: plot.search({ trials, mode: "max" }, { title: nasty, scoreLabel: nasty }),
  "search, one parameter": plot.search([{ config: { a: 1 }, score: 5 }, { config: { a: 2 }, score: 5 }]),
  boundary: await plot.decisionBoundary(undecided, plane, { labels: [nasty, nasty], features: [nasty, "y (m)"] }),
}; // prettier-ignore

describe.each(Object.entries(pictures))("%s", (_, picture) => {
  const root = parse(String(picture));

  test("is well-formed and has a description and a heading", () => {
    expect(root.name).toBe("svg");
    expect(root.attributes["aria-label"]).toBe(picture.description.replace(/\p{Surrogate}|\0/gu, "\ufffd"));
    expect(all(root, "text", "title")).toHaveLength(1);
  });

  test("has no number that is none", () => {
    const geometry = /^(x|y|cx|cy|r|d|width|height|viewBox|transform|fill-opacity|stroke-opacity)$/;
    const numbers = (node: ReturnType<typeof parse>): string[] => [
      ...Object.entries(node.attributes).flatMap(([name, value]) => (geometry.test(name) ? [value] : [])),
      ...node.children.flatMap(numbers),
    ];
    expect(numbers(root).filter((value) => /NaN|Infinity|undefined|null|e-/.test(value))).toEqual([]);
  });

  test("keeps every text inside", () => {
    const { width, height } = picture;
    const outside = places(root).filter(
      ({ left, right, top, bottom }) => left < 0 || right > width || top < 0 || bottom > height,
    );
    expect(outside).toEqual([]);
  });

  test("has no text on another", () => {
    const texts = places(root).filter(({ text }) => text !== "");
    const overlaps = texts.flatMap((a, i) =>
      texts
        .slice(i + 1)
        .flatMap((b) =>
          a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1 ? [[a, b]] : [],
        ),
    );
    expect(overlaps).toEqual([]);
  });
});

test("both colour schemes have contrast: texts 4.5, also on the strongest shade; lines and dots 3", () => {
  for (const { paper, ink, quiet, heat, categories, ramp } of [light, dark]) {
    for (const text of [ink, quiet]) expect(contrast(text, paper)).toBeGreaterThan(4.5);
    expect(contrast(ink, heat)).toBeGreaterThan(4.5);
    for (const colour of [...categories, ...ramp]) expect(contrast(colour, paper), colour).toBeGreaterThan(3);
  }
});

test("the dark scheme colours everything that the light one does", () => {
  const [bright, night] = all(parse(String(pictures.norms)), "style")[0]!.text.split(
    "@media (prefers-color-scheme:dark)",
  );
  const coloured = (css: string): string[] =>
    [...css.matchAll(/([^{}]+)\{(?:fill|stroke|color):#/g)].map(([, rule]) => rule!);
  expect(coloured(bright!).length).toBeGreaterThan(20);
  expect(coloured(night!)).toEqual(coloured(bright!));
});

/** As WCAG 2 defines it. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string): number => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const folder = await mkdtemp(join(tmpdir(), "simdnn plot "));
afterAll(() => rm(folder, { recursive: true }));

test("save() writes the SVG, makes folders, and says what is wrong with a path", async () => {
  const picture = plot.confusionMatrix([[1, 0], [0, 1]]); // prettier-ignore
  const path = join(folder, "new", "confusion.svg");
  await picture.save(path);
  expect(await readFile(path, "utf8")).toBe(picture.toString());
  await expect(picture.save(folder)).rejects.toThrow(`${folder}: expected a writable path, but it is a directory`);
});
