// Tensor: a shape, a dtype and, once it has been computed, storage. Knows nothing of ops; its arithmetic is added by ops/methods.ts.
import type { Claim } from "./claim.js";
import { busyError, dtypeError, formatShape, shapeError, SimdnnError } from "./errors.js";
import { Made } from "./made.js";
import { take } from "./memory.js";
import { native } from "./native.js";
import { checkOptions, describe, isArray, oneOf, wrongValue } from "./options.js";
import type { Entry } from "./tape.js";
import { isRevoked } from "./values.js";

/** Element types. Networks compute in float32; float64 is for gradient checks, int32 for labels and indices, uint8 for stored inputs. */
export type DType = "float32" | "float64" | "int32" | "uint8";
export const dtypes: readonly DType[] = ["float32", "float64", "int32", "uint8"];
export type Shape = readonly number[];
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** What an op's shape rule sees and returns. */
export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

const arrayTypes = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array } as const;

export const maxRank = 6;

/** @throws OptionError unless `value` is a tensor */
export function checkTensor(where: string, option: string, value: unknown): void {
  if (!(value instanceof Tensor)) throw wrongValue(where, option, "a tensor, such as tensor() makes,", value);
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

export function bytesOf({ shape, dtype }: Spec): number {
  return sizeOf(shape) * arrayTypes[dtype].BYTES_PER_ELEMENT;
}

export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** Zeroed, garbage-collected memory whose address is a multiple of 64, as kernels like it. */
export function allocate(spec: Spec, what = "an array"): TypedArray {
  const bytes = bytesOf(spec);
  const name = (): string => `${what}, ${spec.dtype} ${formatShape(spec.shape)}`;
  const buffer = take(bytes, name, () => new ArrayBuffer(bytes + 64));
  return new arrayTypes[spec.dtype](buffer, native.misalignment(buffer), sizeOf(spec.shape));
}

/** A typed array on the same memory with another element type or extent. */
export function viewOf(array: TypedArray, byteOffset: number, spec: Spec): TypedArray {
  return new arrayTypes[spec.dtype](array.buffer as ArrayBuffer, array.byteOffset + byteOffset, sizeOf(spec.shape));
}

export function dtypeOf(array: TypedArray): DType {
  const found = dtypes.find((dtype) => array instanceof arrayTypes[dtype]);
  if (found === undefined)
    throw new SimdnnError("DTypeError", `tensor: expected a Float32Array, Float64Array, Int32Array or Uint8Array`, {
      where: "tensor",
      operands: [],
    });
  return found;
}

/**
 * An n-dimensional array. Immutable to its users, except parameters, which optimizers update in place.
 *
 * Values live in memory that belongs to the library and is garbage-collected: there is nothing to dispose of.
 */
export class Tensor extends Made implements Spec {
  readonly shape: Shape;
  readonly dtype: DType;
  /** What error messages call it. */
  name: string | undefined;
  /** Whether gradients flow to it: it is a parameter or depends on one. */
  readonly requiresGrad: boolean;
  /** @internal */ storage: TypedArray | undefined;
  /** @internal The op that made it; undefined for parameters and data. */ producer: Entry | undefined;
  /** @internal The value of a number that a formula contains: such tensors never change, and equal ones are interchangeable. */
  literal: number | undefined;
  /** @internal Who is using it off this thread (one writer or any number of readers) and its version; shared by all aliases of one storage. */
  users: { writer?: Claim; readers: number; version: number } = { readers: 0, version: 0 };

  constructor(
    { shape, dtype }: Spec,
    options: { storage?: TypedArray | undefined; name?: string | undefined; requiresGrad?: boolean } = {},
  ) {
    super();
    if (shape.length > maxRank || !shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0 && dim < 2 ** 31))
      throw shapeError(
        "tensor",
        `expected up to ${maxRank} dimensions of non-negative integers below 2^31 but received ${formatShape(shape)}`,
      );
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.storage = options.storage;
    this.name = options.name;
    this.requiresGrad = options.requiresGrad ?? false;
  }

  /** @internal Grows with every change in place, so that a gradient through a changed value is an error. */
  get version(): number {
    return this.users.version;
  }

  set version(version: number) {
    this.users.version = version;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  /**
   * A copy of the values, row by row.
   * @throws CaptureError while it is only being recorded; BusyError while a fit trains it.
   */
  data(): TypedArray {
    const values = this.read();
    return take(
      values.byteLength,
      () => `a copy of ${this.label}`,
      () => values.slice(),
    );
  }

  /** The value of a tensor with one element. */
  item(): number {
    if (this.size !== 1)
      throw shapeError("item", `expected a tensor with one element; use data() for more`, [
        { label: "tensor", shape: this.shape, name: this.name },
      ]);
    return this.read()[0]!;
  }

  /** @internal The library's own view of the values. Never handed to users. */
  read(): TypedArray {
    if (this.storage === undefined)
      throw new SimdnnError(
        "CaptureError",
        `${this.label}: has no value while it is being captured; return it from the captured function instead`,
        { where: this.label },
      );
    if (this.users.writer !== undefined) throw busyError(this.label, this.users.writer.doing, this.users.writer.remedy);
    return this.storage;
  }

  /** @internal Storage that nobody else is using. */
  writable(): TypedArray {
    const storage = this.read();
    if (this.users.readers > 0) throw busyError(this.label, "being read by work in flight", "await its promise first");
    return storage;
  }

  /** @internal Storage to be written to. */
  write(): TypedArray {
    const storage = this.writable();
    this.version++;
    return storage;
  }

  /** @internal */
  get label(): string {
    return this.name ?? `${this.dtype} ${formatShape(this.shape)}`;
  }

  override toString(): string {
    return `Tensor(${this.name === undefined ? "" : `"${this.name}" `}${this.dtype} ${formatShape(this.shape)})`;
  }
}

/** Numbers, nested arrays of numbers, or a typed array. */
export type TensorData = number | TypedArray | readonly TensorData[];

/**
 * A tensor with a copy of `values`.
 *
 * @param values - a number, nested arrays (all of one shape), or a typed array
 * @param options - `shape` (needed to give a typed array more than one dimension), `dtype` (default: the typed array's own, else float32)
 * @throws ShapeError when the values do not fill the shape or the arrays are ragged; DTypeError for what is no number, or none of an integer `dtype`
 *
 * @example
 * ```ts
 * tensor([[1, 2], [3, 4]]).shape;                              // [2, 2]
 * tensor(new Float32Array(6), { shape: [2, 3] }).shape;        // [2, 3]
 * ```
 */
export function tensor(values: TensorData, options: { shape?: Shape; dtype?: DType; name?: string } = {}): Tensor {
  return new Tensor(...filled("tensor", values, options));
}

/**
 * A tensor that training changes: gradients flow to it and optimizers update it in place.
 *
 * @example
 * ```ts
 * const w = parameter(0, { name: "w" });
 * ```
 */
export function parameter(
  values: TensorData,
  options: { shape?: Shape; dtype?: "float32" | "float64"; name?: string } = {},
): Tensor {
  const [spec, rest] = filled("parameter", values, options);
  if (!isFloat(spec.dtype))
    throw new SimdnnError("DTypeError", `parameter: expected float32 or float64 but received ${spec.dtype}`, {
      where: "parameter",
      operands: [],
    });
  return new Tensor(spec, { ...rest, requiresGrad: true });
}

/** @internal Zeros, or whatever `fill` writes, that outlive a run. */
export function zeros(spec: Spec, options: { name?: string | undefined; requiresGrad?: boolean } = {}): Tensor {
  return new Tensor(spec, { ...options, storage: allocate(spec) });
}

function filled(
  where: string,
  values: TensorData,
  options: { shape?: Shape; dtype?: DType; name?: string },
): [Spec, { storage: TypedArray; name: string | undefined }] {
  checkOptions(where, options, ["shape", "dtype", "name"]);
  const { name } = options;
  if (name !== undefined && typeof name !== "string") throw wrongValue(where, "name", "text", name);
  const natural = shapeOf(where, values, 0);
  const shape = options.shape ?? natural;
  if (!isArray(shape)) throw wrongValue(where, "shape", "an array such as [2, 3]", shape);
  const dtype = oneOf(where, "dtype", options.dtype ?? (isTypedArray(values) ? dtypeOf(values) : "float32"), dtypes);
  const spec = new Tensor({ shape, dtype });
  const given = sizeOf(natural);
  if (given !== spec.size)
    throw shapeError(where, `${given} values do not fill ${formatShape(shape)}`, [{ label: name ?? "tensor", shape }]);
  const storage = allocate(spec);
  fill(where, storage, values, dtype);
  return [spec, { storage, name }];
}

function isTypedArray(values: unknown): values is TypedArray {
  return ArrayBuffer.isView(values);
}

/** Whether all are numbers, without holes; `every` would pass over those. */
function isNumbers(values: readonly unknown[]): boolean {
  for (let i = 0; i < values.length; i++) if (typeof values[i] !== "number") return false;
  return true;
}

/** The shape of regular nested arrays of numbers. */
function shapeOf(where: string, values: unknown, depth: number): number[] {
  if (typeof values === "number") return [];
  if (isTypedArray(values)) {
    dtypeOf(values);
    return [values.length];
  }
  if (isRevoked(values) || !Array.isArray(values)) {
    throw dtypeError(where, `expected numbers, arrays of them or a typed array but found ${describe(values)}`);
  }
  if (depth === maxRank) throw shapeError(where, `expected arrays nested at most ${maxRank} deep`);
  if (isNumbers(values)) return [values.length];
  const rows = Array.from(values as readonly unknown[], (row) => shapeOf(where, row, depth + 1));
  const first = rows[0] ?? [];
  const ragged = rows.findIndex((row) => row.length !== first.length || row.some((dim, d) => dim !== first[d]));
  if (ragged >= 0)
    throw shapeError(
      where,
      `row ${ragged} has shape ${formatShape(rows[ragged]!)} but row 0 has ${formatShape(first)}; all rows must be alike`,
    );
  return [values.length, ...first];
}

/** Writes `values`, row by row. */
function fill(where: string, storage: TypedArray, values: TensorData, dtype: DType): void {
  let at = 0;
  const check = isFloat(dtype) ? undefined : integerCheck(where, dtype);
  const write = (part: TensorData): void => {
    if (typeof part === "number") {
      check?.(part);
      storage[at++] = part;
    } else if (isTypedArray(part)) {
      if (check && dtypeOf(part) !== dtype) part.forEach(check);
      try {
        storage.set(part, at);
      } catch (cause) {
        const problem =
          "the array has lost its memory: its buffer was transferred, to a worker perhaps, or made shorter";
        throw new SimdnnError("OptionError", `${where}: ${problem}`, { where, option: "values" }, { cause });
      }
      at += part.length;
    } else {
      for (const row of part) write(row);
    }
  };
  write(values);
}

function integerCheck(where: string, dtype: DType): (value: number) => void {
  const [low, high] = dtype === "uint8" ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1];
  return (value) => {
    if (Number.isInteger(value) && value >= low && value <= high) return;
    throw dtypeError(where, `${value} is no ${dtype}, an integer from ${low} to ${high}; cast() rounds and clips`);
  };
}
