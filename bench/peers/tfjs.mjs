// TensorFlow.js as a peer: `tfjs.mjs step wasm|cpu`.
import tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { batches, serve, training, weight } from "../../build/bench/peers/peer.js";

await tf.setBackend(process.argv[3]);
await tf.ready();

/** What a function of inputs needs to give logits in training. */
function network(brief) {
  const { widths, normalized } = brief;
  return widths.slice(1).map((units, i) => ({
    weight: tf.variable(tf.tensor2d(weight(brief, i + 1), [widths[i], units])),
    bias: tf.variable(tf.zeros([units])), // batch norm's beta where that follows
    ...(normalized &&
      i < widths.length - 2 && {
        gamma: tf.variable(tf.ones([units])),
        mean: tf.variable(tf.zeros([units]), false),
        variance: tf.variable(tf.ones([units]), false),
      }),
  }));
}

function forward(layers, x) {
  for (const { weight, bias, gamma, mean, variance } of layers) {
    x = x.matMul(weight);
    if (gamma) {
      const moments = tf.moments(x, 0);
      x = tf.batchNorm(x, moments.mean, moments.variance, bias, gamma, 1e-5);
      const rows = x.shape[0];
      mean.assign(mean.mul(0.9).add(moments.mean.mul(0.1)));
      variance.assign(variance.mul(0.9).add(moments.variance.mul((0.1 * rows) / (rows - 1))));
    } else x = x.add(bias);
    if (weight !== layers.at(-1).weight) x = x.relu();
    if (gamma) x = tf.dropout(x, 0.2);
  }
  return x;
}

async function step(brief) {
  tf.disposeVariables();
  const { widths, optimizer: kind, batch } = brief;
  const layers = network(brief);
  const { inputs, labels } = batches(brief);
  const x = inputs.map((values) => tf.tensor2d(values, [batch, widths[0]]));
  const y = labels.map((values) => tf.oneHot(tf.tensor1d(values, "int32"), widths.at(-1)));
  const optimizer = kind === "adam" ? tf.train.adam(1e-3, 0.9, 0.999, 1e-8) : tf.train.momentum(0.01, 0.9);
  return training(brief, async (first, count) => {
    const total = tf.tidy(() => {
      let sum = tf.scalar(0);
      for (let i = first; i < first + count; i++) {
        const cost = tf.tidy(() =>
          optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y[i], forward(layers, x[i])), true),
        );
        sum = sum.add(cost);
      }
      return sum;
    });
    const [loss] = await total.data();
    total.dispose();
    return loss;
  });
}

await serve(tf.version.tfjs, step);
