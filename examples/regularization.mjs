// A network too large for its few and noisy examples learns them by heart, unless L2 or dropout keep it from it:
// `node examples/regularization.mjs [seed]`.
import { adam, dataset, datasets, dense, dropout, l2, randomStream, sequential } from "simdnn";

const seed = Number(process.argv[2] ?? 1);

// Two half moons, of which a tenth of the training labels is wrong.
const random = randomStream(seed);
const moons = datasets.moons({ count: 150, noise: 0.25, seed });
const labels = moons.targets.data().map((label) => (random.uniform() < 0.1 ? 1 - label : label));
const train = dataset(moons.inputs, labels);
const test = datasets.moons({ count: 2000, noise: 0.25, seed: seed + 1000 });

const relu = (units, options = {}) => dense(units, { activation: "relu", weightInitializer: "heNormal", ...options });
const penalty = { weightRegularizer: l2(0.7, { perExample: true }) }; // λ/2m Σ‖W‖² on the cost
const networks = {
  none: [relu(100), relu(50), dense(1)],
  l2: [relu(100, penalty), relu(50, penalty), dense(1, penalty)],
  dropout: [relu(100), dropout({ keepProb: 0.5 }), relu(50), dropout({ keepProb: 0.5 }), dense(1)],
};
for (const [name, layers] of Object.entries(networks)) {
  const model = sequential(layers, { inputShape: [2], seed });
  model.compile({
    loss: "sigmoidCrossEntropy",
    optimizer: adam({ learningRate: 0.01 }),
    metrics: ["binaryAccuracy"],
  });
  await model.fit(train, { epochs: 1000, batchSize: train.size, seed });
  const learnt = await model.evaluate(train);
  const unseen = await model.evaluate(test);
  console.log(
    `${name.padEnd(8)} train cost ${learnt.loss.toFixed(3)}, train accuracy ${learnt.binaryAccuracy.toFixed(3)}, test cost ${unseen.loss.toFixed(3)}, test accuracy ${unseen.binaryAccuracy.toFixed(3)}`,
  );
}
