// The file of a checkpoint: that of a model, which loadModel() reads, and beside the weights all that training has to go on with.
import { boundedJson, parseBoundedJson } from "../data/bounded-json.js";
import { readSafetensors, writeSafetensors, type SafeTensor } from "../data/safetensors.js";
import { fileError, isSimdnnError } from "../errors.js";
import type { Compiled, Model } from "../model.js";
import { dtypeOf, Tensor, type DType, type TypedArray } from "../tensor.js";
import type { CallbackState, StateValue } from "./callbacks.js";
import type { Figures, TallyState } from "./figures.js";
import { format } from "./model-file.js";
import { pack, unpack } from "./packed.js";
import { describeModel } from "./save.js";

/** Where a training is. */
export interface Position {
  /** Whole epochs done. */
  readonly epoch: number;
  /** Steps taken in all epochs. */
  readonly steps: number;
  /** What the steps of a begun epoch have counted. */
  readonly tally?: TallyState;
  /** The figures of an epoch whose steps are done, and which is still to be validated. */
  readonly figures?: Figures;
}

/** What decides which examples a step gets: a training that is resumed must have the same. */
export interface Order {
  readonly seed: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly stepsPerEpoch: number | null;
  /** Null for a stream. */
  readonly examples: number | null;
}

/** All of a training but the tensors that belong to its model and optimizer. */
export interface TrainingState {
  readonly position: Position;
  readonly order: Order;
  readonly modelSeed: number;
  readonly curves: Readonly<Record<string, TypedArray>>;
  readonly stopped: string | null;
  readonly optimizer: { readonly epoch: number; readonly scheduled: boolean };
  /** Of each callback in turn, null where it has none. */
  readonly callbacks: readonly (CallbackState | null)[];
}

const trainingKey = "training";
const prefix = "training.";
const safeTypes = { float32: "F32", float64: "F64", int32: "I32", uint8: "U8" } as const satisfies Record<DType, SafeTensor["dtype"]>; // prettier-ignore
const remedy = "use a checkpoint of this model and this training, or another directory";

/** Whether a tensor of this name in a model's file is there for training only. */
export function isForTraining(name: string): boolean {
  return name.startsWith(prefix);
}

/** The model's and the optimizer's tensors, by the names they have in the file. */
function tensorsOf({ weights, parameters, passes }: Model, { optimizer }: Compiled): Map<string, Tensor> {
  const slots = parameters.flatMap((parameter) =>
    optimizer
      .slotsOf(parameter)
      .map((slot, i) => [`${prefix}optimizer.${optimizer.slotNames[i]!}.${parameter.label}`, slot] as const),
  );
  return new Map([
    ...weights,
    [`${prefix}passes`, passes],
    [`${prefix}optimizer.iterations`, optimizer.iterations],
    [`${prefix}optimizer.learningRate`, optimizer.learningRate],
    ...slots,
  ]);
}

/**
 * Writes a checkpoint, or leaves the old file as it was. Nobody may train meanwhile.
 * @throws FileError
 */
export async function writeTraining(
  path: string,
  model: Model,
  compiled: Compiled,
  state: TrainingState,
): Promise<void> {
  const tensors = new Map([...tensorsOf(model, compiled)].map(([name, tensor]) => [name, stored(tensor)]));
  const text = pack("checkpoint", state as unknown as StateValue, (values) => {
    const name = `${prefix}state.${tensors.size}`;
    tensors.set(name, stored(values));
    return name;
  });
  const metadata = {
    format,
    model: boundedJson("checkpoint", "model", describeModel(model, compiled)),
    [trainingKey]: text,
  };
  await writeSafetensors(path, tensors, new Map(Object.entries(metadata)));
}

// Storages themselves, though the claim under which they are being trained is held: between two steps they are whole.
function stored(values: TypedArray | Tensor): SafeTensor {
  const data = values instanceof Tensor ? values.storage! : values;
  const shape = values instanceof Tensor ? values.shape : [values.length];
  return { dtype: safeTypes[dtypeOf(data)], shape, data: data as SafeTensor["data"] };
}

/** A checkpoint that was read and fits the model. */
export interface StoredTraining {
  readonly file: string;
  readonly state: TrainingState;
  /** Gives the model and the optimizer what the file holds. */
  readonly restore: () => void;
}

/** @throws FileError when it is no checkpoint, or of another model */
export async function readTraining(file: string, model: Model, compiled: Compiled): Promise<StoredTraining> {
  const { tensors, metadata } = await readSafetensors(file);
  const text = metadata.get(trainingKey);
  if (text === undefined) throw fileError(file, "a checkpoint of a training", "it is none", remedy);
  const layers = (architecture: unknown): string => JSON.stringify((architecture as { layers?: unknown }).layers);
  const values = [...tensorsOf(model, compiled)].map(([name, tensor]) => {
    const found = tensors.get(name);
    if (found?.dtype === safeTypes[tensor.dtype] && found.shape.join() === tensor.shape.join())
      return [tensor, found.data as TypedArray] as const;
    const received = found ? `it holds ${found.dtype} [${found.shape.join(", ")}]` : "it has none";
    throw fileError(file, `${name} as ${safeTypes[tensor.dtype]} [${tensor.shape.join(", ")}]`, received, remedy);
  });
  let state: StateValue;
  try {
    if (layers(parseBoundedJson(metadata.get("model") ?? "{}")) !== layers(describeModel(model, compiled)))
      throw fileError(file, "the layers of this model", "it has others", remedy);
    state = unpack(text, (name) => {
      const found = tensors.get(name);
      if (!found || !isTyped(found.data)) throw new RangeError(`there is no array ${name}`);
      return found.data;
    });
  } catch (cause) {
    if (isSimdnnError(cause)) throw cause;
    throw fileError(file, "the state of a training", `there is ${(cause as Error).message}`, remedy, cause);
  }
  if (!isState(state)) throw fileError(file, "the state of a training", "a part of it is missing or damaged", remedy);
  const restore = (): void => {
    for (const [tensor] of values) tensor.writable();
    for (const [tensor, data] of values) tensor.write().set(data);
    model.reseed(state.modelSeed);
    compiled.optimizer.resume(state.optimizer);
  };
  return { file, state, restore };
}

function isTyped(data: SafeTensor["data"]): data is Extract<SafeTensor["data"], TypedArray> {
  return [Float32Array, Float64Array, Int32Array, Uint8Array].some((type) => data instanceof type);
}

function isState(value: StateValue): value is StateValue & TrainingState {
  const { position, order, modelSeed, curves, stopped, optimizer, callbacks } = record(value);
  const { epoch, steps, tally, figures } = record(position);
  const { seed, batchSize, shuffle, dropLast, stepsPerEpoch, examples } = record(order);
  const soundTally =
    tally === undefined ||
    (isCount(record(tally).steps) &&
      isCount(record(tally).examples) &&
      isCount(record(tally).skipped ?? 0) &&
      isRecordOf(record(tally).totals, isArray));
  return (
    [epoch, steps, seed, batchSize, modelSeed, record(optimizer).epoch].every(isCount) &&
    [stepsPerEpoch, examples].every((count) => count === null || isCount(count)) &&
    [shuffle, dropLast, record(optimizer).scheduled].every((flag) => typeof flag === "boolean") &&
    soundTally &&
    (figures === undefined || isRecordOf(figures, (figure) => typeof figure === "number")) &&
    isRecordOf(curves, isArray) &&
    (stopped === null || typeof stopped === "string") &&
    Array.isArray(callbacks) &&
    callbacks.every((state) => state === null || isRecord(state))
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isArray(value: unknown): boolean {
  return ArrayBuffer.isView(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function isRecordOf(value: unknown, is: (member: unknown) => boolean): boolean {
  return isRecord(value) && Object.values(value).every(is);
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
