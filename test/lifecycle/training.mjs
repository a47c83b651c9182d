// What the lifecycle tests' processes and workers train, with the built library.
import { Buffer } from "node:buffer";
import { Worker } from "node:worker_threads";
import { dataset, dense, sequential } from "../../dist/index.js";

const inputs = Float32Array.from({ length: 64 * 1000 }, (_, i) => (i % 17) / 17);
const targets = Float32Array.from({ length: 1000 }, (_, i) => i % 3);
export const data = dataset(inputs, targets, { inputShape: [64] });

export function model(seed = 1) {
  const layers = [dense(64, { activation: "relu" }), dense(1)];
  return sequential(layers, { inputShape: [64], seed }).compile({ loss: "meanSquaredError" });
}

export function hash(trained) {
  return Buffer.concat([...trained.getWeights().values()].map((values) => Buffer.from(values.buffer))).toString(
    "base64",
  );
}

/** A worker that runs `code`, which may use the exports of this file and `parentPort`. */
export function workerOf(code) {
  const script = `const { parentPort } = require("node:worker_threads");
    import(${JSON.stringify(import.meta.url)}).then(async ({ data, model, hash }) => { ${code} });`;
  return new Worker(script, { eval: true, execArgv: [] }); // not the parent's --input-type
}
