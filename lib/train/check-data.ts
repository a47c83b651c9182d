// Checks that a dataset fits a model.
import { Dataset } from "../data/dataset.js";
import { formatShape, shapeError } from "../errors.js";
import type { Model } from "../model.js";
import { sameShape } from "../ops/shapes.js";
import { wrongValue } from "../options.js";

export function checkData(where: string, model: Model, data: Dataset, option = "data"): void {
  if (!(data instanceof Dataset))
    throw wrongValue(where, option, "a Dataset; make one with dataset(inputs, targets)", data);
  if (data.size === 0) throw wrongValue(where, option, "at least one example", data.size);
  if (!sameShape(data.inputShape, model.inputShape))
    throw shapeError(
      where,
      `the examples have shape ${formatShape(data.inputShape)}, but ${model.name} takes ${formatShape(model.inputShape)}`,
      [{ label: "inputs", shape: data.inputs.shape, name: data.inputs.name }],
    );
}
