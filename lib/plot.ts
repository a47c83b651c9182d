// The entry `simdnn/plot`: pictures of trainings, models and searches. Apart from the main entry, which so loads none of what only pictures need.
export { learningCurves, learningRate, type LearningCurvesOptions } from "./plot/learning-curves.js";
export { learningCurve, type ErrorsBySize } from "./plot/learning-curve.js";
export { activationNorms, gradientNorms } from "./plot/gradient-norms.js";
export { confusionMatrix, type ConfusionMatrixOptions } from "./plot/confusion-matrix.js";
export { decisionBoundary, type Classifier, type DecisionBoundaryOptions } from "./plot/decision-boundary.js";
export { search } from "./plot/search.js";
export type { SearchInput, SearchOptions, SearchTrial } from "./plot/trials.js";
export type { ScaleKind } from "./plot/scale.js";
export type { CurveOptions, Curves, CurvesInput } from "./plot/curves.js";
export type { Plot } from "./plot/plot.js";
