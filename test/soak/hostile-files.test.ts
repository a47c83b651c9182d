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
