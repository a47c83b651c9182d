// brain.js as a peer: `brain.mjs step`. It updates after every example and knows neither mini-batches nor softmax, so that a step
// is an update by each example of a batch, and its loss means nothing beside the others'.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import brain from "brain.js";
import { batches, serve } from "../../build/bench/peers/peer.js";

const few = 8; // examples timed, of a batch: a step takes seconds

async function step(brief) {
  const { widths, batch } = brief;
  const { inputs, labels } = batches(brief);
  const examples = Array.from(labels[0].subarray(0, few), (label, e) => ({
    input: inputs[0].subarray(e * widths[0], (e + 1) * widths[0]),
    output: Float32Array.from({ length: widths.at(-1) }, (_, c) => Number(c === label)),
  }));
  const network = new brain.NeuralNetwork({ hiddenLayers: widths.slice(1, -1), activation: "leaky-relu" });
  network.train(examples, { iterations: 1, errorThresh: 1e-9, praxis: "adam", learningRate: 1e-3 }); // makes Adam's moments, once
  const sample = () => {
    const start = performance.now();
    for (const example of examples) network.trainPattern(example);
    return ((performance.now() - start) / 1000) * (batch / few);
  };
  return { sample, residual: null };
}

const manifest = new URL("node_modules/brain.js/package.json", import.meta.url);
await serve(JSON.parse(readFileSync(manifest, "utf8")).version, step);
