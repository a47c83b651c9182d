// A net of many layers, with batch norm and without: `node examples/batch-norm.mjs [seed]`.
import { adam, batchNorm, datasets, dense, sequential, sigmoid } from "simdnn";

const seed = Number(process.argv[2] ?? 1);

const spirals = datasets.spirals({ count: 900, classes: 3, noise: 0.05, seed });
const [train, test] = spirals.split([2 / 3, 1 / 3], { stratify: true, seed });

const depth = 8;
const hidden = {
  // Sigmoids let little of a gradient through: after eight layers nothing is left of it.
  without: () => [dense(32), sigmoid()],
  // Each layer gets inputs around 0, where a sigmoid is steep. The mean is taken off, and with it any bias.
  with: () => [dense(32, { bias: false }), batchNorm(), sigmoid()],
};
for (const [name, layers] of Object.entries(hidden)) {
  const model = sequential([...Array.from({ length: depth }, layers).flat(), dense(3)], { inputShape: [2], seed });
  model.compile({
    loss: "softmaxCrossEntropy",
    optimizer: adam({ learningRate: 0.01 }),
    metrics: ["accuracy"],
  });
  const { curves } = await model.fit(train, { epochs: 120, batchSize: 100, seed, watch: ["gradients"] });
  const { accuracy } = await model.evaluate(test);
  const share = curves["gradients.dense1"][0] / curves[`gradients.dense${depth + 1}`][0];
  console.log(
    `${name.padEnd(8)} gradient of first to last layer ${share.toExponential(1)}, train cost ${curves.loss.at(-1).toFixed(3)}, test accuracy ${accuracy.toFixed(3)}`,
  );
}
