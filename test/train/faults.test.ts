// What a step that stops half-way leaves behind, and where it says it stopped.
import { describe, expect, test } from "vitest";
import { adam, batchNorm, capture, dataset, dense, dropout, parameter, sequential, sgd, tensor, tick, type Dataset, type Model } from "simdnn"; // prettier-ignore
import { failure } from "../failure.js";

const examples = 40;

function network(): Model {
  const layers = [dense(6), batchNorm(), dropout(0.2), dense(3)];
  return sequential(layers, { inputShape: [4], seed: 1 }).compile({ loss: "softmaxCrossEntropy", optimizer: adam() });
}

/** 40 examples of which number 26, in the seventh batch of four, has the label given. */
function labelled(label: number): Dataset {
  const inputs = Float32Array.from({ length: 4 * examples }, (_, i) => Math.sin(7 * i));
  const labels = Int32Array.from({ length: examples }, (_, i) => (i === 26 ? label : i % 3));
  return dataset(inputs, labels, { inputShape: [4] });
}

const inOrder = { batchSize: 4, shuffle: false };

describe("a step that stops half-way", () => {
  test("leaves weights, running averages and counters as the last whole step left them", async () => {
    const [expected, stopped] = [network(), network()];
    await expected.fit(labelled(0).take(24), inOrder);
    await expect(stopped.fit(labelled(9), inOrder)).rejects.toThrow(failure("IndexError", /is 9/));
    expect(stopped.getWeights()).toEqual(expected.getWeights());
    expect(stopped.passes.item()).toBe(6);
    expect(stopped.optimizer.iterations.item()).toBe(6);
  });

  test("does so for a cost that is not finite, whose first such tensor is still found", async () => {
    const [expected, stopped] = [network(), network()];
    await expected.fit(labelled(0).take(24), inOrder);
    const inputs = labelled(0).inputs.data();
    inputs.fill(3e38, 4 * 24, 4 * 28); // the weighted sums overflow
    const huge = dataset(inputs, labelled(0).targets, { inputShape: [4] });
    await expect(stopped.fit(huge, inOrder)).rejects.toThrow(
      failure("NonFiniteError", "loss became NaN at epoch 0, step 6; first non-finite tensor: dense1.output"),
    );
    expect(stopped.getWeights()).toEqual(expected.getWeights());
  });

  test("does so in a captured function of several updates", () => {
    const [a, b, counter] = [parameter(2), parameter(3), tensor(new Int32Array(1), { shape: [] })];
    const [first, second] = [sgd({ learningRate: 0.1 }), sgd({ learningRate: 0.1 })];
    const step = capture((x) => {
      tick(counter);
      first.minimize(a.square(), [a]);
      second.minimize(b.mul(x), [b]);
    });
    step(1);
    const before = [a.item(), b.item(), counter.item(), first.iterations.item()];
    expect(() => step(NaN)).toThrow(failure("NonFiniteError", /NaN/));
    expect([a.item(), b.item(), counter.item(), first.iterations.item()]).toEqual(before);
    step(1);
    expect(counter.item()).toBe(2);
  });
});

describe("a label out of range is named by its place in the dataset", () => {
  const error = failure("IndexError", "softmaxCrossEntropy: targets[26] is 9, but there are 3 classes: expected an integer from 0 to 2"); // prettier-ignore

  test("in fit, whatever the order and the batches", async () => {
    await expect(network().fit(labelled(9), { batchSize: 7 })).rejects.toThrow(error);
  });

  test("in evaluate, also of a part", async () => {
    await expect(network().evaluate(labelled(9), { batchSize: 6 })).rejects.toThrow(error);
    const [, part] = labelled(9).split([0.5, 0.5], { shuffle: false });
    await expect(network().evaluate(part)).rejects.toThrow(error);
  });
});
