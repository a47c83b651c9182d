// The networks that are timed, with weights and data that other contenders can make again from values.ts.
import {
  adam,
  batchNorm,
  cosineDecay,
  dataset,
  dense,
  dropout,
  l2,
  momentum,
  randomTranslation,
  relu,
  sequential,
  type Dataset,
  type Layer,
  type Model,
} from "simdnn";
import { uniform, uniforms } from "./values.js";

export interface Network {
  readonly name: string;
  /** From inputs to classes. */
  readonly widths: readonly number[];
  readonly batch: number;
  /** Whether hidden layers are bias-free dense, batch norm, ReLU, dropout 0.2 instead of dense with ReLU. */
  readonly normalized?: boolean;
  readonly optimizer: "adam" | "momentum";
  /** Steps per epoch. */
  readonly steps: number;
}

export const networks: readonly Network[] = [
  { name: "tiny", widths: [32, 64, 64, 2], batch: 32, optimizer: "adam", steps: 200 },
  { name: "tiny-bn-do", widths: [32, 64, 64, 2], batch: 32, normalized: true, optimizer: "adam", steps: 200 },
  { name: "small", widths: [784, 128, 10], batch: 32, optimizer: "adam", steps: 100 },
  { name: "mnist", widths: [784, 512, 256, 10], batch: 128, optimizer: "adam", steps: 20 },
  { name: "mnist-bn-do", widths: [784, 512, 256, 10], batch: 128, normalized: true, optimizer: "adam", steps: 20 },
  { name: "wide-sgd", widths: [1024, 1024, 1024, 1024, 10], batch: 256, optimizer: "momentum", steps: 4 },
  {
    name: "wide-bn-do",
    widths: [1024, 1024, 1024, 1024, 10],
    batch: 256,
    normalized: true,
    optimizer: "adam",
    steps: 4,
  },
  { name: "big", widths: [4096, 4096, 4096, 10], batch: 512, optimizer: "adam", steps: 1 },
];

/**
 * Compiled, with the weights of dense layer l uniform in ±√(6 / (in + out)) from seed l, and all else as layers begin.
 *
 * @param features - with translated images, L2, clipping by norm and a schedule
 */
export function modelOf({ widths, normalized = false, optimizer }: Network, features = false): Model {
  const penalty = features ? { weightRegularizer: l2(1e-4) } : {};
  const layers = widths.slice(1).flatMap((units, i): Layer[] => {
    if (i === widths.length - 2) return [dense(units, penalty)];
    return normalized
      ? [dense(units, { bias: false, ...penalty }), batchNorm(), relu(), dropout(0.2)]
      : [dense(units, { activation: "relu", ...penalty })];
  });
  if (features) layers.unshift(randomTranslation({ height: 0.1, width: 0.1, imageShape: [28, 28] }));
  const model = sequential(layers, { inputShape: [widths[0]!], seed: 1 });
  let layer = 0;
  for (const [name, { shape }] of model.weights) {
    if (!name.startsWith("dense") || !name.endsWith(".weight")) continue;
    const [rows, columns] = shape as [number, number];
    const bound = Math.sqrt(6 / (rows + columns));
    model.setWeights(new Map([[name, uniforms(rows * columns, -bound, bound, ++layer)]]));
  }
  const initial = optimizer === "adam" ? 1e-3 : 0.01;
  const options = features
    ? { learningRate: cosineDecay({ initial, over: 1e6 }), globalClipNorm: 1 }
    : { learningRate: initial };
  return model.compile({
    loss: "softmaxCrossEntropy",
    optimizer: optimizer === "adam" ? adam(options) : momentum({ ...options, beta: 0.9, damped: false }),
  });
}

/** Example e: class ⌊uniform(101, e) · classes⌋; input j: uniform(100, e · inputs + j) · 2 - 1, plus 0.2 where j modulo classes is the class. */
export function dataOf({ widths, batch, steps }: Network): Dataset {
  const [inputs, classes] = [widths[0]!, widths.at(-1)!];
  const count = batch * steps;
  const labels = Int32Array.from({ length: count }, (_, e) => Math.floor(uniform(101, e) * classes));
  const values = uniforms(count * inputs, -1, 1, 100);
  for (let e = 0; e < count; e++) for (let j = labels[e]!; j < inputs; j += classes) values[e * inputs + j]! += 0.2;
  return dataset(values, labels, { inputShape: [inputs] });
}
