// How a raw kernel is called: arguments checked against a signature, wrapped as tensors where they lie, then run as an eager op. No kernel in particular.
import { types } from "node:util";
import { shapeError, SimdnnError } from "../errors.js";
import { opNamed, type AttrValue } from "../op.js";
import { checkOptions, finiteNumber, positiveInteger, wrongValue, type Check } from "../options.js";
import { runEntry } from "../program.js";
import { Entry } from "../tape.js";
import { allocate, isFloat, sizeOf, Tensor, type DType, type Shape, type Spec, type TypedArray } from "../tensor.js";
import { threads as defaultThreads } from "../threads.js";

/** What kernels compute on; all floating-point arrays of one call are of one type. */
export type FloatArray = Float32Array | Float64Array;

/** What every kernel takes that has an object of arguments. */
export interface ThreadOptions {
  /** Threads to use at most; the result does not depend on it. Default: `setThreads()`, at first the number of cores. */
  readonly threads?: number;
}

type Values = Readonly<Record<string, unknown>>;

interface Context {
  readonly where: string;
  /** Sizes and attributes, checked, with defaults filled in. */
  readonly known: Readonly<Record<string, AttrValue>>;
  /** That of the first operand, undefined for itself. */
  readonly dtype: DType | undefined;
}

/** Makes an operand of an argument; undefined leaves it out. */
export type Operand = (value: unknown, name: string, context: Context) => Tensor | undefined;

/** Sizes by name, for shapes. */
export type Sizes = Readonly<Record<string, number>>;

export interface Signature {
  readonly name: string;
  /** The op's name where it differs. */
  readonly op?: string;
  /** Arguments that are sizes. */
  readonly sizes?: readonly string[];
  /** The op's operands, in its order. */
  readonly operands: Readonly<Record<string, Operand>>;
  /** The op's attributes: a check and, unless they must be given, a default; or a value that is none of the caller's business. */
  readonly attrs?: Readonly<
    Record<string, readonly [check: Check<AttrValue>, byDefault?: AttrValue] | { readonly fixed: AttrValue }>
  >;
  /** The op's outputs, in its order: arguments too, since the caller may give their arrays. */
  readonly outputs?: readonly string[];
}

interface ArrayOptions {
  /** What happens where the argument is missing: an error, an array of zeros, or no operand at all. */
  readonly absent?: "refused" | "zeros" | "left out";
  readonly integers?: "refused" | "taken";
}

/** An array of the caller's, used where it lies. `shape` follows from the sizes, or from the array itself. */
export function array(
  shape: (sizes: Sizes, array: TypedArray) => Shape,
  { absent = "refused", integers = "refused" }: ArrayOptions = {},
): Operand {
  return (value, name, { where, known, dtype }) => {
    if (value === undefined && absent === "left out") return undefined;
    if (value === undefined && absent === "zeros")
      return fresh({ shape: shape(known as Sizes, new Float32Array()), dtype: dtype! }, name);
    const checked = checkArray(where, name, value, integers === "taken");
    return wrap(where, name, checked, { shape: shape(known as Sizes, checked), dtype: dtypeOf(checked) });
  };
}

/** A number that the kernel reads as an operand. `dtype` defaults to that of the first operand. */
export function scalar(check: Check<number> = finiteNumber, byDefault?: number, dtype?: DType): Operand {
  return (value, name, context) => {
    const made = fresh({ shape: [], dtype: dtype ?? context.dtype! }, name);
    made.storage![0] = check(context.where, name, value === undefined ? byDefault : value);
    return made;
  };
}

/** A size or counter: what an int32 >= 0 can hold. */
export const int32: Check<number> = (where, option, value) => {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value >= 2 ** 31)
    throw wrongValue(where, option, "an integer >= 0 and below 2^31", value);
  return value;
};

/** Checks `given`, runs the kernel, and returns every array that took part, by its argument's name. */
export function call(signature: Signature, given: object): Readonly<Record<string, TypedArray>> {
  const { name: where, sizes = [], operands, attrs = {}, outputs = [] } = signature;
  const free = Object.keys(attrs).filter((key) => Array.isArray(attrs[key]));
  const values = required(where, given, [...sizes, ...Object.keys(operands), ...free, ...outputs, "threads"]);
  const threads =
    values.threads === undefined ? defaultThreads() : Math.min(positiveInteger(where, "threads", values.threads), 256);

  const attrValues: Record<string, AttrValue> = {};
  for (const [key, rule] of Object.entries(attrs))
    attrValues[key] =
      "fixed" in rule ? rule.fixed : rule[0](where, key, values[key] === undefined ? rule[1] : values[key]);
  const known: Record<string, AttrValue> = { ...attrValues };
  for (const size of sizes) known[size] = int32(where, size, values[size]);

  const tensors: Tensor[] = [];
  for (const [key, operand] of Object.entries(operands)) {
    const made = operand(values[key], key, { where, known, dtype: tensors[0]?.dtype });
    if (made) tensors.push(made);
  }
  const op = opNamed(signature.op ?? where);
  const specs = op.shape(tensors, attrValues);
  const results = specs.map((spec, i) => output(where, outputs[i]!, values[outputs[i]!], spec));
  const entry = new Entry(op, tensors, results, attrValues, undefined);
  refuseOverlap(where, entry);
  runEntry(entry, threads);
  return Object.fromEntries([...tensors, ...results].map((tensor) => [tensor.name!, tensor.storage!]));
}

/** The arguments, each read once. */
function required(where: string, given: unknown, known: readonly string[]): Values {
  if (given === undefined) throw wrongValue(where, "the arguments", "an object", given);
  checkOptions(where, given, known);
  return { ...(given as Values) };
}

function output(where: string, name: string, value: unknown, spec: Spec): Tensor {
  if (value === undefined) return fresh(spec, name);
  const checked = checkArray(where, name, value, !isFloat(spec.dtype));
  const dtype = dtypeOf(checked);
  if (dtype !== spec.dtype) throw wrongValue(where, name, `a ${arrayNames[spec.dtype]}, like the other arrays,`, value);
  return wrap(where, name, checked, spec);
}

function fresh(spec: Spec, name: string): Tensor {
  return new Tensor(spec, { name, storage: allocate(spec) });
}

function wrap(where: string, name: string, values: TypedArray, spec: Spec): Tensor {
  const needed = sizeOf(spec.shape);
  if (values.length !== needed)
    throw shapeError(where, `${name} must have ${needed} elements but has ${values.length}`, [
      { label: name, shape: spec.shape },
    ]);
  return new Tensor(spec, { name, storage: values });
}

const arrayNames = {
  float32: "Float32Array",
  float64: "Float64Array",
  int32: "Int32Array",
  uint8: "Uint8Array",
} as const;

function dtypeOf(values: TypedArray): DType {
  return types.isFloat32Array(values) ? "float32" : types.isFloat64Array(values) ? "float64" : "int32";
}

/** A typed array whose memory stays where it is and can be used in place. */
function checkArray(where: string, name: string, value: unknown, integers: boolean): TypedArray {
  const isInteger = types.isInt32Array(value);
  if (!types.isFloat32Array(value) && !types.isFloat64Array(value) && !(integers && isInteger))
    throw wrongValue(
      where,
      name,
      integers ? "a Float32Array, Float64Array or Int32Array" : "a Float32Array or Float64Array",
      value,
    );
  const { buffer } = value;
  if ((buffer as { resizable?: boolean }).resizable || (buffer as { growable?: boolean }).growable)
    throw refused(where, name, "lies in a resizable buffer; copy it to an array of fixed length with slice()");
  if (isInteger && types.isSharedArrayBuffer(buffer))
    throw refused(
      where,
      name,
      "holds indices in shared memory, where another thread could change them after they were checked; copy them with slice()",
    );
  if (value.length === 0 && isDetached(buffer))
    throw refused(where, name, "has lost its memory: its buffer was transferred, to a worker perhaps");
  return value;
}

function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

function refused(where: string, option: string, why: string): SimdnnError<"OptionError"> {
  return new SimdnnError("OptionError", `${where}: ${option} ${why}`, { where, option });
}

/** What the kernel writes must not share memory with anything else, except where the op's record lets its first output take an operand's place. */
function refuseOverlap(where: string, { op, operands, outputs }: Entry): void {
  const all = [...operands, ...outputs];
  const written = new Set([...(op.effects ?? []).map((i) => operands[i]!), ...outputs]);
  for (const target of written)
    for (const other of all) {
      if (other === target || !overlap(target.storage!, other.storage!)) continue;
      const inPlace = target === outputs[0] && op.inPlace?.includes(operands.indexOf(other)) && coincide(target, other);
      if (!inPlace)
        throw refused(where, target.name!, `shares memory with ${other.name!}; give it an array of its own`);
    }
}

function overlap(a: TypedArray, b: TypedArray): boolean {
  return (
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  );
}

function coincide(a: Tensor, b: Tensor): boolean {
  return a.storage!.byteOffset === b.storage!.byteOffset && a.dtype === b.dtype && a.shape.join() === b.shape.join();
}
