// Pictures of a training and of a search, as SVG files in a folder: `node examples/plots.mjs [folder]`. Those in docs/pictures were made by it.
import { join } from "node:path";
import { adam, datasets, dense, dropout, sequential, space, tune } from "simdnn";
import * as plot from "simdnn/plot";

const folder = process.argv[2] ?? "pictures";
const save = async (name, picture) => {
  await picture.save(join(folder, `${name}.svg`));
  console.log(picture.description);
};

const [train, dev] = datasets.spirals({ count: 600, classes: 3, noise: 0.06, seed: 1 }).split([0.7, 0.3], { seed: 1 });
const build = ({ learningRate, units, rate }, seed) => {
  const hidden = () => [dense(units, { activation: "relu", weightInitializer: "heNormal" }), dropout(rate)];
  const model = sequential([...hidden(), ...hidden(), dense(3)], { inputShape: [2], seed });
  return model.compile({
    loss: "softmaxCrossEntropy",
    optimizer: adam({ learningRate }),
    metrics: ["accuracy"],
  });
};

const model = build({ learningRate: 0.01, units: 48, rate: 0.1 }, 1);
const history = await model.fit(train, {
  epochs: 60,
  batchSize: 32,
  seed: 1,
  validationData: dev,
  watch: ["gradients"],
});
await save("learning-curves", plot.learningCurves(history));
await save("gradient-norms", plot.gradientNorms(history));
await save("decision-boundary", await plot.decisionBoundary(model, dev));
await save("confusion-matrix", plot.confusionMatrix(await model.confusionMatrix(dev)));

const result = await tune(
  { learningRate: space.log(1e-4, 1e-1), units: space.logInteger(4, 128), rate: space.linear(0, 0.5) },
  { build: (config, { seed }) => build(config, seed), train, validationData: dev, fit: { epochs: 20, batchSize: 32 } },
  { trials: 30, seed: 1 },
);
await save("search", plot.search(result, { scoreLabel: "dev loss" }));
