// Models as safetensors files: weights as tensors, architecture and loss as JSON in the metadata. Nothing in a file is ever evaluated.
import { fileError } from "../errors.js";
import { sourceName, type FileSource } from "../files.js";
import { readSafetensors, writeSafetensors, type SafeTensor } from "../data/safetensors.js";
import { layerFromConfig, type LayerFactories } from "../layers/registry.js";
import type { Json } from "../layers/layer.js";
import { isLossName, resolveLoss, type LossConfig } from "../losses/registry.js";
import { isMetricName } from "../metrics.js";
import { resolveOptimizer, type OptimizerConfig } from "../optimizers/registry.js";
import { sequential, type Compiled, type Model } from "../model.js";
import { checkOptions } from "../options.js";
import { sizeOf, type TypedArray } from "../tensor.js";

const format = "simdnn";
const formatVersion = 1;

/** The metadata's JSON. */
interface Architecture {
  readonly version: number;
  readonly name: string;
  readonly seed: number;
  readonly inputShape: readonly number[];
  readonly layers: readonly { readonly type: string; readonly options: { readonly [key: string]: Json } }[];
  readonly compiled?: {
    readonly loss: LossConfig;
    readonly optimizer: OptimizerConfig;
    readonly metrics: readonly string[];
  };
}

export async function saveModel(path: string, model: Model, compiled: Compiled | undefined): Promise<void> {
  const architecture: Architecture = {
    version: formatVersion,
    name: model.name,
    seed: model.seed,
    inputShape: model.inputShape,
    layers: model.layers.map(({ type, options }) => ({ type, options })),
    ...(compiled ? { compiled: describeCompiled(compiled) } : {}),
  };
  const tensors = new Map<string, SafeTensor>();
  for (const [name, data] of model.getWeights())
    tensors.set(name, { dtype: "F32", shape: model.weights.get(name)!.shape, data: data as Float32Array<ArrayBuffer> });
  await writeSafetensors(path, tensors, new Map([["format", format], ["model", JSON.stringify(architecture)]])); // prettier-ignore
}

function describeCompiled({ loss, optimizer, metrics }: Compiled): NonNullable<Architecture["compiled"]> {
  const named = ({ name, options }: LossConfig): LossConfig => ({ name, ...(options ? { options } : {}) });
  return {
    loss: named(loss),
    optimizer: { name: optimizer.name, options: optimizer.options },
    metrics: metrics.map(({ name }) => name),
  };
}

/**
 * Reads a model that `save` wrote, compiled as it was where its loss and metrics are the library's own (the optimizer starts afresh);
 * otherwise call compile() with yours.
 *
 * @param source - a path, or the file's bytes
 * @param options - `layers`: factories of your own layers, by type
 * @throws FileError when it is no such file, or its weights do not fit its architecture
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
  const file = sourceName(source);
  const { tensors, metadata } = await readSafetensors(source);
  const architecture = parseArchitecture(file, metadata.get("format"), metadata.get("model"));
  const { name, seed, inputShape, compiled } = architecture;
  checkSizes(file, architecture, tensors);
  const model = sequential(
    architecture.layers.map((config) => layerFromConfig(config, options.layers)),
    { name, seed, inputShape },
  );
  const values = new Map<string, TypedArray>();
  for (const [weight, { shape, dtype }] of model.weights) {
    const stored = tensors.get(weight);
    const expected = `${weight} as F32 [${shape.join(", ")}]`;
    if (stored?.dtype !== "F32" || stored.shape.join() !== shape.join())
      throw fileError(
        file,
        expected,
        stored ? `it holds ${stored.dtype} [${stored.shape.join(", ")}]` : "it has none",
        `save the model again with ${dtype} weights`,
      );
    values.set(weight, stored.data as Float32Array);
  }
  const unknown = [...tensors.keys()].find((tensor) => !model.weights.has(tensor));
  if (unknown !== undefined)
    throw fileError(file, "only the model's weights", `it also holds "${unknown}"`, "save the model again");
  model.setWeights(values);
  if (compiled && isLossName(compiled.loss.name) && compiled.metrics.every(isMetricName))
    model.compile({
      loss: resolveLoss(file, compiled.loss),
      optimizer: resolveOptimizer(file, compiled.optimizer),
      metrics: compiled.metrics.filter(isMetricName),
    });
  return model;
}

function parseArchitecture(file: string, kind: string | undefined, text: string | undefined): Architecture {
  const remedy = "use a file that model.save() wrote";
  if (kind !== format || text === undefined)
    throw fileError(file, `a model in its metadata (format "${format}")`, "there is none", remedy);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw fileError(file, "an architecture in JSON", "it cannot be parsed", remedy, cause);
  }
  const { version, name, seed, inputShape, layers, compiled } = (parsed ?? {}) as Partial<
    Record<keyof Architecture, unknown>
  >;
  if (version !== formatVersion)
    throw fileError(
      file,
      `format version ${formatVersion}`,
      `it is ${String(version)}`,
      "read it with the version of simdnn that wrote it",
    );
  const sound =
    typeof name === "string" &&
    Number.isSafeInteger(seed) &&
    isArrayOf(inputShape, Number.isSafeInteger) &&
    isArrayOf(layers, isLayerConfig) &&
    (compiled === undefined || isCompiled(compiled));
  if (!sound)
    throw fileError(
      file,
      "an architecture with name, seed, inputShape and layers",
      "one is missing or of the wrong kind",
      remedy,
    );
  return parsed as Architecture;
}

function isArrayOf(value: unknown, is: (element: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

function isLayerConfig(value: unknown): boolean {
  const { type, options } = (value ?? {}) as { type?: unknown; options?: unknown };
  return typeof type === "string" && typeof options === "object" && options !== null;
}

function isCompiled(value: unknown): boolean {
  const { loss, optimizer, metrics } = (value ?? {}) as Partial<Record<keyof Compiled, unknown>>;
  const isNamed = (config: unknown): boolean =>
    typeof (config as { name?: unknown } | null | undefined)?.name === "string";
  return isNamed(loss) && isNamed(optimizer) && isArrayOf(metrics, (metric) => typeof metric === "string");
}

/** A file cannot make us allocate more than it holds: building the model makes what the architecture says. */
function checkSizes(
  file: string,
  { layers, inputShape }: Architecture,
  tensors: ReadonlyMap<string, SafeTensor>,
): void {
  const stored = [...tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
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
