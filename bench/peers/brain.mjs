// brain.js as a peer: `brain.mjs step`. It updates after every example and knows neither mini-batches nor softmax, so that a step
// is an update by each example of a batch, and its loss means nothing beside the others'.
import { readFileSync } from "node:fs";
import brain from "brain.js";
import { batches, serve, training } from "../../build/bench/peers/peer.js";

async function step(brief) {
  const { widths } = brief;
  const { inputs, labels } = batches(brief);
  const examples = inputs.map((values, step) =>
    Array.from(labels[step], (label, e) => ({
      input: values.subarray(e * widths[0], (e + 1) * widths[0]),
      output: Float32Array.from({ length: widths.at(-1) }, (_, c) => Number(c === label)),
    })),
  );
  const network = new brain.NeuralNetwork({ hiddenLayers: widths.slice(1, -1), activation: "leaky-relu" });
  const options = { iterations: 1, errorThresh: 1e-9, praxis: "adam", learningRate: 1e-3 };
  const { sample } = await training(brief, (first, count) => {
    for (let i = first; i < first + count; i++) network.train(examples[i], options);
    return 0;
  });
  return { sample, residual: null };
}

const manifest = new URL("node_modules/brain.js/package.json", import.meta.url);
await serve(JSON.parse(readFileSync(manifest, "utf8")).version, step);
