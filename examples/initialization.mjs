// How weights begin decides whether they learn: zeros, large random numbers and He's on two circles: `node examples/initialization.mjs [seed]`.
import { datasets, dense, normal, sequential, sgd, zeros } from "simdnn";

const seed = Number(process.argv[2] ?? 1);

const circles = datasets.circles({ count: 400, noise: 0.05, seed });
const [train, test] = circles.split([0.75, 0.25], { stratify: true, seed });

const initializers = {
  zeros: zeros(), // all units of a layer stay alike: as good as one unit (fit warns of it)
  large: normal({ deviation: 10 }), // saturated outputs, so a huge cost that takes long to come down
  he: "heNormal", // √(2 / inputs): the variance stays the same from layer to layer
};
for (const [name, weightInitializer] of Object.entries(initializers)) {
  const layer = (units, activation) => dense(units, { activation, weightInitializer });
  const model = sequential([layer(10, "relu"), layer(5, "relu"), layer(1)], { inputShape: [2], seed });
  model.compile({ loss: "sigmoidCrossEntropy", optimizer: sgd({ learningRate: 0.1 }), metrics: ["binaryAccuracy"] });
  const before = await model.evaluate(train);
  await model.fit(train, { epochs: 3000, batchSize: train.size, seed });
  const after = await model.evaluate(train);
  const { binaryAccuracy } = await model.evaluate(test);
  console.log(
    `${name.padEnd(6)} cost ${before.loss.toFixed(3)} -> ${after.loss.toFixed(3)}, train accuracy ${after.binaryAccuracy.toFixed(3)}, test accuracy ${binaryAccuracy.toFixed(3)}`,
  );
}
