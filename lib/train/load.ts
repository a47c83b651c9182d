// Reading a model that save.ts wrote.
import { types } from "node:util";
import { openSafetensors, type SafeArray, type SafeSpec } from "../data/safetensors.js";
import { fileError } from "../errors.js";
import { sourceName, type FileSource } from "../files.js";
import { layerFromConfig, type LayerFactories } from "../layers/registry.js";
import { isLossName, resolveLoss } from "../losses/registry.js";
import { isKnownMetric, resolveMetric } from "../metrics/registry.js";
import { sequential, type Model } from "../model.js";
import { checkOptions, only, wrongValue } from "../options.js";
import { resolveOptimizer } from "../optimizers/registry.js";
import { sizeOf } from "../tensor.js";
import { parseArchitecture, safeTypes, type Architecture } from "./model-file.js";
import { isForTraining } from "./training-file.js";

/**
 * Reads a model that `save` or a checkpoint wrote, compiled as it was where its loss and metrics are the library's own (the optimizer starts afresh);
 * otherwise call compile() with yours.
 *
 * @param source - a path, or the file's bytes
 * @param options - `layers`: factories of your own layers, by type
 * @throws OptionError for what is neither; FileError when it is no such file, or its weights do not fit its architecture
 *
 * @example
 * ```ts
 * const model = await loadModel("digits.safetensors");
 * const probabilities = await model.predict(images);
 * ```
 */
export async function loadModel(
  source: FileSource,
  options: { readonly layers?: LayerFactories } = {},
): Promise<Model> {
  checkOptions("loadModel", options, ["layers"]);
  if (typeof source !== "string" && !types.isUint8Array(source))
    throw wrongValue("loadModel", "source", "a path, or a file's bytes as a Uint8Array or Buffer,", source);
  const file = sourceName(source);
  return openSafetensors(source, async ({ specs, metadata, read }) => {
    const architecture = parseArchitecture(file, metadata.get("format"), metadata.get("model"));
    const { compiled } = architecture;
    checkSizes(file, architecture, specs);
    const model = modelOf(file, architecture, specs, options.layers);
    await read((name) => model.weights.get(name)?.write() as SafeArray | undefined);
    if (compiled && isLossName(compiled.loss.name) && compiled.metrics.every(isKnownMetric))
      model.compile({
        loss: resolveLoss(file, compiled.loss),
        optimizer: resolveOptimizer(file, compiled.optimizer),
        metrics: compiled.metrics.map((metric) => resolveMetric(file, metric)),
      });
    return model;
  });
}

/** The model of an architecture, with weights like those that the file has. */
function modelOf(
  file: string,
  { layers, name, seed, inputShape, dtype }: Architecture,
  specs: ReadonlyMap<string, SafeSpec>,
  factories: LayerFactories | undefined,
): Model {
  const model = sequential(
    layers.map((config) => layerFromConfig(config, factories)),
    { name, seed, inputShape, ...only({ dtype }) },
  );
  for (const [weight, { shape }] of model.weights) {
    const stored = specs.get(weight);
    const expected = `${weight} as ${safeTypes[model.dtype]} [${shape.join(", ")}]`;
    if (stored?.dtype !== safeTypes[model.dtype] || stored.shape.join() !== shape.join())
      throw fileError(
        file,
        expected,
        stored ? `it holds ${stored.dtype} [${stored.shape.join(", ")}]` : "it has none",
        `save the model again with ${model.dtype} weights`,
      );
  }
  const unknown = [...specs.keys()].find((tensor) => !model.weights.has(tensor) && !isForTraining(tensor));
  if (unknown !== undefined)
    throw fileError(file, "only the model's weights", `it also holds "${unknown}"`, "save the model again");
  return model;
}

/** A file cannot make us allocate more than it holds: building the model makes what the architecture says. */
function checkSizes(file: string, { layers, inputShape }: Architecture, specs: ReadonlyMap<string, SafeSpec>): void {
  const stored = [...specs.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  let width = sizeOf(inputShape);
  let promised = 0;
  for (const { type, options } of layers) {
    const units = options.units;
    if (type !== "dense" || typeof units !== "number") continue;
    promised += width * units;
    width = units;
  }
  if (!(promised <= stored))
    throw fileError(
      file,
      `at least ${promised} weights for its dense layers`,
      `it holds ${stored}`,
      "save the model again",
    );
}
