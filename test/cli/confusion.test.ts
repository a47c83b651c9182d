// The confusion matrix: a drawing that fits the screen.
import { expect, test } from "vitest";
import { argmaxRows, drawConfusion } from "#lib/cli/confusion.js";

test("the first of ties is predicted", () => {
  expect([...argmaxRows([0, 1, 1, 3, 2, 1], 3)]).toEqual([1, 0]);
});

test("rows are true classes, columns predicted ones", () => {
  const confusion = [[1, 2, 0], [0, 1, 0], [0, 0, 0]]; // prettier-ignore
  expect(drawConfusion(confusion, 80).split("\n")).toEqual([
    "       predicted",
    "true     0   1   2    recall",
    "   0     1   2   ·    33.3 %",
    "   1     ·   1   ·   100.0 %",
    "   2     ·   ·   ·      none",
  ]);
});

test("too many classes for the screen are listed with what they are mostly taken for", () => {
  const classes = 26;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  Object.assign(confusion[0]!, { 0: 1, 3: 1, 7: 2 });
  confusion[1]![1] = 1;
  const lines = drawConfusion(confusion, 80).split("\n");
  expect(lines).toHaveLength(classes + 1);
  expect(lines.slice(1, 4)).toEqual(["    0     25.0 %  7 (2)", "    1    100.0 %", "    2       none"]);
});
