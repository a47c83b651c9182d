// The plot of a confusion matrix against a matrix counted by hand.
import { expect, test } from "vitest";
import { confusionMatrix } from "simdnn/plot";
import { failure } from "../failure.js";
import { all, parse, places, tooltip } from "./picture.js";

const matrix = [[6, 2, 0], [1, 9, 0], [0, 0, 0]]; // prettier-ignore
const labels = ["cat", "dog", "cow"];

test("has the counts in the rows of their true classes, and recalls", () => {
  const picture = confusionMatrix(matrix, { labels });
  expect(picture.description).toBe("15 of 18 examples are predicted right (83.3 %)");
  const written = places(parse(String(picture)));
  expect(written.map(({ text }) => text)).toContain("15 of 18 examples are predicted right (83.3 %)"); // whole, though there are few classes
  const at = (text: string) => written.filter((place) => place.text === text);
  const [cat, catBelow] = at("cat").sort((a, b) => a.top - b.top);
  const [six, two, one, nine] = ["6", "2", "1", "9"].map((text) => at(text)[0]!);
  expect(six!.top).toBe(cat!.top);
  expect(two!.top).toBe(cat!.top);
  expect(two!.left).toBe(nine!.left);
  expect(one!.top).toBe(nine!.top);
  expect((six!.left + six!.right) / 2).toBeCloseTo((catBelow!.left + catBelow!.right) / 2, 1);
  expect(["75.0 %", "90.0 %", "none"].map((text) => at(text).length)).toEqual([1, 1, 1]);
  expect(at("75.0 %")[0]!.top).toBe(cat!.top);
});

test("shades by the share of the true class, and says it", () => {
  const cells = all(parse(String(confusionMatrix(matrix, { labels }))), "g").filter(
    (cell) => tooltip(cell) !== undefined,
  );
  expect(cells.map(tooltip).slice(0, 4)).toEqual([
    "6 of cat predicted as cat (75.0 %)",
    "2 of cat predicted as dog (25.0 %)",
    "0 of cat predicted as cow (0.0 %)",
    "1 of dog predicted as cat (10.0 %)",
  ]);
  const shade = (i: number): number => Number(all(cells[i]!, "rect")[0]!.attributes["fill-opacity"]);
  const byShare = [4, 0, 1, 3, 2].map(shade); // 0.9, 0.75, 0.25, 0.1, 0
  expect(byShare).toEqual(byShare.toSorted((a, b) => b - a));
  expect(new Set(byShare).size).toBe(5);
});

test("never says 100 % of what is not all", () => {
  expect(confusionMatrix([[99_999, 1], [0, 1]]).description).toContain("(99.9 %)"); // prettier-ignore
});

test("refuses what is no matrix, and labels that are not one for each class", () => {
  expect(() => confusionMatrix([[1, 2]])).toThrow(failure("OptionError", /as many rows as columns/));
  expect(() => confusionMatrix([])).toThrow(failure("OptionError", /as many rows as columns/));
  expect(() => confusionMatrix([[-1]])).toThrow(failure("OptionError", /numbers >= 0/));
  expect(() => confusionMatrix(matrix, { labels: ["a"] })).toThrow(failure("OptionError", /3 texts/));
});
