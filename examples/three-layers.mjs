// The whole three-layer softmax network, trained by mini-batches, in a few lines: `node examples/three-layers.mjs [seed]`.
import { adam, datasets, dense, normalization, sequential } from "simdnn";

const seed = Number(process.argv[2] ?? 1);
const digits = await datasets.digits({ count: 5_000, seed });
const [train, test] = digits.split([0.9, 0.1], { stratify: true, seed });

const relu = (units) => dense(units, { activation: "relu", weightInitializer: "heNormal" });
const layers = [normalization(train.statistics({ per: "all" })), relu(64), relu(32), dense(10)];
const model = sequential(layers, { inputShape: [784], seed });
model.compile({ loss: "softmaxCrossEntropy", optimizer: adam({ learningRate: 1e-3 }), metrics: ["accuracy"] });
const { curves } = await model.fit(train, { epochs: 10, batchSize: 32, seed });
curves.loss.forEach((loss, epoch) => console.log(`epoch ${epoch + 1}: cost ${loss.toFixed(3)}`));
const { accuracy } = await model.evaluate(test);
console.log(`train accuracy ${curves.accuracy.at(-1).toFixed(3)}, test accuracy ${accuracy.toFixed(3)}`);
