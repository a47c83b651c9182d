// Plots of norms per layer, in which signals are seen to vanish or explode. Measuring them is train/watch.ts, judging them check/gradient-flow.ts.
import { wrongValue } from "../options.js";
import { checkCurveOptions, curvesOf, isHistory, type CurveOptions, type Curves, type CurvesInput } from "./curves.js";
import { linesPlot } from "./lines.js";
import type { Plot } from "./plot.js";
import { ordered } from "./theme.js";

/**
 * Norms of the gradients while training, a curve per layer: colours go from the first layer to the last. Curves that lie apart by powers of ten, the
 * first layers lowest, are vanishing gradients; curves that climb are exploding ones.
 *
 * @param norms - what a `fit` with `watch: ["gradients"]` resolved with, or norms by layer, the first one first
 * @throws OptionError when there are none
 *
 * @example
 * ```ts
 * const history = await model.fit(train, { epochs: 2, watch: ["gradients"] });
 * await plot.gradientNorms(history).save("gradients.svg");
 * ```
 */
export function gradientNorms(norms: CurvesInput, options: CurveOptions = {}): Plot {
  return normsPlot("gradientNorms", "gradients", norms, options, ["Gradient norms", "norm of the gradient ‖dθ‖"]);
}

/**
 * Sizes of the activations while training, the root of their mean square, a curve per layer. Between layers they should neither shrink nor grow.
 *
 * @param norms - what a `fit` with `watch: ["activations"]` resolved with, or sizes by layer, the first one first
 * @throws OptionError when there are none
 *
 * @example
 * ```ts
 * const history = await model.fit(train, { epochs: 2, watch: ["activations"] });
 * await plot.activationNorms(history).save("activations.svg");
 * ```
 */
export function activationNorms(norms: CurvesInput, options: CurveOptions = {}): Plot {
  return normsPlot("activationNorms", "activations", norms, options, ["Activations", "RMS of the outputs"]);
}

function normsPlot(
  where: string,
  watched: string,
  norms: CurvesInput,
  options: CurveOptions,
  [heading, yLabel]: readonly [string, string],
): Plot {
  checkCurveOptions(where, options);
  const curves = curvesOf(where, isHistory(norms) ? ofLayers(where, watched, norms.curves) : norms);
  const positive = curves.some(([, values]) => values.some((value) => value > 0));
  const { title = heading, per = "epoch", scale = positive ? "log" : "linear" } = options;
  const series = curves.map(([name, values], i) => ({
    // Zero has no place on a logarithmic scale, and is the worst of news.
    name: scale === "log" && values.every((value) => value === 0) ? `${name} (0 throughout)` : name,
    values,
    look: ordered(i, curves.length),
  }));
  return linesPlot([{ yLabel, series }], { title, xLabel: per, scale });
}

/** The curves that `watch` made, by layer. */
function ofLayers(where: string, watched: string, curves: Curves): Curves {
  const prefix = `${watched}.`;
  const found = Object.entries(curves).flatMap(([name, values]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), values] as const] : [],
  );
  if (found.length === 0) throw wrongValue(where, "history", `that of a fit with watch: ["${watched}"]`, curves);
  return Object.fromEntries(found);
}
