// Softmax regression on images, the classifier of a single layer: `node examples/softmax.mjs [seed]`.
import { datasets, dense, normalization, sequential } from "simdnn";

const seed = Number(process.argv[2] ?? 1);

const digits = await datasets.digits({ count: 5_000, seed });
const [train, test] = digits.split([0.8, 0.2], { stratify: true, seed });

const model = sequential([normalization(train.statistics({ per: "all" })), dense(10)], { inputShape: [784], seed });
model.compile({ loss: "softmaxCrossEntropy", optimizer: "adam", metrics: ["accuracy"] });
const before = await model.evaluate(test);
await model.fit(train, { epochs: 12, batchSize: 64, seed });
const { loss, accuracy } = await model.evaluate(test);
console.log(`before training: test cost ${before.loss.toFixed(3)}, test accuracy ${before.accuracy.toFixed(3)}`);
console.log(`after training: test cost ${loss.toFixed(3)}, test accuracy ${accuracy.toFixed(3)}`);

// What the ten numbers of a prediction are: probabilities, one for each class.
const image = test.inputs.data().subarray(784 * test.rows[0], 784 * (test.rows[0] + 1));
const probabilities = (await model.predict(image)).data();
probabilities.forEach((probability, digit) => {
  if (probability >= 0.01)
    console.log(`  ${digit}  ${"█".repeat(Math.round(40 * probability))} ${probability.toFixed(2)}`);
});
console.log(`true digit ${test.targets.data()[test.rows[0]]}, sum ${probabilities.reduce((a, b) => a + b).toFixed(4)}`);
