// IDX: the bytes of the format, gzip, and what damaged or hostile files lead to.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeIdx, type IdxArray, readIdx, writeIdx } from "#lib/data/idx.js";
import { SimdnnError } from "#lib/errors.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-idx-"));
});
afterAll(() => rm(folder, { recursive: true }));

const samples: IdxArray[] = [
  { dtype: "uint8", shape: [2, 3], data: Uint8Array.of(0, 1, 2, 253, 254, 255) },
  { dtype: "int8", shape: [3], data: Int8Array.of(-128, 0, 127) },
  { dtype: "int16", shape: [1, 3], data: Int16Array.of(-32768, 258, 32767) },
  { dtype: "int32", shape: [3, 1], data: Int32Array.of(-(2 ** 31), 0x01020304, 2 ** 31 - 1) },
  { dtype: "float32", shape: [2, 2], data: Float32Array.of(-0, 1.5, Infinity, NaN) },
  { dtype: "float64", shape: [1, 1, 2], data: Float64Array.of(Math.PI, -1e-300) },
  { dtype: "uint8", shape: [0, 28, 28], data: new Uint8Array(0) },
];

describe("reading", () => {
  test("the bytes of the specification", async () => {
    const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1);
    expect(await readIdx(labels)).toEqual({ dtype: "uint8", shape: [3], data: Uint8Array.of(7, 2, 1) });
    const numbers = Uint8Array.of(0, 0, 0x0c, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 2, 0xff, 0xff, 0xff, 0xfe);
    expect(await readIdx(numbers)).toEqual({ dtype: "int32", shape: [1, 2], data: Int32Array.of(258, -2) });
  });

  test.each(samples)("$dtype $shape survives encoding, plain and gzipped", async (sample) => {
    const bytes = encodeIdx(sample);
    expect(await readIdx(bytes)).toEqual(sample);
    expect(await readIdx(gzipSync(bytes))).toEqual(sample);
  });

  test("a buffer at an odd offset, left untouched and not shared", async () => {
    const padded = new Uint8Array([9, ...encodeIdx(samples[5]!)]);
    const before = padded.slice();
    const { data } = await readIdx(padded.subarray(1));
    data.fill(0);
    expect(padded).toEqual(before);
  });

  test("a big one, through many chunks", async () => {
    const data = Uint8Array.from({ length: 500_000 }, (_, i) => (i * 2654435761) >>> 24);
    const read = await readIdx(gzipSync(encodeIdx({ shape: [500_000], data })));
    expect(Buffer.compare(read.data as Uint8Array, data)).toBe(0);
  });
});

describe("files", () => {
  test.each(["a.idx", "deep/er/a.idx.gz"])("%s is written, replaced and read", async (name) => {
    const path = join(folder, name);
    for (const sample of samples) {
      await writeIdx(path, sample);
      expect(await readIdx(path)).toEqual(sample);
    }
    expect((await readFile(path))[0]).toBe(name.endsWith(".gz") ? 0x1f : 0);
    expect((await readdir(join(path, ".."))).filter((file) => file.includes("tmp"))).toEqual([]);
  });

  test.each([
    ["missing.idx", "there is none"],
    ["", "it is a directory"],
  ])("reading '%s': %s", async (name, received) => {
    await expect(readIdx(join(folder, name))).rejects.toMatchObject({
      code: "FileError",
      details: { file: join(folder, name), received },
    });
  });

  test("the message names the file, what was expected, what was found and the remedy", async () => {
    const path = join(folder, "short.idx");
    await writeFile(path, encodeIdx(samples[0]!).subarray(0, 15));
    await expect(readIdx(path)).rejects.toThrow(
      `${path}: expected 18 bytes (uint8 [2, 3]), but it ends after 15; it is truncated: download or write it again`,
    );
  });
});

describe("damage", () => {
  const whole = encodeIdx(samples[3]!);
  const with32 = (at: number, value: number): Uint8Array => {
    const bytes = whole.slice();
    new DataView(bytes.buffer).setUint32(at, value);
    return bytes;
  };

  test.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(0), /begins with the bytes 00 00 .*, but it is empty; check/],
    ["two bytes", whole.subarray(0, 2), /begins with 00 00;/],
    ["an image", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d), /begins with 89 50 4e 47;/],
    ["unknown type 0x0a", with32(0, 0x0a02), /begins with 00 00 0a 02/],
    ["rank 0", with32(0, 0x0c00), /begins with 00 00 0c 00/],
    ["a cut header", whole.subarray(0, 11), /expected an IDX header of 12 bytes, but it ends after 11/],
    ["cut data", whole.subarray(0, 23), /expected 24 bytes \(int32 \[3, 1\]\), but it ends after 23/],
    ["a byte too many", new Uint8Array([...whole, 0]), /expected 24 bytes .*, but it goes on after them/],
    ["absurd dims", with32(4, 0xffffffff), /expected at most 2 GiB, but its header promises 17179869192 bytes/],
    [
      "dims whose product is infinite",
      new Uint8Array([0, 0, 8, 255, ...new Uint8Array(1020).fill(255)]),
      /promises Infinity bytes/,
    ],
    [
      "zero times infinity",
      new Uint8Array([0, 0, 8, 255, ...new Uint8Array(1016).fill(255), 0, 0, 0, 0]),
      /promises NaN bytes/,
    ],
  ])("%s", async (_, bytes, message) => {
    await expect(readIdx(bytes)).rejects.toThrow(
      expect.objectContaining({ code: "FileError", message: expect.stringMatching(message) as string }),
    );
    if (bytes.length > 0) await expect(readIdx(gzipSync(bytes))).rejects.toMatchObject({ code: "FileError" });
  });

  test("a gzip bomb is left when it exceeds its header's promise", async () => {
    const bomb = Buffer.concat([
      gzipSync(encodeIdx({ shape: [10], data: new Uint8Array(10) })),
      gzipSync(Buffer.alloc(50e6)),
    ]);
    const before = process.memoryUsage().arrayBuffers;
    await expect(readIdx(bomb)).rejects.toThrow(/expected 18 bytes \(uint8 \[10\]\), but it goes on after them/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10e6);
  });

  test("a damaged or cut gzip file", async () => {
    const zipped = gzipSync(whole);
    await expect(readIdx(zipped.subarray(0, -9))).rejects.toThrow(
      /expected a whole gzip file, but unpacking it fails: unexpected end of file/,
    );
    zipped[zipped.length - 5]! ^= 1;
    await expect(readIdx(zipped)).rejects.toThrow(/incorrect data check/);
  });

  test("any mutation is read or refused, never anything else", async () => {
    const originals = samples.map((sample) => encodeIdx(sample));
    const files = [...originals, ...originals.map((bytes) => new Uint8Array(gzipSync(bytes)))];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        fc.nat(60),
        fc.uint8Array({ maxLength: 3 }),
        async (original, changes, length, tail) => {
          const bytes = Uint8Array.from([...original.subarray(0, length), ...tail]);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          try {
            const { shape, data } = await readIdx(bytes);
            expect(shape.reduce((count, size) => count * size, 1)).toBe(data.length);
            expect(data.byteLength).toBeLessThan(1032 * bytes.length);
          } catch (error) {
            if (!(error instanceof SimdnnError)) throw error;
          }
        },
      ),
      { seed: 1, numRuns: 3000 },
    );
  });
});

describe("writing refuses", () => {
  test.each([[[2, 2]], [[]], [[-1, -3]], [[1.5, 2]], [[NaN]]])("shape %j for three elements", (shape) => {
    expect(() => encodeIdx({ shape, data: new Uint8Array(3) })).toThrow(
      expect.objectContaining({ code: "ShapeError" }),
    );
  });

  test("elements the format does not have", () => {
    const data = new BigInt64Array(3) as unknown as Int32Array;
    expect(() => encodeIdx({ shape: [3], data })).toThrow(expect.objectContaining({ code: "DTypeError" }));
  });
});
