// A warning about weights from which training cannot get far: units that are alike get the same gradients and stay alike.
import type { Model } from "../model.js";
import type { Tensor } from "../tensor.js";

/**
 * Warns, once per layer, of units between two dense layers that all have the same weights in front and behind, as after zero initialization. Zeros
 * are fine for biases, and for the weights of a single layer.
 */
export function warnOfSymmetry(model: Model): void {
  const matrices = model.parameters.filter(({ rank }) => rank === 2);
  matrices.slice(1).forEach((behind, i) => {
    const inFront = matrices[i]!;
    const units = inFront.shape[1]!;
    if (units < 2 || behind.shape[0] !== units || !alikeColumns(inFront) || !alikeRows(behind)) return;
    process.emitWarning(
      `the ${units} units of "${inFront.label}" all have the same weights in front and behind, so they will stay alike; ` +
        `use an initializer such as "heNormal" or "glorotUniform"`,
      { type: "SymmetryWarning", code: "SIMDNN_SYMMETRY" },
    );
  });
}

function alikeColumns(matrix: Tensor): boolean {
  const columns = matrix.shape[1]!;
  return matrix.read().every((value, i, values) => value === values[i - (i % columns)]);
}

function alikeRows(matrix: Tensor): boolean {
  const columns = matrix.shape[1]!;
  return matrix.read().every((value, i, values) => value === values[i % columns]);
}
