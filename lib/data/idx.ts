// IDX, the format of MNIST's files: reading (gzipped or not) and writing. Knows nothing of images, labels or data sets.
import { promisify } from "node:util";
import { createGunzip, gzip } from "node:zlib";
import { dtypeError, fileError, formatShape, shapeError, type SimdnnError } from "../errors.js";
import { type FileSource, readSource, replaceFile, sourceName } from "../files.js";

/** An element type of the format. */
export type IdxDType = keyof typeof types;

/** The typed arrays of the format's element types. */
export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** An array as IDX stores it: row-major, `data` as long as the product of `shape`. */
export interface IdxArray {
  readonly dtype: IdxDType;
  readonly shape: readonly number[];
  readonly data: IdxData;
}

// Magic number: two zero bytes, the element type, the rank. Then the dims, then the elements, all of them big-endian.
const types = {
  uint8: { code: 0x08, array: Uint8Array },
  int8: { code: 0x09, array: Int8Array },
  int16: { code: 0x0b, array: Int16Array },
  int32: { code: 0x0c, array: Int32Array },
  float32: { code: 0x0d, array: Float32Array },
  float64: { code: 0x0e, array: Float64Array },
} as const;

const mostBytes = 2 ** 31; // MNIST has 4.7e7; a header that promises more than this is a damaged one

/**
 * Reads an IDX file, gzipped or not, of up to 2 GiB. The data is a copy of its own.
 *
 * @throws FileError when it cannot be read, is no IDX file, is truncated or has bytes left over
 *
 * @example
 * ```ts
 * const { shape, data } = await readIdx("data/mnist/t10k-images-idx3-ubyte.gz"); // [10000, 28, 28], Uint8Array
 * ```
 */
export async function readIdx(source: FileSource): Promise<IdxArray> {
  const file = sourceName(source);
  const bytes = await readSource(source);
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const content = zipped ? await unzip(file, bytes) : bytes;
  const header = readHeader(file, content);
  const { dtype, shape, start, length } = header;
  if (content.length !== length) throw wrongLength(file, header, content.length);
  const data = new Uint8Array(content.subarray(start)); // copies, so that it is aligned and nobody else's
  const { array } = types[dtype];
  swapBytes(data, array.BYTES_PER_ELEMENT);
  return { dtype, shape, data: new array(data.buffer) };
}

/**
 * Writes an IDX file, gzipped if `path` ends in `.gz`. A failed write leaves the old file as it was.
 * @throws ShapeError when `data` is not as long as `shape` says, FileError when the file cannot be written
 */
export async function writeIdx(path: string, array: Pick<IdxArray, "shape" | "data">): Promise<void> {
  const bytes = encodeIdx(array);
  await replaceFile(path, [path.endsWith(".gz") ? await promisify(gzip)(bytes) : bytes]);
}

/**
 * The bytes of an IDX file; the element type is that of `data`.
 * @throws ShapeError when `data` is not as long as `shape` says, DTypeError when the format has no such elements
 */
export function encodeIdx({ shape, data }: Pick<IdxArray, "shape" | "data">): Uint8Array {
  const type = Object.values(types).find(({ array }) => data instanceof array);
  if (!type)
    throw dtypeError("encodeIdx", `IDX has the element types ${Object.keys(types).join(", ")}, and none for data`);
  const fits =
    shape.length > 0 &&
    shape.length < 256 &&
    shape.every((size) => Number.isInteger(size) && size >= 0 && size < 2 ** 32);
  if (!fits || product(shape) !== data.length) {
    throw shapeError("encodeIdx", `shape does not describe the ${data.length} elements of data`, [
      { label: "shape", shape },
    ]);
  }
  const start = headerLength(shape.length);
  const bytes = new Uint8Array(start + data.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (type.code << 8) + shape.length);
  for (const [axis, size] of shape.entries()) view.setUint32(4 + 4 * axis, size);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  swapBytes(bytes.subarray(start), data.BYTES_PER_ELEMENT);
  return bytes;
}

interface Header {
  readonly dtype: IdxDType;
  readonly shape: readonly number[];
  readonly start: number; // of the data
  readonly length: number; // of the whole file
}

function readHeader(file: string, bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length < 4 ? 0 : view.getUint32(0);
  const rank = magic & 0xff;
  const type = Object.entries(types).find(([, { code }]) => magic >>> 8 === code);
  if (!type || rank === 0) {
    const first = Buffer.from(bytes.subarray(0, 4))
      .toString("hex")
      .replace(/..(?=.)/g, "$& ");
    const received = bytes.length === 0 ? "it is empty" : `it begins with ${first}`;
    const expected = "an IDX file, which begins with the bytes 00 00 <type: 08 to 0e> <rank>";
    throw fileError(file, expected, received, "check that it is in MNIST's own file format");
  }
  const start = headerLength(rank);
  if (bytes.length < start) throw truncated(file, `an IDX header of ${start} bytes`, bytes.length);
  const [dtype, { array }] = type as [IdxDType, (typeof types)[IdxDType]];
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const header = { dtype, shape, start, length: start + product(shape) * array.BYTES_PER_ELEMENT };
  if (!(header.length <= mostBytes)) {
    throw fileError(
      file,
      "at most 2 GiB",
      `its header promises ${promise(header)}`,
      "it is damaged, or has to be split",
    );
  }
  return header;
}

// The header comes out first and says when to stop, so that a small file cannot unfold into more than it promises;
// and as no promise is believed before its bytes are there, a false one costs no memory either.
async function unzip(file: string, bytes: Uint8Array): Promise<Uint8Array> {
  const stream = createGunzip({ chunkSize: 1 << 16 });
  const chunks: Uint8Array[] = [];
  let length = 0;
  let header: Header | undefined;
  stream.end(bytes);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      length += chunk.length;
      header ??= readHeader(file, chunk);
      if (length > header.length) break;
    }
  } catch (error) {
    if (!(error instanceof Error && "errno" in error)) throw error; // zlib's errors have a number, ours do not
    throw fileError(
      file,
      "a whole gzip file",
      `unpacking it fails: ${error.message}`,
      "it is damaged: download or write it again",
      error,
    );
  }
  return Buffer.concat(chunks, length);
}

function wrongLength(file: string, header: Header, received: number): SimdnnError<"FileError"> {
  const expected = promise(header);
  if (received < header.length) return truncated(file, expected, received);
  return fileError(file, expected, "it goes on after them", "it is damaged: download or write it again");
}

function truncated(file: string, expected: string, received: number): SimdnnError<"FileError"> {
  return fileError(file, expected, `it ends after ${received}`, "it is truncated: download or write it again");
}

function promise({ dtype, shape, length }: Header): string {
  return `${length} bytes (${dtype} ${formatShape(shape.slice(0, 8))})`;
}

function headerLength(rank: number): number {
  return 4 + 4 * rank;
}

// Every machine the library runs on is little-endian.
function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) buffer.swap16();
  if (size === 4) buffer.swap32();
  if (size === 8) buffer.swap64();
}

function product(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}
