// Plots of a training's curves: loss and metrics, and the learning rate. Gradient norms are beside this file.
import { watchable } from "../train/watch.js";
import { isArray, wrongValue } from "../options.js";
import { capitalized, checkCurveOptions, curvesOf, words, type CurveOptions, type CurvesInput } from "./curves.js";
import { linesPlot, type LinePanel } from "./lines.js";
import type { Plot } from "./plot.js";
import { category } from "./theme.js";

export interface LearningCurvesOptions extends CurveOptions {
  /** Names of the figures to show, such as `["loss", "accuracy"]`. Default: all but the learning rate and what `watch` follows. */
  readonly figures?: readonly string[];
}

/**
 * Loss and metrics while training: a panel for each, the training data beside the validation data. The cost, which is the loss with its penalties,
 * is in the panel of the loss.
 *
 * @throws OptionError when there is no such curve
 *
 * @example
 * ```ts
 * const history = await model.fit(train, { epochs: 2, validationData: dev });
 * await plot.learningCurves(history).save("curves.svg");
 * ```
 */
export function learningCurves(history: CurvesInput, options: LearningCurvesOptions = {}): Plot {
  const where = "learningCurves";
  checkCurveOptions(where, options, ["figures"]);
  const { title = "Learning curves", per = "epoch", scale, figures } = options;
  const curves = new Map(curvesOf(where, history));
  const all = [...new Set([...curves.keys()].map((name) => figureOf(name, curves)))].filter(
    (name) => name !== "learningRate" && !watchable.some((watched) => name.startsWith(`${watched}.`)),
  );
  if (
    figures !== undefined &&
    (!isArray(figures) || figures.length === 0 || !figures.every((name) => all.includes(name)))
  )
    throw wrongValue(where, "figures", `some of ${all.join(", ")}`, figures);
  const panels = (figures ?? all).map((figure) => panelOf(figure, curves));
  if (panels.length === 0) throw wrongValue(where, "curves", "a curve besides the learning rate", history);
  return linesPlot(panels, { title, xLabel: per, scale });
}

/**
 * The learning rate of each epoch (or iteration).
 *
 * @param history - what `fit` resolved with, or `{ learningRate: [...] }`
 * @param options - the scale is linear unless it says otherwise
 * @throws OptionError when it holds no learning rates
 *
 * @example
 * ```ts
 * const rates = Array.from({ length: 50 }, (_, epoch) => 0.1 / (1 + 0.2 * epoch));
 * await plot.learningRate({ learningRate: rates }).save("rates.svg");
 * ```
 */
export function learningRate(history: CurvesInput, options: CurveOptions = {}): Plot {
  const where = "learningRate";
  checkCurveOptions(where, options);
  const { title = "Learning rate", per = "epoch", scale = "linear" } = options; // schedules are known by their linear shape
  const values = new Map(curvesOf(where, history)).get("learningRate");
  if (!values) throw wrongValue(where, "curves", "a curve named learningRate", history);
  const series = [{ name: "learning rate", values, look: category(0) }];
  return linesPlot([{ yLabel: "learning rate α", series }], { title, xLabel: per, scale });
}

/** The figure that a curve is one of: `valLoss` and `cost` belong to `loss`. */
function figureOf(name: string, curves: ReadonlyMap<string, unknown>): string {
  if (name === "cost" && curves.has("loss")) return "loss";
  const validated = /^val([A-Z].*)$/.exec(name)?.[1];
  return validated === undefined ? name : validated.charAt(0).toLowerCase() + validated.slice(1);
}

const units: Readonly<Record<string, string>> = {
  loss: "loss (mean per example)",
  accuracy: "accuracy (share of examples)",
  binaryAccuracy: "accuracy (share of examples)",
};

function panelOf(figure: string, curves: ReadonlyMap<string, readonly number[]>): LinePanel {
  const sources = [
    ["training", figure],
    ["validation", `val${capitalized(figure)}`],
    ...(figure === "loss" ? [["training, with penalties", "cost"]] : []),
  ] as const;
  const series = sources.flatMap(([name, curve], i) => {
    const values = curves.get(curve);
    return values ? [{ name: name, values, look: category(i) }] : [];
  });
  // A single line has no legend, so the heading says whose it is.
  const heading = capitalized(words(figure)) + (series.length === 1 ? `, ${series[0]!.name}` : "");
  return { heading, yLabel: units[figure] ?? words(figure), series };
}
