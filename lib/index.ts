// The public API: re-exports only.
import "./ops/methods.js";

export { SimdnnError, isSimdnnError, type ErrorCode, type ErrorDetails, type OperandNote } from "./errors.js";
export {
  tensor,
  parameter,
  Tensor,
  type DType,
  type Shape,
  type Spec,
  type TensorData,
  type TypedArray,
} from "./tensor.js";
export { capture, type Arguments, type Captured, type Outputs } from "./capture.js";
export type { Fill, WarpOptions } from "./ops/warp.js";
export { memoryLimit, setMemoryLimit } from "./memory.js";
export { setThreads, threads } from "./threads.js";
export type { Overloaded } from "./overload.js";
export type { FileSource } from "./files.js";
export { FileLock } from "./file-lock.js";
export { randomStream, type RandomStream } from "./random.js";

// Every op as a function. Those that share a name with a layer, loss or optimizer are reached through `ops`.
export * as ops from "./ops/index.js";
export {
  abs, add, argmax, broadcastTo, cast, clip, concat, cos, div, equal, exp, gather, gradients, greater, greaterEqual, log, logSoftmax, matmul,
  max, maximum, mean, minimum, mul, neg, pow, randomNormal, randomUniform, select, sign, sin, slice, sqrt, square, stopGradient, sub, sum, tick, transpose, warp,
} from "./ops/index.js"; // prettier-ignore

export type { BuildContext, CallContext, Json, Layer, Weights } from "./layers/layer.js";
export { layerFromConfig, type LayerConfig, type LayerFactories } from "./layers/registry.js";
export { dense, type DenseOptions } from "./layers/dense.js";
export { batchNorm, type BatchNormOptions } from "./layers/batch-norm.js";
export { dropout, type DropoutOptions } from "./layers/dropout.js";
export { normalization, type NormalizationOptions, type Statistic } from "./layers/normalization.js";
export { flatten, reshape } from "./layers/reshape.js";
export {
  gaussianNoise, randomElastic, randomFlip, randomRotation, randomTranslation, randomZoom, type RandomElasticOptions,
  type RandomFlipOptions, type RandomRotationOptions, type RandomTranslationOptions, type RandomZoomOptions,
} from "./layers/augmentation.js"; // prettier-ignore
export type { ImageOptions, Range } from "./layers/images.js";
export {
  elu, gelu, hardmax, leakyRelu, relu, sigmoid, softmax, softplus, swish, tanh, type ActivationName, type ActivationOptions,
} from "./layers/activations.js"; // prettier-ignore

export type { Loss, LossFunction } from "./losses/loss.js";
export type { LossName, LossOption } from "./losses/registry.js";
export {
  binaryCrossEntropy,
  categoricalCrossEntropy,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  type SmoothedLoss,
  type SmoothingOptions,
} from "./losses/cross-entropy.js";
export {
  halfSquaredError,
  huber,
  meanAbsoluteError,
  meanSquaredError,
  type HuberOptions,
  type OverloadedLoss,
} from "./losses/regression.js";
export type { Metric, MetricContext } from "./metrics/metric.js";
export type { MetricName, MetricOption } from "./metrics/registry.js";
export { accuracy, binaryAccuracy, topK } from "./metrics/accuracy.js";
export {
  classScores, f1, precision, recall, type ClassMetricOptions, type ClassScore, type ClassScores, type ConfusionMatrix,
} from "./metrics/confusion.js"; // prettier-ignore
export { auc, rocAuc, type AucOptions } from "./metrics/ranking.js";

export { Optimizer, type ClippingOptions, type OptimizerOptions, type UpdateRule } from "./optimizers/optimizer.js";
export type { OptimizerName, OptimizerOption } from "./optimizers/registry.js";
export { adam, adamw, type AdamOptions, type AdamwOptions } from "./optimizers/adam.js";
export { adagrad, type AdagradOptions } from "./optimizers/adagrad.js";
export { lion, type LionOptions } from "./optimizers/lion.js";
export { nadam, type NadamOptions } from "./optimizers/nadam.js";
export { momentum, nesterov, type MomentumOptions } from "./optimizers/momentum.js";
export { rmsprop, type RmspropOptions } from "./optimizers/rmsprop.js";
export { sgd } from "./optimizers/sgd.js";
export {
  constant, glorotNormal, glorotUniform, heNormal, heUniform, lecunNormal, lecunUniform, normal, ones, orthogonal, uniform, zeros, type GainOptions,
  type Initializer, type InitializerConfig, type InitializerName, type InitializerOption, type WeightSpec,
} from "./initializers.js"; // prettier-ignore
export {
  cosineDecay, cosineRestarts, exponentialDecay, inverseTimeDecay, oneCycle, piecewiseConstant, rootDecay, warmUp, type CosineOptions,
  type DecayOptions, type LearningRate, type OneCycleOptions, type PerOptions, type Schedule, type WarmUpOptions,
} from "./schedules.js"; // prettier-ignore
export { l1, l2, l1l2, type L1l2Options, type PenaltyForm, type Regularizer } from "./regularizers.js";

export { sequential, Model, type Compiled, type CompileOptions } from "./model.js";
export { Network, type ForwardOptions, type SequentialOptions } from "./network.js";
export { loadModel } from "./train/load.js";
export { earlyStopping, keepBest, terminateOnNaN, type EarlyStoppingOptions } from "./train/early-stopping.js";
export type { BestOptions } from "./train/best.js";
export {
  averageWeights, snapshots, stochasticWeightAverage, type AverageWeightsOptions, type Snapshots, type StochasticWeightAverageOptions,
} from "./train/averaging.js"; // prettier-ignore
export { ensemble, Ensemble } from "./train/ensemble.js";
export { exponentialAverage, ExponentialAverage, type ExponentialAverageOptions } from "./exponential-average.js";
export { checkpoint, type CheckpointOptions } from "./train/checkpoint.js";
export { modelCheckpoint, type ModelCheckpointOptions } from "./train/model-checkpoint.js";
export { csvLog, type CsvLogOptions } from "./train/csv-log.js";
export { learningRateScheduler, reduceOnPlateau, type ReduceOnPlateauOptions } from "./train/learning-rate.js";
export type { Callback, CallbackState, Logs, StateValue, Training } from "./train/callbacks.js";
export type { History } from "./train/fit.js";
export type { FitOptions, NonFinite } from "./train/fit-options.js";
export type { Watched } from "./train/watch.js";
export type { ClassWeight } from "./train/class-weight.js";
export type { Augmentation, AugmentationContext, InputsAndTargets } from "./train/augmentation.js";
export { mixUp } from "./train/mix-up.js";
export type { DataStream, StreamedBatch, StreamedExample, StreamItem, StreamOpener } from "./train/stream.js";
export type { TrainingData } from "./train/source.js";
export type { TrainOnBatchOptions } from "./train/online.js";
export type { EvaluateOptions } from "./train/evaluate.js";
export type { Profile, ProfileOptions, ProfileRow } from "./train/profile.js";
export type { PredictInput, PredictOptions } from "./train/predict.js";

export {
  gradientCheck, type CostGradientCheckOptions, type GradientCheckOptions, type ModelGradientCheckOptions,
} from "./check/gradient-check.js"; // prettier-ignore
export {
  biasVariance,
  BiasVariance,
  type BiasVarianceOptions,
  type BiasVarianceVerdict,
} from "./check/bias-variance.js";
export { diagnose, Diagnosis, type DiagnoseOptions } from "./check/diagnose.js";
export {
  learningCurve,
  LearningCurve,
  type LearningCurveOptions,
  type LearningCurvePoint,
} from "./check/learning-curve.js";
export type { TrainingReading } from "./check/training-curves.js";
export {
  gradientFlow, GradientFlow, type FlowFinding, type FlowOptions, type FlowProblem, type LayerFlow,
} from "./check/gradient-flow.js"; // prettier-ignore
export {
  GradientReport,
  type CheckedElement,
  type CheckedParameter,
  type GradientVerdict,
} from "./check/gradient-report.js";

export { dataset, Dataset, type Rows } from "./data/dataset.js";
export type { Statistics } from "./data/statistics.js";
export type { SplitOptions } from "./data/split.js";
export {
  compareDistributions,
  type CompareOptions,
  type Comparison,
  type DistributionComparison,
} from "./data/compare.js";
export { datasets, type DrawnDigitsOptions, type IdxOptions } from "./data/datasets.js";
export type {
  BlobsOptions, CirclesOptions, GeneratorOptions, LinearOptions, NoiseOptions, SpiralsOptions,
} from "./data/generators.js"; // prettier-ignore

export { tune } from "./tune/tune.js";
export { space, type Axis, type ConfigOf, type Dimension, type Space } from "./tune/space.js";
export type { StrategyName, TuneOptions } from "./tune/options.js";
export type { ModelFitOptions, ModelSearch } from "./tune/model-search.js";
export type { Mode, Objective, Score, Trial, TrialResult, TrialStatus } from "./tune/trial.js";
export { TuneResult } from "./tune/result.js";
