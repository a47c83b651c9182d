// Fits targets to outputs before a loss compares them, and its values to examples afterwards. No loss in particular.
import { dtypeError, shapeError, type OperandNote } from "../errors.js";
import { cast } from "../ops/cast.js";
import { classTable, gather } from "../ops/gather.js";
import { argmax, mean } from "../ops/reduce.js";
import { reshape } from "../ops/view.js";
import { withScope } from "../tape.js";
import { checkTensor, isFloat, tensor, type DType, type Tensor } from "../tensor.js";

/** Targets in the shape and dtype of the outputs. `[m]` and `[m, 1]` count as the same. */
export function matchTargets(
  where: string,
  outputs: Tensor,
  targets: Tensor,
  convert: (targets: Tensor, dtype: DType) => Tensor = cast,
): Tensor {
  checkTensors(where, outputs, targets);
  const bare = (shape: readonly number[]): string =>
    (shape.length > 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape).join();
  if (bare(outputs.shape) !== bare(targets.shape)) {
    const classes = targets.rank === outputs.rank - 1 && !isFloat(targets.dtype);
    const remedy = classes
      ? "class numbers need a loss such as softmaxCrossEntropy"
      : "give the last layer one unit per target value";
    throw shapeError(where, `targets must have the shape of the outputs; ${remedy}`, notes(outputs, targets));
  }
  const converted = targets.dtype === outputs.dtype ? targets : convert(targets, outputs.dtype);
  return outputs.rank === converted.rank ? converted : reshape(converted, outputs.shape);
}

function checkTensors(where: string, outputs: Tensor, targets: Tensor): void {
  checkTensor(where, "outputs", outputs);
  checkTensor(where, "targets", targets);
}

/** As matchTargets(), for targets that are probabilities: integers are class numbers of two classes, and must be 0 or 1. */
export function matchProbabilities(where: string, outputs: Tensor, targets: Tensor): Tensor {
  checkTensors(where, outputs, targets);
  const known = (labels: Tensor, dtype: DType): Tensor => reshape(knownClasses(where, labels, 2, dtype), labels.shape);
  return matchTargets(where, outputs, targets, isFloat(targets.dtype) ? cast : known);
}

/** Labels `[m]` as they are; one that is no class is an IndexError. */
function knownClasses(where: string, labels: Tensor, classes: number, dtype: DType): Tensor {
  return byClass(
    where,
    Array.from({ length: classes }, (_, k) => k),
    labels,
    dtype,
  );
}

/**
 * What stands in a table with as many values for each class, for each of the labels: `[m]`, or `[m, values per class]`.
 * A label out of range is an IndexError of `where`.
 */
export function byClass(where: string, table: readonly number[] | Float32Array, labels: Tensor, dtype: DType, perClass?: number): Tensor {
  const rows = perClass === undefined ? table.length : table.length / perClass;
  const shape = perClass === undefined ? [rows] : [rows, perClass];
  const numbers = reshape(labels.dtype === "int32" ? labels : cast(labels, "int32"), [labels.size]);
  numbers.name = labels.size === labels.shape[0] ? (labels.name ?? "targets") : "values of targets";
  return withScope(where, () => gather(tensor(table, { shape, dtype, name: classTable }), numbers));
} // prettier-ignore

/** Class targets in one of two forms: int32 `[m]`, or in the outputs' dtype `[m, classes]`. */
export function matchClasses(where: string, outputs: Tensor, targets: Tensor): Tensor {
  checkTensors(where, outputs, targets);
  if (outputs.rank !== 2) throw shapeError(where, "expected outputs of [batch, classes]", notes(outputs, targets));
  const [batch, classes] = outputs.shape as [number, number];
  if (classes === 1) {
    const remedy = "use sigmoidCrossEntropy (binaryCrossEntropy for probabilities), or a unit for each class";
    throw shapeError(where, `a single class has all the probability; ${remedy}`, notes(outputs, targets));
  }
  const sameBatch = targets.shape[0] === batch;
  if (sameBatch && targets.rank === 2 && targets.shape[1] === classes) return matchTargets(where, outputs, targets);
  if (!sameBatch || !(targets.rank === 1 || (targets.rank === 2 && targets.shape[1] === 1)))
    throw shapeError(
      where,
      `targets must be class numbers [batch] or probabilities [batch, classes]`,
      notes(outputs, targets),
    );
  if (isFloat(targets.dtype))
    throw dtypeError(
      where,
      `class numbers must be integers; make them with tensor(labels, { dtype: "int32" })`,
      notes(outputs, targets),
    );
  const labels = targets.rank === 1 ? targets : reshape(targets, [batch]);
  const numbers = labels.dtype === "int32" ? labels : cast(labels, "int32");
  if (numbers !== targets) numbers.name = targets.name;
  return numbers;
}

/** Targets as class numbers, int32 `[m]`; one out of range is an IndexError. One output is two classes, 0 and 1. */
export function classNumbers(where: string, outputs: Tensor, targets: Tensor): Tensor {
  const oneOutput = outputs.size === outputs.shape[0];
  if (oneOutput) matchTargets(where, outputs, targets); // for its checks
  const matched = oneOutput ? targets : matchClasses(where, outputs, targets);
  if (!oneOutput && matched.rank === 2) return argmax(matched, { axis: 1 });
  return knownClasses(where, matched, classCount(outputs), "int32");
}

/** How many classes outputs `[m, classes]` tell apart; one output is two classes. */
export function classCount(outputs: Tensor): number {
  return outputs.rank === 2 && outputs.shape[1]! > 1 ? outputs.shape[1]! : 2;
}

/** Rows that are 1 at the label and 0 elsewhere; a label out of range is an IndexError of `where`. */
export function oneHot(where: string, labels: Tensor, classes: number, dtype: DType): Tensor {
  const identity = new Float32Array(classes * classes);
  for (let i = 0; i < classes; i++) identity[i * (classes + 1)] = 1;
  return byClass(where, identity, labels, dtype, classes);
}

/** One value per example: the mean over all axes but the first. */
export function perExample(values: Tensor): Tensor {
  return values.rank <= 1 ? values : mean(values, { axes: values.shape.slice(1).map((_, i) => i + 1) });
}

function notes(outputs: Tensor, targets: Tensor): OperandNote[] {
  return Object.entries({ outputs, targets }).map(([label, { shape, dtype, name }]) => ({ label, shape, dtype, name }));
}
