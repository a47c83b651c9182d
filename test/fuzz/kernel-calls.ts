// A sound call of every function of simdnn/kernels, to be bent.
const f = (...values: number[]): Float32Array => Float32Array.from(values);
const two = (): Float32Array => f(1, -2);

const unary = (): unknown[] => [two(), f(0, 0)];
const binary = (): unknown[] => [two(), f(3, 4), f(0, 0)];
const total = (): unknown[] => [two()];
const sloped = (name: string) => (): unknown[] => [two(), { [name]: 0.1, out: f(0, 0) }];
const columns = (...names: string[]): object => Object.fromEntries(names.map((name) => [name, f(1)]));
const rows = (...names: string[]): object => ({
  rows: 2,
  columns: 1,
  ...Object.fromEntries(names.map((name) => [name, two()])),
});

export const kernelCalls: Readonly<Record<string, () => unknown[]>> = {
  ...Object.fromEntries("relu sigmoid tanh softplus swish gelu neg exp log sqrt square abs sign".split(" ").map((name) => [name, unary])),
  ...Object.fromEntries("add sub mul div pow maximum minimum".split(" ").map((name) => [name, binary])),
  ...Object.fromEntries("sum mean max".split(" ").map((name) => [name, total])),
  leakyRelu: sloped("slope"),
  elu: sloped("alpha"),
  clip: () => [two(), -1, 1, f(0, 0)],
  activationGrad: () => [{ activation: "relu", dout: two(), saved: two(), out: f(0, 0) }],
  gemm: () => [{ m: 2, n: 1, k: 2, a: f(1, 2, 3, 4), b: two(), c: f(0, 0), transposeA: true, transposeB: false, alpha: 1, beta: 0.5 }],
  dense: () => [{ rows: 1, inputs: 2, units: 1, input: two(), weight: two(), bias: f(1), activation: "relu", slope: 0.1, out: f(0) }],
  denseGrad: () => [{ rows: 2, units: 1, dout: two(), output: two(), activation: "relu", slope: 0.1 }],
  softmax: () => [rows("input", "out")],
  logSoftmax: () => [rows("input", "out")],
  batchNorm: () => [{ ...rows("input"), ...columns("gamma", "beta", "runningMean", "runningVariance"), momentum: 0.9, epsilon: 1e-3 }],
  batchNormInference: () => [{ ...rows("input"), ...columns("gamma", "beta", "mean", "variance"), epsilon: 1e-3 }],
  batchNormGrad: () => [{ ...rows("dout", "input"), ...columns("gamma", "mean", "inverseDeviation") }],
  dropout: () => [{ input: two(), rate: 0.5, seed: 1, stream: 2, step: 3, out: f(0, 0) }],
  softmaxCrossEntropy: () => [{ rows: 1, classes: 2, logits: two(), labels: Int32Array.of(1) }],
  softmaxCrossEntropyGrad: () => [{ rows: 1, classes: 2, dloss: f(1), probabilities: f(0.5, 0.5), labels: Int32Array.of(1) }],
  sgd: () => [{ parameter: two(), gradient: two(), learningRate: 0.1 }],
  momentum: () => [{ parameter: two(), gradient: two(), velocity: f(0, 0), learningRate: 0.1, beta: 0.9, damped: true, nesterov: false }],
  rmsprop: () => [{ parameter: two(), gradient: two(), meanSquare: f(0, 0), learningRate: 0.1, rho: 0.9, epsilon: 1e-7 }],
  adam: () => [{ parameter: two(), gradient: two(), firstMoment: f(0, 0), secondMoment: f(0, 0), learningRate: 0.1, step: 0, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 }],
  setThreads: () => [1],
}; // prettier-ignore
