// The plot of a decision boundary against classifiers whose boundary is known.
import { expect, test } from "vitest";
import { dataset, dense, sequential, tensor, type Tensor } from "simdnn";
import { decisionBoundary } from "simdnn/plot";
import { failure } from "../failure.js";
import { all, classes, parse, points } from "./picture.js";

/** Class 1 right of x = 1, growing sure with the distance. */
const upright = {
  predict: (inputs: Tensor) =>
    Promise.resolve(tensor(Float32Array.from(inputs.data()).filter((_, i) => i % 2 === 0).map((x) => 1 / (1 + Math.exp(-4 * (x - 1)))))), // prettier-ignore
};
const corners = [[-1, -1], [3, -1], [-1, 3], [3, 3]]; // prettier-ignore

test("draws the boundary where it is, and rings around what is on the wrong side", async () => {
  const picture = await decisionBoundary(upright, dataset(corners, Int32Array.of(0, 1, 1, 1)), {
    labels: ["left", "right"],
  });
  expect(picture.description).toBe("Decision boundary: 3 of 4 examples are on the right side");
  const root = parse(String(picture));
  const regions = all(root, "svg")[1]!;
  const [width, height] = [Number(regions.attributes.width), Number(regions.attributes.height)];
  // From -1.32 to 3.32, so x = 1 is in the middle.
  const boundaries = all(regions, "path", "boundary");
  expect(boundaries).toHaveLength(2);
  for (const boundary of boundaries) {
    const inner = points(boundary).flat().filter(([x, y]) => x > 5 && x < width - 5 && y > 5 && y < height - 5).map(([x]) => x); // prettier-ignore
    expect(inner.length).toBeGreaterThan(100);
    for (const x of inner) expect(x).toBeCloseTo(width / 2, 0);
  }
  const ringed = all(root, "g").filter((node) => node.children.some((child) => classes(child).includes("ring")));
  expect(ringed).toHaveLength(2); // the example and the legend's
  const marked = ringed.find((node) => node.children.length > 1)!;
  const [x, y] = /translate\(([\d.]+) ([\d.]+)\)/.exec(marked.attributes.transform!)!.slice(1).map(Number) as [
    number,
    number,
  ];
  expect(x).toBeLessThan(picture.width / 2);
  expect(y).toBeLessThan(picture.height / 2); // [-1, 3]: top left
});

test("stronger colours begin where a class is 0.5 and 0.9 ahead", async () => {
  const picture = await decisionBoundary(upright, dataset(corners, Int32Array.of(0, 1, 1, 1)));
  const regions = all(parse(String(picture)), "svg")[1]!;
  const side = Number(regions.attributes.width);
  const starts = all(regions, "path", "c1").map((path) => Math.min(...points(path).flat().map(([x]) => x))); // prettier-ignore
  // 2 p - 1 = 0.5 and 0.9 at x = 1 + ln(p / (1 - p)) / 4
  const expected = [0.5, 0.75, 0.95].map((p) => ((1 + Math.log(p / (1 - p)) / 4 + 1.32) / 4.64) * side);
  starts.forEach((start, i) => expect(start).toBeCloseTo(expected[i]!, 0));
});

test("takes one-hot and class targets of models with several outputs, and the rows of a split", async () => {
  const model = sequential([dense(3)], { inputShape: [2], seed: 1 }).compile({ loss: "softmaxCrossEntropy" });
  const inputs = Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
  const labels = Int32Array.from(inputs, (_, i) => i % 3);
  const oneHot = Array.from(labels, (label) => [0, 1, 2].map((k) => (k === label ? 1 : 0)));
  const [a, b] = await Promise.all(
    [labels, oneHot].map((targets) => decisionBoundary(model, dataset(inputs, targets))),
  );
  expect(String(a)).toBe(String(b));
  const [part] = dataset(inputs, labels).split([0.5], { seed: 1 });
  expect((await decisionBoundary(model, part)).description).toMatch(/ of 15 examples/);
});

test("draws at most as many points as asked, and counts all", async () => {
  const many = dataset(Array.from({ length: 500 }, (_, i) => [i, -i]), Int32Array.from({ length: 500 }, () => 1)); // prettier-ignore
  const picture = await decisionBoundary(upright, many, { points: 50 });
  expect(picture.description).toMatch(/of 500 examples/);
  expect(all(parse(String(picture)), "path", "dot").length).toBe(50 + 2);
});

test("refuses data that is not in a plane", async () => {
  const line = dataset([[1], [2]], Int32Array.of(0, 1));
  await expect(decisionBoundary(upright, line)).rejects.toThrow(
    failure("ShapeError", /expected two inputs per example/),
  );
  const plane = dataset(corners, Int32Array.of(0, 1, 1, 1));
  await expect(decisionBoundary(upright, plane, { labels: ["one"] })).rejects.toThrow(
    failure("OptionError", /2 names/),
  );
  await expect(decisionBoundary({} as never, plane)).rejects.toThrow(failure("OptionError", /a model/));
});
