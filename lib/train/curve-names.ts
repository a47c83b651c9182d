// What the curves of a training are called, and which of them a callback is to watch. Their values come from fit.ts.
import type { Compiled, Model } from "../model.js";
import { nearest, wrongValue } from "../options.js";
import type { Settings } from "./fit-options.js";

/** `valAccuracy`: what `accuracy` of the validation data is called. */
export function validationName(name: string): string {
  return `val${name[0]!.toUpperCase()}${name.slice(1)}`;
}

/** The names of all curves that a training will have. */
export function curveNames(
  model: Model,
  { metrics }: Pick<Compiled, "metrics">,
  { watch = [], nonFinite, validationData }: Pick<Settings, "watch" | "nonFinite" | "validationData">,
): string[] {
  const rated = ["loss", ...metrics.map(({ name }) => name)];
  const trained = new Set(model.parameters.map(({ label }) => label.split(".")[0]!));
  return [
    ...rated,
    ...(model.isRegularized ? ["cost"] : []),
    ...(validationData !== undefined ? rated.map(validationName) : []),
    "learningRate",
    ...(watch.includes("activations") ? model.layerNames.map((layer) => `activations.${layer}`) : []),
    ...(watch.includes("gradients") ? [...trained].map((layer) => `gradients.${layer}`) : []),
    ...(nonFinite === "skip" ? ["skipped"] : []),
  ];
}

/**
 * Refuses, before the training, to watch a curve that it will not have.
 * @throws OptionError
 */
export function checkMonitor(where: string, monitor: string, curves: readonly string[]): void {
  if (curves.includes(monitor)) return;
  const unvalidated = /^val[A-Z0-9]/.test(monitor) && !curves.includes("valLoss");
  throw wrongValue(
    where,
    "monitor",
    `one of ${curves.join(", ")}${unvalidated ? " (fit was given no validationData)" : ""}`,
    monitor,
    unvalidated || typeof monitor !== "string" ? undefined : nearest(monitor, curves),
  );
}
