// What a peer is told of a case, and the files it reads: the same data and initial weights for everyone.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { task, type Predictions } from "../infer.js";
import { dataOf, modelOf, type Network } from "../networks.js";
import type { Shape } from "../shapes.js";
import { classifier } from "./onnx.js";
import { work } from "./places.js";

/** A network and the folder of its files, raw little-endian arrays: weight1…, inputs and labels or images and expected. */
export interface Brief extends Network {
  readonly directory: string;
}

/** Writes the files of a case and returns what is sent. */
export function brief(one: Shape | Network | Predictions): Shape | Brief {
  if ("form" in one) return one;
  const directory = join(work, "data", one.name);
  mkdirSync(directory, { recursive: true });
  const write = (name: string, values: NodeJS.ArrayBufferView): void => writeFileSync(join(directory, name), values);

  const model = modelOf(one);
  const weights = model.getWeights();
  const dense = one.widths.slice(1).map((_, i) => Float32Array.from(weights.get(`dense${i + 1}.weight`)!));
  for (const [i, values] of dense.entries()) write(`weight${i + 1}`, values);
  if ("images" in one) {
    const { images, expected } = task(one, model);
    write("images", images);
    write("expected", Float32Array.from(expected));
    write("model.onnx", classifier(one.widths, dense));
  } else {
    const { inputs, targets } = dataOf(one);
    write("inputs", inputs.data());
    write("labels", targets.data());
  }
  return { normalized: false, ...one, directory };
}
