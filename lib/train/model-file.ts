// What a model file says beside its weights: architecture, loss, optimizer and metrics, as JSON in the metadata of a safetensors file.
import { parseBoundedJson } from "../data/bounded-json.js";
import { fileError } from "../errors.js";
import type { WeightSpec } from "../initializers.js";
import type { LayerConfig } from "../layers/registry.js";
import type { LossConfig } from "../losses/registry.js";
import type { MetricConfig } from "../metrics/registry.js";
import type { OptimizerConfig } from "../optimizers/registry.js";

export const format = "simdnn";
export const formatVersion = 1;

/** What weights are called in the file. */
export const safeTypes = { float32: "F32", float64: "F64" } as const;

/** The metadata's JSON. */
export interface Architecture {
  readonly version: number;
  readonly name: string;
  readonly seed: number;
  readonly inputShape: readonly number[];
  /** Default: float32. */
  readonly dtype?: WeightSpec["dtype"];
  readonly layers: readonly LayerConfig[];
  readonly compiled?: {
    readonly loss: LossConfig;
    readonly optimizer: OptimizerConfig;
    readonly metrics: readonly MetricConfig[];
  };
}

/** Reads the metadata. Nothing in it is ever evaluated. */
export function parseArchitecture(file: string, kind: string | undefined, text: string | undefined): Architecture {
  const remedy = "use a file that model.save() wrote";
  if (kind !== format || text === undefined)
    throw fileError(file, `a model in its metadata (format "${format}")`, "there is none", remedy);
  let parsed: unknown;
  try {
    parsed = parseBoundedJson(text);
  } catch (cause) {
    throw fileError(file, "an architecture in JSON", `it has ${(cause as Error).message}`, remedy, cause);
  }
  const { version, name, seed, inputShape, dtype, layers, compiled } = (parsed ?? {}) as Partial<
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
    (dtype === undefined || (typeof dtype === "string" && Object.hasOwn(safeTypes, dtype))) &&
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
  const { loss, optimizer, metrics } = (value ?? {}) as Partial<
    Record<keyof NonNullable<Architecture["compiled"]>, unknown>
  >;
  const isNamed = (config: unknown): boolean =>
    typeof (config as { name?: unknown } | null | undefined)?.name === "string";
  return (
    isNamed(loss) &&
    isNamed(optimizer) &&
    isArrayOf(metrics, (metric) => typeof metric === "string" || isLayerConfig(metric))
  );
}
