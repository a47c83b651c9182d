// A training with checkpoints for tests that kill it: prints every epoch when it is done, and in the end a hash of the weights and the history.
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { argv, stdout } from "node:process";
import { batchNorm, checkpoint, dataset, dense, dropout, keepBest, sequential } from "../../dist/index.js";

const [, , dir, epochs, onError] = argv;
const inputs = Float32Array.from({ length: 200 * 16 }, (_, i) => Math.sin(i * i));
const targets = Int32Array.from({ length: 200 }, (_, i) => (inputs[16 * i] > 0 ? 1 : 0));
const data = dataset(inputs, targets, { inputShape: [16] });
const model = sequential([dense(32, { activation: "tanh" }), batchNorm(), dropout(0.2), dense(2)], {
  inputShape: [16],
  seed: 1,
});
model.compile({ loss: "softmaxCrossEntropy", optimizer: "adam" });

const print = (line) => writeSync(stdout.fd, `${line}\n`); // at once, whatever happens next
const callbacks = [{ onEpochEnd: (epoch) => print(epoch + 1) }, keepBest({ monitor: "loss" })];
if (dir !== "none")
  callbacks.push(
    checkpoint({ dir, every: 1, resume: true, ...(onError && { onError: ({ code, message, cause }) => print(`${code} ${cause?.code} ${message}`) }) }),
  ); // prettier-ignore
const { curves } = await model.fit(data, { epochs: Number(epochs), batchSize: 20, callbacks });
const hash = createHash("sha256");
for (const values of model.getWeights().values()) hash.update(values);
print(`done ${hash.update(JSON.stringify(curves)).digest("hex")}`);
