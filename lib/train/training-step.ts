// The step of training as it is recorded: from a batch to new weights. What runs it, and when, is fit.ts and online.ts.
import type { Compiled, Model } from "../model.js";
import { gradients } from "../ops/gradient.js";
import { assertFinite } from "../ops/guard.js";
import { Batches } from "./batches.js";
import { costAndFigures } from "./cost.js";
import type { Settings } from "./fit-options.js";
import { Watcher } from "./watch.js";

type StepOptions = Partial<Pick<Settings, "callbacks" | "classWeight" | "augment" | "watch" | "nonFinite">>;

/** What a step does to train `model`: forward, loss, backward, update, and what callbacks add to it. */
export function trainingSteps(
  model: Model,
  compiled: Compiled,
  { callbacks = [], classWeight, augment, watch, nonFinite }: StepOptions = {},
): Batches {
  return new Batches(model.dtype, (batch) => {
    const watched = new Watcher(watch);
    const { cost, figures } = costAndFigures(model, compiled, batch, true, {
      classWeight,
      augment,
      onLayer: watched.onLayer,
    });
    const computed = gradients(cost, model.parameters);
    assertFinite(cost);
    // Running statistics may overflow where what was computed with the batch's own did not.
    for (const weight of model.weights.values()) if (!weight.requiresGrad) assertFinite(weight);
    // The gradient of a bias, or of batch norm, is a sum over what flows back through its layer, so that what is bad shows in it before any
    // update is made. Looking at matrices as well would take 3 % of a step, so their updates look.
    computed.forEach((gradient, i) => {
      if (nonFinite !== "skip" && gradient.rank > 1) return;
      gradient.name = `gradient of ${model.parameters[i]!.label}`;
      assertFinite(gradient);
    });
    watched.gradients(model.parameters, computed);
    compiled.optimizer.apply(model.parameters, computed);
    for (const callback of callbacks) callback.recordStep?.(model);
    return { ...figures, ...watched.figures };
  });
}
