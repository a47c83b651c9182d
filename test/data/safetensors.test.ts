// safetensors: agreement with Python's library, safe writing, and what damaged or hostile files lead to.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSafetensors, type SafeTensor, type SafeTensors, writeSafetensors } from "#lib/data/safetensors.js";
import { isSimdnnError, SimdnnError } from "#lib/errors.js";
import { failure } from "../failure.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}.safetensors`, import.meta.url));

const ramp = (length: number): number[] => Array.from({ length }, (_, i) => i * 3 - 4);
const eighths = (length: number): number[] => ramp(length).map((value) => value / 8);

// What golden/safetensors_files.py describes.
const tensors = new Map<string, SafeTensor>([
  ["layers.0.weight", { dtype: "F32", shape: [3, 5], data: Float32Array.from(eighths(15)) }],
  ["layers.0.bias", { dtype: "F64", shape: [5], data: Float64Array.from(eighths(5)) }],
  ["half", { dtype: "F16", shape: [2, 2], data: Uint16Array.of(0xb800, 0xb000, 0x3400, 0x3900) }],
  ["step", { dtype: "I32", shape: [], data: Int32Array.of(41) }],
  ["pixels", { dtype: "U8", shape: [7], data: Uint8Array.of(0, 3, 6, 9, 12, 15, 18) }],
  ["signed", { dtype: "I8", shape: [3], data: Int8Array.of(-4, -1, 2) }],
  ["count", { dtype: "I64", shape: [2], data: BigInt64Array.of(-4n, -1n) }],
  ["mask", { dtype: "BOOL", shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ["empty", { dtype: "F32", shape: [0, 4], data: new Float32Array(0) }],
  ['Gewichte "ä\\\n€ 😀', { dtype: "F32", shape: [1], data: Float32Array.of(-4) }],
  ["__proto__", { dtype: "F32", shape: [2], data: Float32Array.of(-4, -1) }],
]);
const metadata = new Map([
  ["format", "simdnn"],
  ["text", 'Größe "1" \\ 2\n😀'],
  ["__proto__", "x"],
]);

/** A file from the text of its header and its data. */
const file = (header: unknown, data = new Uint8Array(0)): Uint8Array => {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
};

describe("Python's safetensors", () => {
  test("what it wrote is read", async () => {
    const read = await readSafetensors(golden("python"));
    expect(new Map(read.tensors)).toEqual(tensors);
    expect(new Map(read.metadata)).toEqual(metadata);
  });

  test("what we write is what it was seen to read", async () => {
    const path = join(folder, "golden.safetensors");
    await writeSafetensors(path, tensors, metadata);
    expect(Buffer.compare(await readFile(path), await readFile(golden("simdnn")))).toBe(0);
  });

  test("what it writes again, with the checksum in the metadata, is read", async () => {
    const read = await readSafetensors(golden("rewritten"));
    expect(new Map(read.tensors)).toEqual(tensors);
    expect(new Map(read.metadata)).toEqual(metadata);
  });
});

describe("writing", () => {
  test("comes back the same, aligned, with a header of a multiple of eight", async () => {
    const path = join(folder, "all.safetensors");
    await writeSafetensors(path, tensors, metadata);
    const read = await readSafetensors(path);
    expect(new Map(read.tensors)).toEqual(tensors);
    expect(new Map(read.metadata)).toEqual(metadata);
    const bytes = await readFile(path);
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    for (const [name, { data }] of tensors) {
      if (name !== "__proto__") expect(header[name]!.data_offsets[0] % data.BYTES_PER_ELEMENT).toBe(0);
    }
  });

  test("keeps the order of tensors of one type", async () => {
    const path = join(folder, "order.safetensors");
    const one = (value: number): SafeTensor => ({ dtype: "F32", shape: [1], data: Float32Array.of(value) });
    await writeSafetensors(path, new Map([["z", one(1)], ["a", one(2)], ["m", one(3)]])); // prettier-ignore
    expect([...(await readSafetensors(path)).tensors.keys()]).toEqual(["z", "a", "m"]);
    await writeSafetensors(path, new Map());
    expect(await readSafetensors(path)).toEqual({ tensors: new Map(), metadata: new Map() });
  });

  test("writes only the part of a buffer that the array covers", async () => {
    const path = join(folder, "view.safetensors");
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    await writeSafetensors(path, new Map([["x", { dtype: "F32", shape: [2], data }]]));
    expect((await readSafetensors(path)).tensors.get("x")!.data).toEqual(Float32Array.of(2, 3));
  });

  test.each<[string, string, SafeTensor, string]>([
    ["ShapeError", "w", { dtype: "F32", shape: [2, 2], data: new Float32Array(3) }, "w   F32 [2, 2]"],
    ["ShapeError", "w", { dtype: "F32", shape: [-1, -3], data: new Float32Array(3) }, "3 elements"],
    ["DTypeError", "w", { dtype: "F32", shape: [3], data: new Float64Array(3) }, "Float64Array"],
    ["DTypeError", "w", { dtype: "toString" as "F32", shape: [3], data: new Float32Array(3) }, "toString"],
    ["OptionError", "__metadata__", { dtype: "F32", shape: [3], data: new Float32Array(3) }, "__metadata__"],
  ])("%s for tensor %s %#", async (code, name, tensor, text) => {
    const path = join(folder, "refused.safetensors");
    await expect(writeSafetensors(path, new Map([[name, tensor]]))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(text) as string,
    });
    expect(await readdir(folder)).not.toContain("refused.safetensors");
  });

  test("refuses metadata that is no text", async () => {
    const numbers = new Map([["epoch", 3]]) as unknown as Map<string, string>;
    await expect(writeSafetensors(join(folder, "x"), new Map(), numbers)).rejects.toThrow(
      'writeSafetensors: expected text for metadata "epoch" but received 3 (number)',
    );
  });
});

describe("damage", () => {
  const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32"): object => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });
  const eight = new Uint8Array(8);
  const good = file({ a: entry(0, 4), b: entry(4, 8) }, eight);

  test("the undamaged one is read", async () => {
    expect([...(await readSafetensors(good)).tensors.keys()]).toEqual(["a", "b"]);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(0), /8 bytes for the length of its header, but it has 0/],
    [
      "a header too long to be true",
      Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 128, 123),
      /at most 8388608 bytes, but it claims 9223372036854776000/,
    ],
    ["a header longer than the file", good.subarray(0, 40), /but it ends after 32 of them/],
    ["no object", file("[1]"), /to be a JSON object/],
    ["blanks first", file(' {"a":1}'), /to be a JSON object/],
    ["no JSON", file('{"a":'), /it has no value at character 5/],
    [
      "no UTF-8",
      file(Buffer.from([123, 34, 0xff, 34, 58, 49, 125]).toString("latin1")).fill(0xff, 10, 11),
      /JSON in UTF-8/,
    ],
    ["something after it", file("{}{}"), /more after the value/],
    [
      "a name twice",
      file(`{"a":${JSON.stringify(entry(0, 4))},"a":${JSON.stringify(entry(4, 8))}}`, eight),
      /the key "a" a second time/,
    ],
    ["a name twice, once escaped", file('{"a":0,"\\u0061":0}'), /the key "a" a second time/],
    ["deep nesting", file(`{"a":${"[".repeat(100_000)}`), /too deep a nesting/],
    ["too many dimensions", file({ a: entry(0, 0, new Array<number>(33).fill(0)) }), /32 at most/],
    ["too many values", file(`{"a":[${"0,".repeat(2 ** 17)}0]}`), /too many values/],
    ["metadata that is no object", file({ __metadata__: "x" }), /hold text under each key/],
    ["metadata that is no text", file({ __metadata__: { epoch: 3 } }), /hold text under each key/],
    ["an entry that is no object", file({ a: 3 }), /"a" to have dtype, shape and data_offsets/],
    [
      "an entry without dtype",
      file({ a: { shape: [], data_offsets: [0, 4], type: "F32" } }, new Uint8Array(4)),
      /a dtype out of F64, /,
    ],
    ["an unknown dtype", file({ a: entry(0, 4, [1], "F31") }, new Uint8Array(4)), /a dtype out of F64, /],
    [
      "a dtype from the prototype",
      file({ a: entry(0, 4, [1], "constructor") }, new Uint8Array(4)),
      /a dtype out of F64, /,
    ],
    ["a negative size", file({ a: entry(0, 4, [-1, -1]) }, new Uint8Array(4)), /a shape of integers >= 0/],
    ["a fractional size", file({ a: entry(0, 4, [0.5, 2]) }, new Uint8Array(4)), /a shape of integers >= 0/],
    ["minus zero", file('{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}'), /a shape of integers >= 0/],
    ["one offset", file({ a: { dtype: "F32", shape: [1], data_offsets: [4] } }, new Uint8Array(4)), /two data_offsets/],
    [
      "offsets in reverse",
      file({ a: entry(4, 0, [1]) }, new Uint8Array(4)),
      /to take 4 bytes, but its data_offsets span -4/,
    ],
    [
      "offsets that do not fit the shape",
      file({ a: entry(0, 8, [1]) }, eight),
      /to take 4 bytes, but its data_offsets span 8/,
    ],
    [
      "a size beyond all numbers",
      file({ a: entry(0, 8, [2 ** 53 - 1, 2 ** 53 - 1]) }, eight),
      /but its data_offsets span 8/,
    ],
    [
      "a hole",
      file({ a: entry(0, 4), b: entry(8, 12) }, new Uint8Array(12)),
      /the data of "b" to begin at 4, but it begins at 8/,
    ],
    ["a hole in front", file({ b: entry(4, 8) }, eight), /to begin at 0, but it begins at 4/],
    ["an overlap", file({ a: entry(0, 8), b: entry(4, 12) }, new Uint8Array(12)), /to begin at 8, but it begins at 4/],
    [
      "the same data twice",
      file({ a: entry(0, 4), b: entry(0, 4) }, new Uint8Array(4)),
      /to begin at 4, but it begins at 0/,
    ],
    [
      "data missing",
      file({ a: entry(0, 8) }, new Uint8Array(7)),
      /expected 8 bytes of data, as its header promises, but it has 7/,
    ],
    ["data promised by the terabyte", file({ a: entry(0, 2 ** 43) }, eight), /expected 8796093022208 bytes of data/],
    [
      "data left over",
      file({ a: entry(0, 4) }, eight),
      /expected 4 bytes of data, as its header promises, but it has 8/,
    ],
  ])("%s", async (_, bytes, message) => {
    await expect(readSafetensors(bytes)).rejects.toThrow(
      expect.objectContaining({ code: "FileError", message: expect.stringMatching(message) as string }),
    );
  });

  test("any flipped bit is noticed, or makes no difference", async () => {
    const path = join(folder, "flipped.safetensors");
    await writeSafetensors(path, tensors, metadata);
    const bytes = await readFile(path);
    let noticed = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const read = await readSafetensors(bytes).catch((error: unknown) => error);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      if (isSimdnnError(read, "FileError")) {
        noticed++;
        continue;
      }
      const { tensors: arrays, metadata: texts } = read as SafeTensors;
      expect(new Map(arrays), `bit ${bit}`).toEqual(tensors);
      const own = [...texts].filter(([key]) => metadata.has(key));
      expect(new Map(own), `bit ${bit}`).toEqual(metadata);
      expect(texts.size - own.length).toBeLessThan(2); // the checksum itself, under another name
    }
    expect(noticed).toBeGreaterThan(0.9 * 8 * bytes.length);
  });

  test("content that is not what the checksum was made of", async () => {
    const changed = file({ __metadata__: { "simdnn.crc32": "0123abcd" }, a: entry(0, 4) }, new Uint8Array(4));
    await expect(readSafetensors(changed)).rejects.toThrow(
      failure("FileError", /expected content with the checksum "0123abcd", but it has "[0-9a-f]{8}"; it is damaged/),
    );
  });

  test("no name reaches a prototype", async () => {
    const read = await readSafetensors(
      file(`{"__proto__":${JSON.stringify(entry(0, 4))},"__metadata__":{"__proto__":"polluted"}}`, new Uint8Array(4)),
    );
    expect([...read.tensors.keys()]).toEqual(["__proto__"]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test("any mutation is read or refused, never anything else", async () => {
    const python = new Uint8Array(await readFile(golden("python")));
    const change = fc.tuple(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.constantFrom(...Buffer.from('"{}[]:,0123456789-e.\\ aF\u0000ÿ', "latin1")),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(good, python),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.nat(9),
        async (original, changes, cut) => {
          const bytes = original.slice(0, cut === 0 ? original.length - 1 : original.length);
          for (const [place, value] of changes) bytes[Math.floor(place * bytes.length)] = value;
          try {
            const read = await readSafetensors(bytes);
            const sizes = [...read.tensors.values()].map(({ shape, data }) => {
              expect(shape.reduce((count, size) => count * size, 1)).toBe(data.length);
              return data.byteLength;
            });
            expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(bytes.length);
          } catch (error) {
            if (!(error instanceof SimdnnError)) throw error;
          }
        },
      ),
      { seed: 1, numRuns: 3000 },
    );
  });
});
