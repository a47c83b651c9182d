// The plot of a search: a line per trial, through the right values, the best on top.
import { expect, test } from "vitest";
import { space, tune } from "simdnn";
import { search } from "simdnn/plot";
import { failure } from "../failure.js";
import { all, classes, parse, points, tooltip } from "./picture.js";

const trials = [
  { config: { rate: 0.001, units: [8], kind: "a", same: 3 }, score: 5, status: "done" },
  { config: { rate: 0.1, units: [8, 4], kind: "b", same: 3 }, score: 3, status: "done" },
  { config: { rate: 0.01, units: [2], kind: "a", same: 3 }, score: 1, status: "stopped" },
  { config: { rate: 1, units: [2], kind: "a", same: 3 }, score: NaN, status: "failed" },
  { config: { rate: 1, units: [2], kind: "a", same: 3 }, status: "aborted" },
];
const lines = (picture: unknown) => all(parse(String(picture)), "path", "line");
const texts = (picture: unknown): string[] => all(parse(String(picture)), "text").map(({ text }) => text);

test("says how many trials there are, and the best that is done", () => {
  const { description } = search(trials, { scoreLabel: "cost" });
  expect(description).toBe("Search: 5 trials, 2 without a score. Best cost 3: rate 0.1, units.length 2, units[0] 8, units[1] 4, kind b"); // prettier-ignore
  expect(search({ trials, mode: "max" }).description).toContain("Best score 5: rate 0.001");
  expect(search({ trials, mode: "max" }, { mode: "min" }).description).toContain("Best score 3");
});

test("draws a line per trial with a score through its values, the best one last and thick, others dashed unless done", () => {
  const drawn = lines(search(trials));
  expect(drawn).toHaveLength(3);
  expect(drawn.map(classes).map((list) => list.includes("best"))).toEqual([false, false, true]);
  const byScore = new Map(drawn.map((path) => [tooltip(path)![0], path]));
  expect(byScore.get("1")!.attributes["stroke-dasharray"]).toBeDefined();
  expect(byScore.get("3")!.attributes["stroke-dasharray"]).toBeUndefined();
  // rate, units.length, units[0], units[1], kind, score; the gap is where a list ends.
  expect(points(byScore.get("3")!).map(({ length }) => length)).toEqual([6]);
  expect(points(byScore.get("5")!).map(({ length }) => length)).toEqual([3, 2]);
  const rate = (score: string): number => points(byScore.get(score)!)[0]![0]![1];
  expect(rate("5") - rate("1")).toBeCloseTo(rate("1") - rate("3"), 0); // 0.001, 0.01, 0.1 on a log scale
  const score = (of: string): number => points(byScore.get(of)!).flat().at(-1)![1];
  expect(score("1")).toBeLessThan(score("3")); // good is up
  expect(score("3")).toBeLessThan(score("5"));
});

test("has a panel per parameter with a dot per trial, hollow unless done, and leaves out what is the same in all", () => {
  const root = parse(String(search(trials)));
  expect(all(root, "circle")).toHaveLength(4 * 3 + 1); // units[1] has one
  expect(all(root, "circle", "line")).toHaveLength(4);
  expect(texts(search(trials))).toEqual(expect.arrayContaining(["rate, log scale", "units[0]", "kind", "a", "b"]));
  expect(texts(search(trials)).join()).not.toContain("same");
});

test("chooses scales by values, or as asked", () => {
  const betas = [0.9, 0.99, 0.999].map((beta, score) => ({ config: { beta }, score }));
  const places = (picture: unknown): number[] => all(parse(String(picture)), "circle").map(({ attributes }) => Number(attributes.cx)); // prettier-ignore
  const steps = (xs: number[]): number[] => xs.toSorted((a, b) => a - b).flatMap((x, i, sorted) => (i > 0 ? [x - sorted[i - 1]!] : [])); // prettier-ignore
  const [one, two] = steps(places(search(betas)));
  expect(one).toBeCloseTo(two!, 0);
  const [far, near] = steps(places(search(betas, { scales: { beta: "linear" } })));
  expect(far! / near!).toBeCloseTo(10, 0);
  expect(texts(search(betas))).toContain("beta, log scale of 1 − value");
  // Drawn evenly from 0 to 0.5, and evenly in the exponent.
  const drawn = Array.from({ length: 21 }, (_, i) => ({ config: { dropout: (i + 0.02) / 42, rate: 10 ** (-4 + i / 7), units: 2 ** (2 + (i % 4)) }, score: i })); // prettier-ignore
  const labels = texts(search(drawn));
  expect(labels).toEqual(expect.arrayContaining(["dropout", "rate, log scale", "units, log scale"]));
  expect(labels).not.toContain("dropout, log scale");
});

test("refuses what cannot be drawn", () => {
  expect(() => search([])).toThrow(failure("OptionError", /at least one trial with a score/));
  expect(() => search([{ config: { a: 1 }, score: 1 }])).toThrow(failure("OptionError", /a parameter that differs/));
  expect(() => search(trials, { scales: { rat: "log" } })).toThrow(failure("OptionError", /parameters among rate, /));
  expect(() => search(trials, { scales: { kind: "log" } })).toThrow(failure("OptionError", /the scale of kind/));
  expect(() => search([1] as never)).toThrow(failure("OptionError", /an array of trials/));
  expect(() => search(trials, { mode: "best" as never })).toThrow(failure("OptionError", /"min", "max"/));
});

test("takes what tune() resolves with", async () => {
  const objective = ({ rate, units }: { readonly rate: number; readonly units: readonly number[] }): number =>
    units.length + Math.log10(rate);
  const axes = { rate: space.log(1e-3, 1e-1), units: space.list(space.integer(1, 2), space.choice([8, 16])), beta: space.oneMinus(0.9, 0.999) }; // prettier-ignore
  const found = await tune(axes, objective, { trials: 12, seed: 1 });
  const picture = search(found);
  expect(lines(picture)).toHaveLength(12);
  expect(texts(picture)).toEqual(
    expect.arrayContaining(["rate", "units.length", "units[0]", "units[1]", "beta", "score"]),
  );
  expect(picture.description).toContain(`rate ${Number(found.best.config.rate.toPrecision(4))}, `);
});
