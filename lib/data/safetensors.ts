// safetensors: named arrays and text metadata in one file, as Python's `safetensors` writes it. Knows no models and no Tensor.
import { dtypeError, fileError, formatShape, shapeError, type SimdnnError } from "../errors.js";
import { type FileSource, openSource, type OpenSource, replaceFile, sourceName } from "../files.js";
import { take } from "../memory.js";
import { wrongValue } from "../options.js";
import { checksumOf } from "./checksum.js";
import { type Json, parseStrictJson } from "./strict-json.js";

// BF16, F16 and the eight-bit floats have no typed array: they come as their bits.
const arrays = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** An element type, in the format's own words. */
export type SafeDType = keyof typeof arrays;

/** The typed array that holds elements of a type; for F16, BF16 and the eight-bit floats it holds their bits. */
export type SafeArray<D extends SafeDType = SafeDType> = InstanceType<(typeof arrays)[D]>;

/** An array as the format stores it: row-major, `data` as long as the product of `shape`, which is 1 for `[]`. */
export interface SafeTensor extends SafeSpec {
  readonly data: SafeArray;
}

/** What a header says about an array. */
export interface SafeSpec {
  readonly dtype: SafeDType;
  readonly shape: readonly number[];
}

/** What a file holds. Maps, because a file may name its tensors as it likes, also `__proto__`. */
export interface SafeTensors {
  readonly tensors: ReadonlyMap<string, SafeTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

// A header can stand for a hundred times its length. The reference implementation lets it have 100 MB; these are ten thousand tensors, with names of 500 bytes.
const headerLimit = 8 << 20;
const mostValues = 1 << 17;
const highestRank = 32;
const metadataKey = "__metadata__";
/** Under which the metadata has the checksum of all the rest, where it was we who wrote the file. */
const checksumKey = "simdnn.crc32";

/** A file whose header has been read, and whose data waits. */
export interface SafeFile {
  readonly specs: ReadonlyMap<string, SafeSpec>;
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * Reads all data, each tensor's to where `place` says, or to new memory.
   * @throws FileError when it cannot be read, or is not what writeSafetensors put there
   */
  readonly read: (place?: (name: string) => SafeArray | undefined) => Promise<Map<string, SafeTensor>>;
}

/**
 * Opens a safetensors file for as long as `use` takes.
 *
 * @throws what `use` throws, unless the file is damaged; FileError as readSafetensors()
 */
export async function openSafetensors<T>(source: FileSource, use: (file: SafeFile) => Promise<T>): Promise<T> {
  const file = sourceName(source);
  const fail: Fail = (expected, received) =>
    fileError(file, expected, received, "it is damaged or no safetensors file: download or save it again");
  const bytes = await openSource(source);
  try {
    const { entries, start, metadata } = await decode(bytes, fail);
    const checksum = metadata.get(checksumKey);
    metadata.delete(checksumKey);
    let isRead = false;
    const read: SafeFile["read"] = async (place) => {
      isRead = true;
      const tensors = new Map<string, SafeTensor>();
      for (const { name, dtype, shape, begin, end } of entries) {
        const make = (): SafeArray => new arrays[dtype](product(shape));
        const data = place?.(name) ?? take(end - begin, () => quote(name), make);
        await bytes.read(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + begin);
        tensors.set(name, { dtype, shape, data });
      }
      if (checksum !== undefined) {
        const found = await checksumOf({ tensors, metadata });
        if (found !== checksum) throw fail(`content with the checksum ${quote(checksum)}`, `it has ${quote(found)}`);
      }
      return tensors;
    };
    try {
      return await use({ specs: new Map(entries.map(({ name, dtype, shape }) => [name, { dtype, shape }])), metadata, read }); // prettier-ignore
    } catch (error) {
      if (checksum !== undefined && !isRead) await read(); // damage explains what is wrong with the content
      throw error;
    }
  } finally {
    await bytes.close();
  }
}

/**
 * Reads a safetensors file, tensors in the order in which their data stands there. All data is a copy of its own. Headers may have 8 MiB, about ten thousand
 * tensors, and tensors 32 dimensions.
 *
 * @throws FileError when it cannot be read, breaks any rule of the format, or no longer holds what writeSafetensors put there
 *
 * @example
 * ```ts
 * const { tensors, metadata } = await readSafetensors("digits.safetensors");
 * tensors.get("dense1.weight"); // { dtype: "F32", shape: [784, 512], data: Float32Array }
 * ```
 */
export async function readSafetensors(source: FileSource): Promise<SafeTensors> {
  return openSafetensors(source, async ({ metadata, read }) => ({ tensors: await read(), metadata }));
}

/**
 * Writes a safetensors file. A failed write leaves the old file as it was. The data must not change until the promise resolves.
 *
 * @throws ShapeError or DTypeError when a tensor's data does not fit its shape or dtype, OptionError for a reserved name or metadata
 *   that is no text, FileError when the file cannot be written
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  for (const [name, tensor] of tensors) checkTensor(name, tensor);
  const checksum = await checksumOf({ tensors, metadata });
  await replaceFile(path, encode(tensors, new Map([...metadata, [checksumKey, checksum]])));
}

function encode(tensors: ReadonlyMap<string, SafeTensor>, metadata: ReadonlyMap<string, string>): Uint8Array[] {
  const entries = [`"${metadataKey}":{${[...metadata].map(metadataEntry).join(",")}}`];
  // Wider elements first keeps every tensor aligned to its element, as readers that map the file expect.
  const sorted = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let begin = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    const end = begin + data.byteLength;
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
    begin = end;
  }
  const text = Buffer.from(`{${entries.join(",")}}`);
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, " ");
  if (header.length - 8 > headerLimit)
    throw wrongValue("writeSafetensors", "all names and metadata", `up to ${headerLimit} bytes`, header.length - 8);
  header.writeBigUInt64LE(BigInt(header.length - 8));
  text.copy(header, 8);
  return [header, ...sorted.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

function metadataEntry([key, value]: readonly [string, string]): string {
  if (typeof value !== "string") throw wrongValue("writeSafetensors", `metadata "${key}"`, "text", value);
  return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
}

function checkTensor(name: string, { dtype, shape, data }: SafeTensor): void {
  const where = "writeSafetensors";
  if (name === metadataKey) throw wrongValue(where, "a tensor's name", `anything but "${metadataKey}"`, name);
  if (!Object.hasOwn(arrays, dtype) || !(data instanceof arrays[dtype])) {
    throw dtypeError(where, `data is a ${data.constructor.name}, which cannot hold its dtype`, [
      { label: name, dtype, shape },
    ]);
  }
  if (!shape.every(isSize) || product(shape) !== data.length) {
    throw shapeError(where, `shape does not describe the ${data.length} elements of data`, [
      { label: name, dtype, shape },
    ]);
  }
}

interface Entry extends SafeSpec {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

/** Says what is wrong with the file; every rule of the format ends here. */
type Fail = (expected: string, received: string) => SimdnnError<"FileError">;

async function decode(
  bytes: OpenSource,
  fail: Fail,
): Promise<{ entries: Entry[]; start: number; metadata: Map<string, string> }> {
  const { header, start } = await readHeader(bytes, fail);
  const metadata = readMetadata(header.get(metadataKey), fail);
  header.delete(metadataKey);
  const entries = [...header].map(([name, value]) => readEntry(name, value, fail));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end); // an empty tensor stands before the one that begins where it does
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) throw fail(`the data of ${quote(name)} to begin at ${position}`, `it begins at ${begin}`);
    position = end;
  }
  if (position !== bytes.size - start)
    throw fail(`${position} bytes of data, as its header promises`, `it has ${bytes.size - start}`);
  return { entries, start, metadata };
}

async function readHeader(bytes: OpenSource, fail: Fail): Promise<{ header: Map<string, Json>; start: number }> {
  if (bytes.size < 8) throw fail("8 bytes for the length of its header", `it has ${bytes.size}`);
  const size = new BigUint64Array(1);
  await bytes.read(new Uint8Array(size.buffer), 0);
  const length = Number(new DataView(size.buffer).getBigUint64(0, true));
  if (length > headerLimit) throw fail(`a header of at most ${headerLimit} bytes`, `it claims ${length}`);
  if (length > bytes.size - 8) throw fail(`a header of ${length} bytes`, `it ends after ${bytes.size - 8} of them`);
  const text = new Uint8Array(length);
  await bytes.read(text, 8);
  const header = parseHeader(text, fail);
  if (!(header instanceof Map) || text[0] !== 0x7b)
    throw fail("its header to be a JSON object", "it is something else");
  return { header, start: 8 + length };
}

function parseHeader(bytes: Uint8Array, fail: Fail): Json {
  try {
    return parseStrictJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), 3, mostValues);
  } catch (error) {
    throw fail("its header to be JSON in UTF-8 without repeated keys", `it has ${(error as Error).message}`);
  }
}

function readMetadata(value: Json | undefined, fail: Fail): Map<string, string> {
  if (value === undefined) return new Map();
  const isText = value instanceof Map && [...value.values()].every((text) => typeof text === "string");
  if (!isText) throw fail(`${metadataKey} to hold text under each key`, "it holds something else");
  return value as Map<string, string>;
}

function readEntry(name: string, value: Json, fail: Fail): Entry {
  const wrong = (expected: string): SimdnnError<"FileError"> =>
    fail(`${quote(name)} to have ${expected}`, "it has not");
  if (!(value instanceof Map) || value.size !== 3) throw wrong("dtype, shape and data_offsets");
  const [dtype, shape, offsets] = [value.get("dtype"), value.get("shape"), value.get("data_offsets")];
  if (typeof dtype !== "string" || !Object.hasOwn(arrays, dtype))
    throw wrong(`a dtype out of ${Object.keys(arrays).join(", ")}`);
  if (!isSizes(shape) || shape.length > highestRank) throw wrong(`a shape of integers >= 0, ${highestRank} at most`);
  if (!isSizes(offsets) || offsets.length !== 2) throw wrong("two data_offsets");
  const [begin, end] = offsets as [number, number];
  const size = product(shape) * arrays[dtype as SafeDType].BYTES_PER_ELEMENT;
  if (end - begin !== size)
    throw fail(
      `${quote(name)} ${formatShape(shape)} of ${dtype} to take ${size} bytes`,
      `its data_offsets span ${end - begin}`,
    );
  return { name, dtype: dtype as SafeDType, shape, begin, end };
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}

function product(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}
