// Batch and mini-batch gradient descent, momentum and Adam on two moons, at the same learning rate: `node examples/optimizers.mjs [seed]`.
import { adam, datasets, dense, momentum, sequential, sgd } from "simdnn";

const seed = Number(process.argv[2] ?? 1);

const moons = datasets.moons({ count: 1300, noise: 0.2, seed });
const [train, test] = moons.split([0.77, 0.23], { stratify: true, seed });

const learningRate = 1e-3;
const runs = {
  "batch descent": { optimizer: sgd({ learningRate }), batchSize: train.size },
  "mini-batches": { optimizer: sgd({ learningRate }), batchSize: 64 },
  momentum: { optimizer: momentum({ learningRate, beta: 0.9 }), batchSize: 64 }, // v = βv + (1 - β)dW
  adam: { optimizer: adam({ learningRate }), batchSize: 64 },
};
for (const [name, { optimizer, batchSize }] of Object.entries(runs)) {
  const relu = (units) => dense(units, { activation: "relu", weightInitializer: "heNormal" });
  const model = sequential([relu(16), relu(8), dense(1)], { inputShape: [2], seed });
  model.compile({ loss: "sigmoidCrossEntropy", optimizer, metrics: ["binaryAccuracy"] });
  await model.fit(train, { epochs: 300, batchSize, seed });
  const { loss } = await model.evaluate(train);
  const { binaryAccuracy } = await model.evaluate(test);
  console.log(`${name.padEnd(14)} train cost ${loss.toFixed(3)}, test accuracy ${binaryAccuracy.toFixed(3)}`);
}
