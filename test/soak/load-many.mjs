// Reads mutated files with the built library until it has read `count` of them, and prints what came of it as JSON: a process of its own, whose
// memory tells what reading takes.
import { Buffer } from "node:buffer";
import process from "node:process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  averageWeights,
  checkpoint,
  dataset,
  dense,
  isSimdnnError,
  keepBest,
  loadModel,
  randomStream,
  sequential,
} from "../../dist/index.js";
import { readIdx } from "../../dist/data/idx.js";
import { readSafetensors } from "../../dist/data/safetensors.js";

const [kind, file, count, seed] = process.argv.slice(2);

const dir = mkdtempSync(join(tmpdir(), "simdnn-checkpoints-"));
const line = dataset([[0], [1], [2], [3]], [[1], [3], [5], [7]]);

/** Goes on with the checkpoint in `dir`, or begins. */
async function train() {
  const model = sequential([dense(1)], { inputShape: [1], seed: 1 }).compile({ loss: "meanSquaredError" });
  const callbacks = [keepBest({ monitor: "loss" }), averageWeights(), checkpoint({ dir, resume: true })];
  await model.fit(line, { epochs: 2, batchSize: 2, callbacks, signal: AbortSignal.timeout(10_000) });
}

async function resume(bytes) {
  for (const name of readdirSync(dir)) rmSync(join(dir, name));
  writeFileSync(join(dir, "checkpoint-000001.safetensors"), bytes);
  await train();
}

async function soundFile() {
  if (kind !== "checkpoint") return readFileSync(file);
  await train();
  return readFileSync(join(dir, readdirSync(dir).at(-1)));
}

/** Without a checksum, so that what is mutated gets further than to that. */
function unsealed(bytes) {
  const key = bytes.indexOf("simdnn.crc32");
  if (key >= 0) bytes.write("another.sum!", key);
  return bytes;
}

const read = { model: (bytes) => loadModel(bytes), safetensors: readSafetensors, idx: readIdx, checkpoint: resume }[
  kind
];
const sound = unsealed(await soundFile());
const random = randomStream(Number(seed));
const below = (n) => (n < 1 ? 0 : random.integer(n));

// What headers are made of, and the ends of ranges.
const telling = [0, 1, 0x7f, 0x80, 0xff, ...Buffer.from('"{}[]:,0123456789-e.\\')];

/** One to four of: a byte changed, bytes cut out, copied elsewhere or put in; most often near the beginning, where headers are. */
function mutated() {
  let bytes = Buffer.from(sound);
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(below(2) ? bytes.length : Math.min(bytes.length, 600));
    const length = below(Math.min(40, bytes.length - at));
    const kind = below(6);
    if (kind === 0) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 1)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
    else if (kind === 2) bytes = Buffer.from(bytes.subarray(0, at));
    else if (at < bytes.length) bytes[at] = kind === 3 ? below(256) : telling[below(telling.length)];
  }
  return bytes;
}

await read(sound);
const before = process.memoryUsage().rss;
let most = before;
const codes = {};
for (let i = 0; i < Number(count); i++) {
  const bytes = mutated();
  try {
    await read(bytes);
    codes.read = (codes.read ?? 0) + 1;
  } catch (error) {
    if (!isSimdnnError(error)) {
      console.error(`file ${i} of seed ${seed}: ${bytes.toString("base64")}`);
      throw error;
    }
    codes[error.code] = (codes[error.code] ?? 0) + 1;
  }
  if (i % 50 === 0) most = Math.max(most, process.memoryUsage().rss);
}
rmSync(dir, { recursive: true });
console.log(JSON.stringify({ size: sound.length, grown: most - before, codes }));
