// Sound calls of the public functions of simdnn, and of the methods of what they make, to be bent.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataset, dense, exponentialAverage, parameter, randomStream, sequential, sgd, space, tensor } from "simdnn";
import * as simdnn from "simdnn";
import * as plot from "simdnn/plot";

const t = (): simdnn.Tensor => tensor([[0.25, 0.5], [0.75, 1]]); // prettier-ignore
const vector = (): simdnn.Tensor => tensor([0.5, 0.75]);
const zeros = (shape: number[]): simdnn.Tensor => tensor(new Float32Array(shape.reduce((a, b) => a * b)), { shape });
const counter = (): simdnn.Tensor => tensor(Int32Array.of(1), { shape: [] });
const labels = (): simdnn.Tensor => tensor(Int32Array.of(0, 1));
const rate = (): simdnn.Tensor => tensor(Float64Array.of(0.1), { shape: [] });
const xor = (): simdnn.Dataset => dataset([[0, 0], [0, 1], [1, 0], [1, 1]], Int32Array.of(0, 1, 1, 0)); // prettier-ignore
const network = (): simdnn.Model => sequential([dense(2)], { inputShape: [2], seed: 1 });
const compiled = (): simdnn.Model => network().compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy"] });

const saved = await (async () => {
  const folder = await mkdtemp(join(tmpdir(), "simdnn-"));
  await network().save(join(folder, "m.safetensors"));
  const bytes = await readFile(join(folder, "m.safetensors"));
  await rm(folder, { recursive: true });
  return bytes;
})();

/** Arguments of a call; of a method, also what it is called on. */
export interface Sound {
  readonly args: () => unknown[];
  readonly on?: () => object;
}

type Calls = Readonly<Record<string, Sound>>;

const many = (names: string, args: () => unknown[]): Calls =>
  Object.fromEntries(names.split(" ").map((name) => [name, { args }]));
const on = (make: () => object, calls: Readonly<Record<string, () => unknown[]>>): Calls =>
  Object.fromEntries(Object.entries(calls).map(([name, args]) => [name, { args, on: make }]));

const unary =
  "abs cos exp log logSoftmax neg sign sin sqrt square relu sigmoid tanh softplus swish gelu softmax hardmax stopGradient";
const binary = "add sub mul div pow maximum minimum equal greater greaterEqual";
const computing: Calls = {
  ...many(unary, () => [t()]),
  ...many(binary, () => [t(), t()]),
  ...many("sum mean max", () => [t(), { axes: [0], keepDims: true }]),
  ...many("argmax", () => [t(), { axis: 0 }]),
  ...many("broadcastTo", () => [vector(), [3, 2]]),
  ...many("cast", () => [t(), "int32"]),
  ...many("clip", () => [t(), -1, 0.5]),
  ...many("concat", () => [[t(), t()], 1]),
  ...many("gather", () => [t(), labels(), { dtype: "float32" }]),
  ...many("leakyRelu", () => [t(), { slope: 0.1 }]),
  ...many("elu", () => [t(), { alpha: 0.5 }]),
  ...many("matmul", () => [t(), t(), { transposeA: true, transposeB: false }]),
  ...many("randomNormal", () => [[2, 3], { mean: 1, deviation: 2, seed: 3, stream: 1, dtype: "float64", step: counter() }]),
  ...many("randomUniform", () => [[2, 3], { low: 1, high: 2, seed: 3, stream: 1, dtype: "float64", step: counter() }]),
  ...many("reshape", () => [t(), [4]]),
  ...many("select", () => [t(), t(), t()]),
  ...many("slice", () => [t(), [0, 1], [2, 1]]),
  ...many("softmaxCrossEntropy", () => [t(), labels()]),
  ...many("sigmoidCrossEntropy", () => [t(), t()]),
  ...many("tick", () => [counter()]),
  ...many("transpose", () => [t(), [1, 0]]),
  ...many("warp", () => [zeros([1, 2, 2, 1]), zeros([1, 6]), { fill: "constant", value: 1 }]),
  gradients: {
    args: () => {
      const w = parameter([1, 2]);
      return [w.square().sum(), [w]];
    },
  },
}; // prettier-ignore

const updated = (): unknown[] => [parameter([1, 2]), vector()];

export const opCalls: Calls = {
  ...computing,
  ...many("activation", () => [t(), "leakyRelu", 0.1]),
  ...many("squaredNorm assertFinite", () => [t()]),
  ...many("addScaled", () => [t(), t(), tensor(0.5)]),
  ...many("lerp", () => [...updated(), rate()]),
  ...many("sumTo", () => [t(), [2]]),
  ...many("pad", () => [t(), [0, 1], [2, 4]]),
  ...many("gemm", () => [t(), t(), t(), { transposeA: true, transposeB: true, alpha: 2, beta: 0.5 }]),
  ...many("dense", () => [t(), t(), vector(), { activation: "relu", slope: 0 }]),
  ...many("dropout", () => [t(), counter(), { rate: 0.5, seed: 1, stream: 2 }]),
  ...many("batchNorm", () => [t(), vector(), vector(), vector(), vector(), { momentum: 0.9, epsilon: 0.1 }]),
  ...many("batchNormInference", () => [t(), vector(), vector(), vector(), vector(), { epsilon: 0.1 }]),
  ...many("assign", updated),
  ...many("sgd", () => [...updated(), rate()]),
  ...many("momentum", () => [...updated(), vector(), rate(), { beta: 0.9, damped: true, nesterov: true }]),
  ...many("rmsprop", () => [...updated(), vector(), rate(), { rho: 0.9, epsilon: 1e-8 }]),
  ...many("adagrad", () => [...updated(), vector(), rate(), { epsilon: 1e-8 }]),
  ...many("adam", () => [...updated(), vector(), vector(), rate(), counter(), { beta1: 0.9, beta2: 0.9, epsilon: 1e-8, weightDecay: 0.1 }]),
  ...many("nadam", () => [...updated(), vector(), vector(), rate(), counter(), { beta1: 0.9, beta2: 0.9, epsilon: 1e-8, momentumDecay: 0.004 }]),
  ...many("lion", () => [...updated(), vector(), rate(), { beta1: 0.9, beta2: 0.9, weightDecay: 0.1 }]),
}; // prettier-ignore

const decay = { initial: 0.1, per: "step", every: 2, staircase: true };

export const functionCalls: Calls = {
  ...computing,
  ...many("tensor", () => [[[1, 2]], { shape: [2, 1], dtype: "float64", name: "x" }]),
  ...many("parameter", () => [[[1, 2]], { name: "w" }]),
  ...many("zeros ones terminateOnNaN categoricalCrossEntropy flatten threads memoryLimit", () => []),
  ...many("capture", () => [(x: simdnn.Tensor) => x.square()]),
  ...many("setThreads", () => [1]),
  ...many("setMemoryLimit", () => [2 ** 50]),
  ...many("randomStream", () => [1, 2]),
  ...many("dense", () => [2, { activation: "leakyRelu", slope: 0.1, bias: true, weightInitializer: simdnn.heNormal(), weightRegularizer: simdnn.l2(0.1) }]),
  ...many("batchNorm", () => [{ momentum: 0.9, epsilon: 0.1 }]),
  ...many("dropout", () => [{ rate: 0.5 }]),
  ...many("normalization", () => [{ mean: [1, 2], variance: [1, 2] }]),
  ...many("layerFromConfig", () => [{ type: "dense", options: { units: 2, activation: "relu", bias: true, weightInitializer: { type: "constant", options: { value: 1 } } } }, { own: () => dense(2) }]),
  ...many("meanSquaredError halfSquaredError meanAbsoluteError binaryCrossEntropy", () => [t(), t()]),
  ...many("huber", () => [{ delta: 2 }]),
  ...many("topK", () => [{ k: 2 }]),
  ...many("precision recall f1", () => [{ average: "macro", threshold: 0.4 }]),
  ...many("classScores", () => [[[1, 2], [3, 4]]]),
  ...many("auc", () => [{}]),
  ...many("rocAuc", () => [[0.1, 0.9], [0, 1]]),
  ...many("adagrad adam adamw lion momentum nadam nesterov rmsprop sgd", () => [{ learningRate: 0.1, clipValue: 1, globalClipNorm: 1 }]),
  ...many("glorotNormal glorotUniform heNormal heUniform lecunNormal lecunUniform orthogonal", () => [{ gain: 2 }]),
  ...many("normal", () => [{ mean: 1, deviation: 2 }]),
  ...many("uniform", () => [{ low: 1, high: 2 }]),
  ...many("constant", () => [2]),
  ...many("l1 l2", () => [0.1, { perExample: true }]),
  ...many("l1l2", () => [{ l1: 0.1, l2: 0.1 }]),
  ...many("inverseTimeDecay", () => [{ ...decay, decay: 0.5 }]),
  ...many("exponentialDecay", () => [{ ...decay, rate: 0.5 }]),
  ...many("rootDecay", () => [{ initial: 0.1, per: "step", k: 2 }]),
  ...many("piecewiseConstant", () => [{ boundaries: [1, 3], rates: [0.1, 0.01, 0.001], per: "step" }]),
  ...many("cosineDecay cosineRestarts", () => [{ initial: 0.1, over: 10, per: "step", final: 0.01 }]),
  ...many("warmUp", () => [{ over: 10, per: "step", from: 0, then: 0.1 }]),
  ...many("oneCycle", () => [{ max: 0.1, over: 10, per: "step", start: 0.01, final: 0.001, rising: 0.3 }]),
  ...many("sequential", () => [[dense(2), simdnn.relu(), simdnn.batchNorm(), simdnn.dropout(0.5)], { inputShape: [2], seed: 1, name: "m" }]),
  ...many("earlyStopping", () => [{ monitor: "loss", mode: "min", patience: 1, minDelta: 0.1 }]),
  ...many("keepBest", () => [{ monitor: "loss", mode: "min" }]),
  ...many("averageWeights", () => [{ beta: 0.9, correctBias: true }]),
  ...many("stochasticWeightAverage", () => [{ from: 1, every: 1 }]),
  ...many("snapshots", () => [{ every: 2 }]),
  ...many("ensemble", () => [[compiled(), compiled()], { metrics: ["accuracy"] }]),
  ...many("exponentialAverage", () => [{ beta: 0.9, correctBias: true }]),
  ...many("learningRateScheduler", () => [() => 0.1]),
  ...many("reduceOnPlateau", () => [{ monitor: "loss", factor: 0.5, patience: 1, cooldown: 1, minRate: 0.001 }]),
  ...many("randomFlip", () => [{ mode: "horizontal", imageShape: [2, 2], fill: "constant" }]),
  ...many("randomTranslation", () => [{ height: 0.1, width: [-0.1, 0.2], imageShape: [2, 2] }]),
  ...many("randomRotation", () => [{ factor: 0.1, imageShape: [2, 2] }]),
  ...many("randomZoom", () => [{ height: [-0.1, 0.1], imageShape: [2, 2] }]),
  ...many("randomElastic", () => [{ alpha: 2, imageShape: [2, 2], fill: "constant" }]),
  ...many("gaussianNoise", () => [{ deviation: 0.1 }]),
  ...many("mixUp", () => [{ alpha: 0.2 }]),
  ...many("checkpoint", () => [{ dir: "checkpoints", every: { epochs: 1, steps: 2 }, keep: 2, resume: true }]),
  ...many("csvLog", () => ["curves.csv", { append: true }]),
  ...many("modelCheckpoint", () => [{ path: "m-{epoch}.safetensors", bestOnly: true, every: 2, monitor: "loss", mode: "min" }]),
  ...many("biasVariance", () => [{ trainError: 0.1, devError: 0.2, baseline: 0.05, tolerance: 0.01 }]),
  ...many("dataset", () => [[[1, 2], [3, 4]], Int32Array.of(0, 1), { inputShape: [2], targetShape: [], sampleWeights: [1, 2] }]),
}; // prettier-ignore

const optimizer = (): simdnn.Optimizer => sgd({ learningRate: 0.1 });

export const methodCalls: Calls = {
  ...on(t, {
    "Tensor.data": () => [],
  }),
  ...on(optimizer, {
    "Optimizer.setLearningRate": () => [0.2],
    "Optimizer.fresh": () => [],
    "Optimizer.apply": () => [[parameter([1, 2])], [vector()]],
    "Optimizer.minimize": () => {
      const w = parameter([1, 2]);
      return [w.square().sum(), [w]];
    },
  }),
  ...on(xor, {
    "Dataset.split": () => [[0.5, 0.5], { stratify: true, seed: 1, shuffle: true }],
    "Dataset.folds": () => [2, { stratify: true, seed: 1 }],
    "Dataset.take": () => [2],
    "Dataset.statistics": () => [{ per: "feature" }],
  }),
  ...on(network, {
    "Model.forward": () => [t(), { training: true }],
    "Model.penalty": () => [2],
    "Model.clone": () => [{ dtype: "float64" }],
    "Model.compile": () => [{ loss: "softmaxCrossEntropy", optimizer: "adam", metrics: ["accuracy"] }],
    "Model.setWeights": () => [new Map([["dense1.bias", [1, 2]]])],
  }),
  ...on(() => randomStream(1), {
    "RandomStream.uniform": () => [],
    "RandomStream.integer": () => [5],
    "RandomStream.permutation": () => [5],
  }),
  ...on(() => exponentialAverage({ beta: 0.9 }), { "ExponentialAverage.update": () => [1] }),
}; // prettier-ignore

const curves = (): object => ({
  curves: {
    loss: [2, 1],
    valLoss: [3, 2],
    learningRate: [0.1, 0.1],
    "gradients.dense1": [1, 2],
    "activations.dense1": [1, 2],
  },
});
const looks = (): object => ({ title: "t", per: "epoch", scale: "log" });
const fits = (): object[] => [
  { examples: 2, trainError: 0.1, devError: 0.4 },
  { examples: 4, trainError: 0.2, devError: 0.3 },
];
const trials = (): object[] => [
  { config: { rate: 0.1, kind: "a" }, score: 1 },
  { config: { rate: 0.01, kind: "b" }, score: 2 },
];

const points = (): unknown[] => [{ count: 4, noise: 0.1, seed: 1 }];

/** Functions that are grouped by a word in front. */
export const grouped: Readonly<Record<string, readonly [exports: object, calls: Calls]>> = {
  space: [
    space,
    {
      ...many("linear log", () => [0.1, 1]),
      ...many("oneMinus", () => [0.9, 0.99]),
      ...many("integer logInteger", () => [1, 5]),
      ...many("choice", () => [["a", "b"]]),
      ...many("boolean", () => []),
      ...many("list", () => [space.integer(1, 3), space.log(1, 2)]),
    },
  ],
  plot: [
    plot,
    {
      ...many("learningCurves", () => [curves(), { ...looks(), figures: ["loss"] }]),
      ...many("learningRate gradientNorms activationNorms", () => [curves(), looks()]),
      ...many("learningCurve", () => [
        { points: fits(), error: "e", biasVariance: { baseline: 0.1 } },
        { title: "t", scale: "log" },
      ]),
      ...many("confusionMatrix", () => [
        [
          [1, 2],
          [3, 4],
        ],
        { labels: ["a", "b"], title: "t" },
      ]),
      ...many("decisionBoundary", () => [
        compiled(),
        xor(),
        { labels: ["a", "b"], features: ["x", "y"], points: 3, title: "t" },
      ]),
      ...many("search", () => [
        { trials: trials(), mode: "min" },
        { title: "t", scoreLabel: "s", scales: { rate: "log" } },
      ]),
    },
  ],
  datasets: [
    { ...simdnn.datasets, idx: undefined, digits: undefined },
    {
      ...many("moons", points),
      ...many("circles", () => [{ count: 4, noise: 0.1, factor: 0.5, seed: 1 }]),
      ...many("blobs", () => [{ count: 4, classes: 2, features: 2, deviation: 1, centerBox: [-1, 1], seed: 1 }]),
      ...many("spirals", () => [{ count: 4, noise: 0.1, classes: 2, seed: 1 }]),
      ...many("linear", () => [{ count: 4, noise: 0.1, features: 2, seed: 1 }]),
    },
  ],
};

/** Slower ones, which return promises. */
export const promiseCalls: Calls = {
  ...many("loadModel", () => [Buffer.from(saved), { layers: {} }]),
  ...many("compareDistributions", () => [xor(), xor(), { significance: 0.1, names: ["a", "b"] }]),
  ...many("diagnose", () => [compiled(), { train: xor(), dev: xor(), metric: "accuracy", baseline: 0, tolerance: 0.1, threads: 1 }]),
  ...many("gradientCheck", () => [compiled(), xor(), { elements: 2, seed: 1 }]),
  ...many("gradientFlow", () => [compiled(), xor(), { batchSize: 2 }]),
  ...many("learningCurve", () => [compiled, xor(), xor(), { sizes: [2, 4], metric: "accuracy", seed: 1, fit: { epochs: 1 } }]),
  ...many("tune", () => [{ rate: space.log(0.1, 1) }, ({ rate }: { rate: number }) => rate, { trials: 2, strategy: "random", parallel: 2, seed: 1 }]),
  ...on(compiled, {
    "Model.trainOnBatch": () => [[[0, 1]], Int32Array.of(1), {}],
    "Model.fit": () => [xor(), { epochs: 1, batchSize: 2, validationData: xor(), seed: 1, shuffle: true, classWeight: [1, 2], callbacks: [{}], threads: 1 }],
    "Model.evaluate": () => [xor(), { batchSize: 2, threads: 1 }],
    "Model.save": () => ["m.safetensors"],
    "Model.predict": () => [[[1, 2]], { raw: true, threads: 1 }],
    "Model.confusionMatrix": () => [xor(), { batchSize: 2 }],
  }),
}; // prettier-ignore
