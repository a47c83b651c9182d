// A fit is aborted at random moments: it ends with the signal's reason, between two steps, and the model goes on.
import { expect, test } from "vitest";
import { adam, batchNorm, dataset, dense, dropout, sequential, type Model } from "simdnn";
import { randomStream } from "simdnn";
import { patience, report, times } from "./long.js";

const random = randomStream(1);
const rows = 96;
const data = dataset(
  Float32Array.from({ length: rows * 8 }, () => random.uniform()),
  Int32Array.from({ length: rows }, (_, i) => i % 3),
  { inputShape: [8] },
);

function network(): Model {
  const layers = [dense(16), batchNorm(), dropout(0.2), dense(3)];
  const model = sequential(layers, { inputShape: [8], seed: 3 });
  return model.compile({ loss: "softmaxCrossEntropy", optimizer: adam() });
}

const options = { batchSize: 32, shuffle: false, threads: 2 } as const;
const bits = (model: Model): string =>
  [...model.getWeights()]
    .map(([name, values]) => `${name} ${Buffer.from(values.buffer).toString("base64")}`)
    .join("\n");

test("aborting", { timeout: patience }, async () => {
  const waits: number[] = [];
  for (let round = 0; round < times(20, 200); round++) {
    const model = network();
    const controller = new AbortController();
    const reason = new Error(`round ${round}`);
    const delay = random.uniform() * 30;
    const fitting = model.fit(data, { ...options, epochs: 1e9, signal: controller.signal });
    let [abortedAt, stepsThen] = [0, 0];
    setTimeout(() => {
      abortedAt = performance.now();
      controller.abort(reason);
      stepsThen = model.optimizer.iterations.storage![0]!; // item() would throw while it is being counted up
    }, delay);
    const error = await fitting.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    waits.push(performance.now() - abortedAt);
    expect(error).toBe(reason);
    // The step that was being made may end, and no other begins.
    expect(model.optimizer.iterations.item()).toBeLessThanOrEqual(stepsThen + 1);
    // As many whole steps as the optimizer counts, and nothing of another one: the same steps again give the same bits.
    const steps = model.optimizer.iterations.item();
    if (steps <= 3000 && round % 4 === 0) {
      const again = network();
      const [epochs, rest] = [Math.floor(steps / 3), steps % 3];
      if (epochs > 0) await again.fit(data, { ...options, epochs });
      for (let i = 0; i < rest; i++) {
        const part = dataset(data.inputs.data().slice(i * 256, (i + 1) * 256), data.targets.data().slice(i * 32, (i + 1) * 32), { inputShape: [8] }); // prettier-ignore
        await again.fit(part, { ...options, epochs: 1 });
      }
      expect(bits(again), `${steps} steps`).toBe(bits(model));
    }
    await model.fit(data, { ...options, epochs: 1 });
    expect(model.optimizer.iterations.item()).toBe(steps + 3);
  }
  report("from an abort to the rejection", waits);
});
