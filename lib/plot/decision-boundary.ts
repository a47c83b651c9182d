// The plot of what a classifier of points in the plane takes every place for, with examples upon it.
import { Dataset } from "../data/dataset.js";
import { shapeError } from "../errors.js";
import { classCount, classNumbers } from "../losses/targets.js";
import { gather } from "../ops/gather.js";
import { checkOptions, hasMethod, isArray, plainText, positiveInteger, wrongValue } from "../options.js";
import { tensor, type Tensor } from "../tensor.js";
import { frame, pictureTitle, type Entry } from "./frame.js";
import { drawMark } from "./marks.js";
import { Plot } from "./plot.js";
import { drawRegions, gridOver } from "./regions.js";
import { numberScale } from "./scale.js";

/** A model, an ensemble, or anything that gives the probabilities of classes `[n, classes]`, or `[n, 1]` that of class 1. */
export interface Classifier {
  predict(inputs: Tensor): Promise<Tensor>;
}

export interface DecisionBoundaryOptions {
  /** Heading of the picture. */
  readonly title?: string;
  /** Names of the classes. Default: "class 0" and so on. */
  readonly labels?: readonly string[];
  /** Names of the two inputs, with their units. Default: x₁ and x₂. */
  readonly features?: readonly [string, string];
  /** Examples that are drawn at most; all of them are counted. Default: 1000. */
  readonly points?: number;
}

/**
 * What a classifier of two inputs takes every place for, with examples upon it; those it takes for another class have a ring. Colours are the stronger
 * the surer the classifier is: they change where the likeliest class is 0, 0.5 and 0.9 ahead of the next one.
 *
 * @param data - inputs `[n, 2]`, targets as for accuracy
 * @throws ShapeError for other inputs, OptionError for wrong options
 *
 * @example
 * ```ts
 * const moons = datasets.moons({ count: 200, noise: 0.1, seed: 1 });
 * const model = sequential([dense(16, { activation: "tanh" }), dense(2)], { inputShape: [2], seed: 1 });
 * model.compile({ loss: "softmaxCrossEntropy", optimizer: adam({ learningRate: 0.05 }) });
 * await model.fit(moons, { epochs: 20 });
 * const picture = await plot.decisionBoundary(model, moons);
 * await picture.save("moons.svg");
 * ```
 */
export async function decisionBoundary(
  model: Classifier,
  data: Dataset,
  options: DecisionBoundaryOptions = {},
): Promise<Plot> {
  check(model, data, options);
  const { title = "Decision boundary", features = ["x₁", "x₂"], points = 1000 } = options;
  const inputs = gather(data.inputs, tensor(data.rows), { dtype: "float32" });
  const predictions = await model.predict(inputs);
  const names = labelsOf(options.labels, classCount(predictions));
  const truth = classNumbers(where, predictions, gather(data.targets, tensor(data.rows))).data();
  const values = inputs.data();
  const examples = scoresOf(predictions).map((scores, i) => {
    const kind = truth[i]!;
    return { x: values[2 * i]!, y: values[2 * i + 1]!, kind, ringed: scores.indexOf(Math.max(...scores)) !== kind };
  });
  const wrong = examples.filter(({ ringed }) => ringed).length;
  const note = `${(examples.length - wrong).toLocaleString("en")} of ${examples.length.toLocaleString("en")} examples are on the right side`;

  const plane = { x: padded(examples.map(({ x }) => x)), y: padded(examples.map(({ y }) => y)) };
  const head = pictureTitle(title, size.width, note);
  const box = { x: 8, y: head.height, width: size.width - 16, height: size.height };
  const axis = (label: string, ends: readonly number[]) => ({
    label,
    scale: (range: readonly [number, number], ticks: number) =>
      numberScale(ends, "linear", { range, ticks, tight: true }),
  });
  const { area, x, y, markup } = frame<number, number>(box, {
    legend: [...names.map(legendEntry), ...(wrong > 0 ? [ringEntry] : [])],
    x: axis(features[0], plane.x),
    y: axis(features[1], plane.y),
  });
  const regions = drawRegions(area, scoresOf(await model.predict(gridOver(plane))), names);
  const every = Math.ceil(examples.length / points);
  const marks = examples
    .filter((_, i) => i % every === 0)
    .sort((a, b) => Number(a.ringed) - Number(b.ringed)) // what is wrong lies on top
    .map((example) => drawMark({ ...example, x: x.at(example.x), y: y.at(example.y) }, names[example.kind]));
  return new Plot(`${title}: ${note}`, size.width, head.height + size.height, [head.markup, markup, regions, ...marks]);
}

const where = "decisionBoundary";
const size = { width: 640, height: 560 };

const legendEntry = (name: string, kind: number): Entry => ({
  name,
  mark: (x, y) => drawMark({ x, y, kind, ringed: false }),
});
const ringEntry: Entry = {
  name: "on the wrong side",
  mark: (x, y) => drawMark({ x, y, kind: undefined, ringed: true }),
};

/** The scores of each example; one output is the probability of class 1. */
function scoresOf(predictions: Tensor): number[][] {
  const values = predictions.data();
  const [count, width] = [predictions.shape[0]!, predictions.size / predictions.shape[0]!];
  return Array.from({ length: count }, (_, i) =>
    width === 1 ? [1 - values[i]!, values[i]!] : Array.from(values.subarray(i * width, (i + 1) * width)),
  );
}

/** The extremes, with some room around them. */
function padded(values: readonly number[]): [low: number, high: number] {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const room = 0.08 * (high - low) || 1;
  return [low - room, high + room];
}

function labelsOf(labels: readonly string[] | undefined, classes: number): readonly string[] {
  if (labels === undefined) return Array.from({ length: classes }, (_, k) => `class ${k}`);
  if (labels.length !== classes) throw wrongValue(where, "labels", `${classes} names, one for each class,`, labels);
  return labels;
}

function check(model: Classifier, data: Dataset, options: DecisionBoundaryOptions): void {
  checkOptions(where, options, ["title", "labels", "features", "points"]);
  if (!hasMethod(model, "predict")) throw wrongValue(where, "model", "a model or an ensemble", model);
  if (!(data instanceof Dataset)) throw wrongValue(where, "data", "a dataset", data);
  if (data.inputShape.join() !== "2")
    throw shapeError(where, "expected two inputs per example, the coordinates in a plane", [
      { label: "inputs", shape: data.inputs.shape, name: data.inputs.name },
    ]);
  const { title, labels, features, points } = options;
  if (title !== undefined) plainText(where, "title", title);
  if (labels !== undefined && (!isArray(labels) || !labels.every(isText)))
    throw wrongValue(where, "labels", "an array of names", labels);
  if (features !== undefined && (!isArray(features) || features.length !== 2 || !features.every(isText)))
    throw wrongValue(where, "features", "two names", features);
  if (points !== undefined) positiveInteger(where, "points", points);
}

const isText = (value: unknown): boolean => typeof value === "string";
