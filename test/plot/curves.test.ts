// Whether lines go where the values are: learning curves, learning rate, gradient norms.
import { describe, expect, test } from "vitest";
import { activationNorms, gradientNorms, learningCurve, learningCurves, learningRate } from "simdnn/plot";
import { failure } from "../failure.js";
import { all, classes, parse, points, tooltip } from "./picture.js";

const texts = (picture: unknown): string[] => all(parse(String(picture)), "text").map(({ text }) => text);
/** The lines of the data, without those of the legend. */
const lines = (picture: unknown) =>
  all(parse(String(picture)), "path", "line").filter((path) => tooltip(path) !== undefined);

describe("learningCurves", () => {
  const curves = { loss: [4, 3, 1], cost: [5, 4, 2], accuracy: [0, 0.5, 1], valLoss: [4, 3.5, 3], valAccuracy: [0, 0.2, 0.4], learningRate: [1, 1, 1], "gradients.dense1": [1, 1, 1] }; // prettier-ignore

  test("has a panel per figure, training beside validation, the cost beside the loss", () => {
    const picture = learningCurves({ curves });
    expect(lines(picture).map(tooltip)).toEqual([
      "training",
      "validation",
      "training, with penalties",
      "training",
      "validation",
    ]);
    const written = texts(picture);
    expect(written).toEqual(expect.arrayContaining(["Learning curves", "Loss", "Accuracy", "epoch", "loss (mean per example)", "accuracy (share of examples)"])); // prettier-ignore
    expect(written.join()).not.toMatch(/rate/);
    expect(picture.description).toContain("training from 4 to 1, validation from 4 to 3");
  });

  test("puts values on a linear scale: equal steps are equal, up is more", () => {
    const [loss, , , accuracy] = lines(learningCurves({ curves })).map((path) => points(path)[0]!);
    const [[x1, y1], [x2, y2], [x3, y3]] = loss as [[number, number], [number, number], [number, number]];
    expect(x2 - x1).toBeCloseTo(x3 - x2, 1);
    expect(y3 - y2).toBeCloseTo(2 * (y2 - y1), 1); // from 3 to 1 it is twice as far as from 4 to 3, and downwards
    expect(y2).toBeGreaterThan(y1);
    expect(accuracy![0]![1]).toBeGreaterThan(accuracy![2]![1]);
  });

  test("puts positive values of many powers of ten on a log scale, or as asked", () => {
    const steps = (picture: unknown): number[] => {
      const [piece] = points(lines(picture)[0]!);
      return piece!.slice(1).map(([, y], i) => y - piece![i]![1]);
    };
    const [first, second] = steps(learningCurves({ loss: [1, 0.1, 0.001] }));
    expect(second).toBeCloseTo(2 * first!, 1);
    const [one, two] = steps(learningCurves({ loss: [1, 0.1, 0.001] }, { scale: "linear" }));
    expect(two! / one!).toBeCloseTo(0.099 / 0.9, 1);
    expect(texts(learningCurves({ loss: [1, 0.001] })).join()).toContain("log scale");
    expect(texts(learningCurves({ loss: [1, 0.1] })).join()).not.toContain("log scale");
  });

  test("leaves gaps where a value is none, and shows a value that stands alone", () => {
    const [path] = lines(learningCurves({ loss: [1, 2, NaN, 3, Infinity, 4, 5, ...Array<number>(100).fill(6)] }));
    expect(points(path!).map(({ length }) => length)).toEqual([2, 1, 102]);
    const root = parse(String(learningCurves({ loss: [NaN, 2, NaN, ...Array<number>(100).fill(6)] })));
    expect(all(root, "circle").map(tooltip)).toEqual(["training, epoch 2: 2"]);
  });

  test("keeps peaks and gaps of more values than there are pixels", () => {
    const long = Array.from({ length: 200_000 }, (_, i) => 5 + Math.sin(i));
    long[77_777] = 9;
    long[150_000] = NaN;
    const picture = learningCurves({ loss: long }, { per: "iteration" });
    const pieces = points(lines(picture)[0]!);
    expect(pieces).toHaveLength(2);
    const [[first], [, last]] = [pieces[0]!, [0, pieces[1]!.at(-1)!]] as const;
    const top = pieces.flat().reduce((a, b) => (b[1] < a[1] ? b : a));
    expect((top[0] - first![0]) / (last[0] - first![0])).toBeCloseTo(77_777 / 200_000, 2);
    expect(String(picture).length).toBeLessThan(50_000);
  });

  test("draws zeros and less on a linear scale where a logarithmic one has no place for any", () => {
    const [path] = lines(learningCurves({ loss: [-1, -2] }, { scale: "log" }));
    expect(points(path!)[0]).toHaveLength(2);
  });

  test.each<[string, readonly number[]]>([
    ["as large as numbers get", [Number.MAX_VALUE, 2]],
    ["that large, all equal", [1e308, 1e308]],
    ["that large, alike", [1.5e308, 1.7e308]],
    ["as far apart as numbers get", [-1e308, 1e308]],
    ["as small as numbers get", [Number.MIN_VALUE, 3e-320]],
    ["that small, all equal", [Number.MIN_VALUE, Number.MIN_VALUE]],
    ["around that small", [-5e-324, 1e-310]],
    ["of all sizes", [Number.MIN_VALUE, 1, Number.MAX_VALUE]],
    ["all equal", [2, 2]],
    ["that are none", [NaN, Infinity]],
  ])("ends with values %s", (_, loss) => {
    for (const scale of ["linear", "log", undefined] as const) {
      const picture = learningCurves({ loss }, { ...(scale && { scale }) });
      expect(String(picture)).not.toMatch(/ (d|x|y|cx|cy)="[^"]*(NaN|Infinity|undefined)/);
      const seen = lines(picture).flatMap((path) => (path.attributes.d === undefined ? [] : points(path).flat()));
      expect(seen).toHaveLength(loss.filter((value) => Number.isFinite(value) && !(scale === "log" && value < 0 && loss.some((other) => other > 0))).length); // prettier-ignore
      for (const [, y] of seen) expect(y > 0 && y < picture.height).toBe(true);
      if (seen.length > 1 && loss[0] !== loss[1]) expect(seen[0]![1]).not.toBe(seen.at(-1)![1]);
    }
  });

  test("shows the figures that are asked for", () => {
    expect(lines(learningCurves({ curves }, { figures: ["accuracy"] })).map(tooltip)).toEqual([
      "training",
      "validation",
    ]);
    expect(() => learningCurves({ curves }, { figures: ["acuracy"] })).toThrow("some of loss, accuracy for figures");
  });

  test("refuses what is no curve", () => {
    expect(() => learningCurves({})).toThrow(failure("OptionError", /at least one curve with a value/));
    expect(() => learningCurves({ loss: [] })).toThrow(failure("OptionError", /at least one curve with a value/));
    expect(() => learningCurves(undefined as never)).toThrow(failure("OptionError", /curves by name/));
    expect(() => learningCurves({ loss: "1" as never })).toThrow(
      failure("OptionError", /an array of numbers for loss/),
    );
    expect(() => learningCurves({ learningRate: [1] })).toThrow(failure("OptionError", /besides the learning rate/));
    expect(() => learningCurves({ loss: [1] }, { pre: "epoch" } as never)).toThrow('did you mean "per"?');
  });
});

test("learningRate is linear unless asked, and needs a learning rate", () => {
  expect(texts(learningRate({ learningRate: [1, 1e-9] }))).toContain("learning rate α");
  expect(texts(learningRate({ learningRate: [1, 1e-9] }, { scale: "log", per: "iteration" }))).toEqual(expect.arrayContaining(["learning rate α, log scale", "iteration"])); // prettier-ignore
  expect(() => learningRate({ loss: [1] })).toThrow(failure("OptionError", /a curve named learningRate/));
});

describe("gradientNorms", () => {
  test("colours go from the first layer to the last, on a log scale", () => {
    const norms = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`dense${i + 1}`, [1, 2]]));
    const picture = gradientNorms(norms);
    const colours = lines(picture).map((path) => Number(/r(\d)/.exec(classes(path).join(" "))![1]));
    expect(colours).toEqual(colours.toSorted((a, b) => a - b));
    expect([colours[0], colours.at(-1)]).toEqual([0, 9]);
    expect(texts(picture)).toEqual(
      expect.arrayContaining(["dense1", "dense30", "norm of the gradient ‖dθ‖, log scale"]),
    );
  });

  test("takes what fit has watched", () => {
    const curves = {
      loss: [3, 2],
      "activations.dense1": [1, 2],
      "gradients.dense1": [1, 2],
      "gradients.dense2": [2, 1],
    };
    expect(lines(gradientNorms({ curves })).map(tooltip)).toEqual(["dense1", "dense2"]);
    expect(texts(activationNorms({ curves }))).toContain("RMS of the outputs, log scale");
    expect(lines(activationNorms({ curves })).map(tooltip)).toEqual(["dense1"]);
    expect(() => gradientNorms({ curves: { loss: [1] } })).toThrow(failure("OptionError", /watch: \["gradients"\]/));
  });

  test("names layers without any gradient, which a log scale cannot show", () => {
    expect(texts(gradientNorms({ dense1: [0, 0], dense2: [1, 2] }))).toContain("dense1 (0 throughout)");
  });
});

describe("learningCurve", () => {
  const curve = { points: [100, 200, 800].map((examples) => ({ examples, trainError: 10 / examples, devError: 20 / examples })), error: "1 - accuracy" }; // prettier-ignore

  test("puts errors where the numbers of examples are, with the baseline", () => {
    const picture = learningCurve({ ...curve, biasVariance: { baseline: 0.01 } });
    const [training, dev, baseline] = lines(picture);
    expect([training, dev, baseline].map((path) => tooltip(path!))).toEqual(["training", "dev", "baseline"]);
    const [a, b, c] = points(training!)[0]!.map(([x]) => x) as [number, number, number];
    expect((c - b) / (b - a)).toBeCloseTo(6, 1);
    const ys = points(baseline!)[0]!.map(([, y]) => y);
    expect(new Set(ys).size).toBe(1);
    expect(texts(picture)).toEqual(expect.arrayContaining(["examples", "1 − accuracy"]));
    expect(lines(learningCurve(curve))).toHaveLength(2);
  });

  test("refuses what is none", () => {
    expect(() => learningCurve({ points: [] })).toThrow(failure("OptionError", /points with examples/));
    expect(() => learningCurve({ points: [1] } as never)).toThrow(failure("OptionError", /points with examples/));
  });
});
