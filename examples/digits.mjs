// Trains a network on drawn digits, stops when it has learnt enough, saves it and uses it: `node examples/digits.mjs [epochs]`.
import {
  argmax,
  batchNorm,
  datasets,
  dense,
  dropout,
  earlyStopping,
  gather,
  loadModel,
  normalization,
  relu,
  sequential,
  tensor,
} from "simdnn";

const epochs = Number(process.argv[2] ?? 30);

const digits = await datasets.digits({ count: 10_000, seed: 1 });
const [train, dev, test] = digits.split([0.8, 0.1, 0.1], { stratify: true, seed: 1 });

const hidden = (units) => [
  dense(units, { bias: false, weightInitializer: "heNormal" }),
  batchNorm(),
  relu(),
  dropout(0.2),
];
const model = sequential([normalization(train.statistics({ per: "all" })), ...hidden(256), ...hidden(128), dense(10)], {
  inputShape: train.inputShape,
  seed: 1,
});
model.compile({ loss: "softmaxCrossEntropy", optimizer: "adam", metrics: ["accuracy"] });
console.log(model.summary());

/** @type {import("simdnn").Callback} */
const log = {
  onEpochEnd: (epoch, { loss, valLoss, valAccuracy }) =>
    console.log(
      `epoch ${epoch + 1}: loss ${loss.toFixed(4)}, dev loss ${valLoss.toFixed(4)}, dev accuracy ${valAccuracy.toFixed(3)}`,
    ),
};
const history = await model.fit(train, {
  epochs,
  batchSize: 128,
  validationData: dev,
  callbacks: [log, earlyStopping({ patience: 3 })],
});
console.log(`${history.epochs} epochs, ${history.stopped ?? "all that were asked for"}`);

const { loss, accuracy } = await model.evaluate(test);
console.log(`test loss ${loss.toFixed(4)}, test accuracy ${accuracy.toFixed(3)}`);

await model.save("digits.safetensors");
const loaded = await loadModel("digits.safetensors");
const images = gather(test.inputs, tensor(test.rows.slice(0, 8)));
const labels = gather(test.targets, tensor(test.rows.slice(0, 8)));
console.log(
  "predicted",
  argmax(await loaded.predict(images), { axis: 1 })
    .data()
    .join(" "),
);
console.log("true     ", labels.data().join(" "));
