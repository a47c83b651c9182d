// A layer and a loss of one's own, written with the library's ops and trained like its own: `node examples/custom-layer.mjs [epochs]`.
import { adam, constant, dataset, dense, loadModel, randomStream, sequential, uniform } from "simdnn";

const epochs = Number(process.argv[2] ?? 100);

/**
 * Radial basis functions: `exp(-w² ‖x - c‖²)` for each of `units` learned centres c and inverse widths w.
 * @returns {import("simdnn").Layer}
 */
const radial = (units) => ({
  type: "radial",
  options: { units },
  build: ({ inputShape: [features], parameter }) => ({
    centres: parameter("centres", [units, features], uniform({ low: -1, high: 1 })),
    inverseWidths: parameter("inverseWidths", [units], constant(2)),
  }),
  call(input, { centres, inverseWidths }) {
    const [rows, features] = input.shape;
    const difference = input.reshape([rows, 1, features]).sub(centres); // [rows, units, features]
    return difference.square().sum({ axes: 2 }).mul(inverseWidths.square()).neg().exp(); // [rows, units]
  },
});

/**
 * `log cosh(ŷ - y)`: a parabola near 0 and a line far from it, like the Huber loss but smooth.
 * @type {import("simdnn").LossFunction}
 */
function logCosh(outputs, targets) {
  const error = outputs.sub(targets.reshape(outputs.shape));
  return error.add(error.mul(-2).softplus()).sub(Math.LN2);
}

// A ring: 1 between the radii 0.4 and 0.7, else 0.
const random = randomStream(1);
const points = Array.from({ length: 2000 }, () => [2 * random.uniform() - 1, 2 * random.uniform() - 1]);
const ring = points.map(([x, y]) => (Math.abs(Math.hypot(x, y) - 0.55) < 0.15 ? 1 : 0));
const [train, test] = dataset(points, ring).split([0.8, 0.2], { seed: 1 });

const model = sequential([radial(32), dense(1)], { inputShape: [2], seed: 1 });
model.compile({ loss: logCosh, optimizer: adam({ learningRate: 0.01 }), metrics: ["binaryAccuracy"] });
console.log("before", await model.evaluate(test));
await model.fit(train, { epochs, batchSize: 64 });
console.log("after", await model.evaluate(test));

// A file holds the layer's type and options; what makes one of them is given when it is read.
await model.save("ring.safetensors");
const loaded = await loadModel("ring.safetensors", { layers: { radial: ({ units }) => radial(units) } });
console.log("on the ring", (await loaded.predict([[0.55, 0]])).item());
console.log("in its hole", (await loaded.predict([[0, 0]])).item());
