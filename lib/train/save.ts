// Writing a model: weights as tensors of a safetensors file, the rest as model-file.ts says.
import { boundedJson } from "../data/bounded-json.js";
import { writeSafetensors, type SafeTensor } from "../data/safetensors.js";
import { describeMetric } from "../metrics/registry.js";
import type { LossConfig } from "../losses/registry.js";
import type { Compiled, Model } from "../model.js";
import { format, formatVersion, safeTypes, type Architecture } from "./model-file.js";

export async function saveModel(path: string, model: Model, compiled: Compiled | undefined): Promise<void> {
  const tensors = new Map<string, SafeTensor>();
  const dtype = safeTypes[model.dtype];
  for (const [name, data] of model.getWeights())
    tensors.set(name, { dtype, shape: model.weights.get(name)!.shape, data: data as SafeTensor["data"] });
  const description = boundedJson("save", "model", describeModel(model, compiled));
  await writeSafetensors(path, tensors, new Map([["format", format], ["model", description]])); // prettier-ignore
}

/** What a file says about a model beside its weights. */
export function describeModel(model: Model, compiled: Compiled | undefined): Architecture {
  return {
    version: formatVersion,
    name: model.name,
    seed: model.seed,
    inputShape: model.inputShape,
    ...(model.dtype === "float64" && { dtype: model.dtype }),
    layers: model.layers.map(({ type, options }) => ({ type, options })),
    ...(compiled ? { compiled: describeCompiled(compiled) } : {}),
  };
}

function describeCompiled({ loss, optimizer, metrics }: Compiled): NonNullable<Architecture["compiled"]> {
  const named = ({ name, options }: LossConfig): LossConfig => ({ name, ...(options ? { options } : {}) });
  return {
    loss: named(loss),
    optimizer: optimizer.config,
    metrics: metrics.map(describeMetric),
  };
}
