// Mutated files: whatever is in them, reading ends with the library's own error or with what the file says, in little memory.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { batchNorm, dense, dropout, l2, normalization, sequential } from "simdnn";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeIdx } from "#lib/data/idx.js";
import { patience, times } from "./long.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-hostile-"));
  const layers = [normalization(), dense(4, { activation: "relu", weightRegularizer: l2(0.1) }), batchNorm(), dropout(0.5), dense(2)]; // prettier-ignore
  const model = sequential(layers, { inputShape: [3], seed: 1 });
  model.compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy"] });
  await model.save(join(folder, "model"));
  await writeFile(join(folder, "idx"), encodeIdx({ shape: [4, 3, 3], data: new Uint8Array(36).fill(7) }));
});

afterAll(() => rm(folder, { recursive: true }));

const worker = fileURLToPath(new URL("load-many.mjs", import.meta.url));
// A small heap, so that what counts is what reading needs and not how late rubbish is collected.
const heap = ["--max-old-space-size=64", "--max-semi-space-size=2"];

/** A safetensors file that is all header. */
function headerFile(text: string): Buffer {
  const header = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header]);
}

const many = (bytes: number, item: (i: number) => string): string => {
  const length = item(0).length + 1;
  return Array.from({ length: Math.floor(bytes / length) }, (_, i) => item(i)).join(",");
};
const ofTensors = (bytes: number): string =>
  `{${many(bytes, (i) => `"${String(i).padStart(6, "0")}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`)}}`;
const ofTexts = (bytes: number): string =>
  `{"__metadata__":{${many(bytes, (i) => `"${String(i).padStart(6, "0")}":""`)}}}`;
const ofModel = (layers: string): string =>
  JSON.stringify({ __metadata__: { format: "simdnn", model: `{"version":1,"name":"m","seed":1,"inputShape":[1],"layers":[${layers}]}` } }); // prettier-ignore
const [most, much] = [7.9 * 2 ** 20, 60 * 2 ** 20]; // what a header may just have, and more

test.each<[string, string, () => Buffer]>([
  ["tensors", "FileError", () => headerFile(ofTensors(most))],
  ["as many tensors as there may be", "FileError", () => headerFile(ofTensors(900_000))],
  ["too many tensors", "FileError", () => headerFile(ofTensors(much))],
  ["texts", "FileError", () => headerFile(ofTexts(most))],
  ["too many texts", "FileError", () => headerFile(ofTexts(much))],
  ["one text", "FileError", () => headerFile(`{"__metadata__":{"a":"${"\\u0416".repeat(most / 6)}"}}`)],
  ["dimensions", "FileError", () => headerFile(`{"a":{"dtype":"F32","shape":[${many(most, () => "0")}],"data_offsets":[0,0]}}`)],
  ["brackets", "FileError", () => headerFile("[".repeat(most))],
  ["a model of brackets", "FileError", () => headerFile(ofModel("[".repeat(1_000_000)))],
  ["a model of layers", "read", () => headerFile(ofModel(many(1_000_000, () => '{"type":"relu","options":{}}')))],
  ["too long a model", "FileError", () => headerFile(ofModel(many(6_000_000, () => '{"type":"relu","options":{}}')))],
])("a file that is all header, with %s, in little memory", async (name, expected, make) => {
  const file = join(folder, name);
  await writeFile(file, make());
  const { code, size, grown } = await readLarge(file);
  expect(code).toBe(expected);
  expect(grown).toBeLessThan(2 * size + 64 * 2 ** 20);
}); // prettier-ignore

test("a sound model is read in little more memory than it takes", async () => {
  const file = join(folder, "large");
  await sequential([dense(4000)], { inputShape: [4000] }).save(file);
  const { code, size, grown } = await readLarge(file);
  expect(code).toBe("read");
  expect(grown).toBeLessThan(size + 32 * 2 ** 20);
});

async function readLarge(file: string) {
  const reader = fileURLToPath(new URL("read-large.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--max-old-space-size=512", reader, file]);
  return JSON.parse(stdout) as { code: string; size: number; grown: number };
}

async function readMany(kind: string, file: string, count: number, seed: number) {
  const { stdout } = await promisify(execFile)(process.execPath, [...heap, worker, kind, join(folder, file), String(count), String(seed)]); // prettier-ignore
  return JSON.parse(stdout) as { size: number; grown: number; codes: Record<string, number> };
}

test.each([
  ["model", "model", times(3000, 450_000)],
  ["safetensors", "model", times(3000, 250_000)],
  ["idx", "idx", times(3000, 250_000)],
  ["checkpoint", "", times(300, 50_000)],
])("%s", { timeout: patience }, async (kind, file, count) => {
  const { size, grown, codes } = await readMany(kind, file, count, 1);
  expect(codes.FileError).toBeGreaterThan(count / 4);
  expect(Object.values(codes).reduce((sum, n) => sum + n)).toBe(count);
  expect(grown).toBeLessThan(2 * size + 64 * 2 ** 20);
});
