// From a layer's description, as models are saved with, back to the layer. Knows every layer of the library by its type.
import { SimdnnError } from "../errors.js";
import { isObject, nearest, requireOptions, wrongValue } from "../options.js";
import * as activations from "./activations.js";
import * as augmentation from "./augmentation.js";
import { batchNorm } from "./batch-norm.js";
import { dense, type DenseOptions } from "./dense.js";
import { dropout } from "./dropout.js";
import type { Layer } from "./layer.js";
import { normalization } from "./normalization.js";
import { flatten, reshape } from "./reshape.js";

/** What a file says about a layer. */
export type LayerConfig = Pick<Layer, "type" | "options">;

/** Makers of layers of your own, by their `type`. Each is called with the `options` of the layer that was saved. */
export type LayerFactories = Readonly<Record<string, (options: never) => Layer>>;

const { relu, leakyRelu, elu, sigmoid, tanh, softplus, swish, gelu, softmax, hardmax } = activations;
const { randomFlip, randomTranslation, randomRotation, randomZoom, randomElastic, gaussianNoise } = augmentation;
const factories: LayerFactories = {
  dense: ({ units, ...options }: DenseOptions & { readonly units: number }) => dense(units, options),
  batchNorm, dropout, normalization, flatten, reshape,
  relu, leakyRelu, elu, sigmoid, tanh, softplus, swish, gelu, softmax, hardmax,
  randomFlip, randomTranslation, randomRotation, randomZoom, randomElastic, gaussianNoise,
}; // prettier-ignore

/**
 * The layer that a description was taken from, without weights.
 *
 * @param custom - makers of layers that are not the library's, by type; they go first
 * @throws OptionError for a type that neither knows, or options that the layer refuses
 *
 * @example
 * ```ts
 * layerFromConfig({ type: "dense", options: { units: 10 } }).options.activation; // "linear"
 * layerFromConfig({ type: "classes", options: { count: 10 } }, { classes: ({ count }) => dense(count as number) }).type; // "dense"
 * ```
 */
export function layerFromConfig(config: LayerConfig, custom: LayerFactories = {}): Layer {
  requireOptions("layerFromConfig", config, ["type", "options"]);
  const { type, options } = config;
  if (typeof type !== "string") throw wrongValue("layerFromConfig", "type", 'a name such as "dense"', type);
  if (options !== undefined && !isObject(options)) throw wrongValue("layerFromConfig", "options", "an object", options);
  if (!isObject(custom)) throw wrongValue("layerFromConfig", "custom", "an object of functions", custom);
  const factory = own(custom, type) ?? own(factories, type);
  if (factory) return factory((options ?? {}) as never);
  const suggestion = nearest(type, [...Object.keys(custom), ...Object.keys(factories)]);
  const hint = suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
  const message = `layer: unknown type "${type}"${hint}; pass the maker of a layer of your own as layers: { ${JSON.stringify(type)}: (options) => ... }`;
  throw new SimdnnError("OptionError", message, { where: "layer", option: "type", received: type, suggestion });
}

function own(table: LayerFactories, type: string): LayerFactories[string] | undefined {
  return Object.hasOwn(table, type) ? table[type] : undefined;
}
