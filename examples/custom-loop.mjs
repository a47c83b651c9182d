// A training loop of one's own: only the forward pass is written, capture() does the rest: `node examples/custom-loop.mjs [epochs]`.
import { adam, capture, datasets, ops, parameter, randomNormal, randomStream, tensor } from "simdnn";

const epochs = Number(process.argv[2] ?? 5);
const batchSize = 100;

const digits = await datasets.digits({ count: 6_000, seed: 1 });
const [train, test] = digits.split([5 / 6, 1 / 6], { seed: 1 });

// Two layers. Weights are [in, out], drawn with He's deviation √(2 / in).
const weight = (inputs, units, seed) =>
  parameter(randomNormal([inputs, units], { deviation: Math.sqrt(2 / inputs), seed }).data(), {
    shape: [inputs, units],
  });
const w1 = weight(784, 64, 1);
const b1 = parameter(new Float32Array(64));
const w2 = weight(64, 10, 2);
const b2 = parameter(new Float32Array(10));

/** @param {import("simdnn").Tensor} images */
const forward = (images) => images.matmul(w1).add(b1).relu().matmul(w2).add(b2);
const batch = (rows) => [train.inputs.gather(rows, { dtype: "float32" }).div(255), train.targets.gather(rows)];

// Recorded once for a shape of `rows`, then replayed natively. The whole training set stays where it is; a call sends row numbers.
const optimizer = adam({ learningRate: 1e-3 });
const step = capture((rows) => {
  const [images, labels] = batch(rows);
  const cost = ops.softmaxCrossEntropy(forward(images), labels).mean();
  optimizer.minimize(cost, [w1, b1, w2, b2]);
  return cost;
});
const correct = capture((rows) => {
  const [images, labels] = batch(rows);
  return forward(images).argmax({ axis: 1 }).equal(labels).mean();
});

const random = randomStream(1);
const rows = train.rows.slice();
for (let epoch = 1; epoch <= epochs; epoch++) {
  random.shuffle(rows);
  let sum = 0;
  for (let start = 0; start < rows.length; start += batchSize)
    sum += step(tensor(rows.slice(start, start + batchSize))).item();
  const accuracy = correct(tensor(test.rows)).item();
  console.log(
    `epoch ${epoch}: loss ${((sum * batchSize) / rows.length).toFixed(4)}, test accuracy ${accuracy.toFixed(3)}`,
  );
}
