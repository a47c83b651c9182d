// The plot of norms per layer, in which gradients are seen to vanish or explode. Who measured them is not its business.
import { checkCurveOptions, curvesOf, type CurveOptions, type CurvesInput } from "./curves.js";
import { linesPlot } from "./lines.js";
import type { Plot } from "./plot.js";
import { rampClass } from "./theme.js";

/**
 * Norms of the gradients while training, a curve per layer: colours go from the first layer to the last. Curves that drift apart by powers of ten, the
 * first layers lowest, are vanishing gradients; curves that climb are exploding ones.
 *
 * @param norms - by layer or parameter, in the order of the layers
 * @throws OptionError when there are none
 *
 * @example
 * ```ts
 * const norms = { "dense1.weight": [0.01, 0.008, 0.009], "dense2.weight": [0.4, 0.3, 0.2] };
 * await plot.gradientNorms(norms).save("norms.svg");
 * ```
 */
export function gradientNorms(norms: CurvesInput, options: CurveOptions = {}): Plot {
  const where = "gradientNorms";
  checkCurveOptions(where, options);
  const curves = curvesOf(where, norms);
  const positive = curves.some(([, values]) => values.some((value) => value > 0));
  const { title = "Gradient norms", per = "epoch", scale = positive ? "log" : "linear" } = options;
  const series = curves.map(([name, values], i) => ({
    // Zero has no place on a logarithmic scale, and is the worst of news.
    name: scale === "log" && values.every((value) => value === 0) ? `${name} (0 throughout)` : name,
    values,
    look: { class: rampClass(curves.length === 1 ? 0 : i / (curves.length - 1)) },
  }));
  return linesPlot([{ yLabel: "norm of the gradient ‖dW‖", series }], { title, xLabel: per, scale });
}
