// What the loss of an example counts, by its class, as it is given to fit(). Where it meets the loss is cost.ts.
import { Dataset } from "../data/dataset.js";
import { formatShape, SimdnnError } from "../errors.js";
import { isArray, isObject, nonNegativeInteger, nonNegativeNumber, wrongValue } from "../options.js";

/** What the loss of an example counts, by its class. */
export type ClassWeight = Readonly<Record<number, number>> | readonly number[];

/**
 * "balanced" lets every class count as much as any other: `examples / (classes · examples of the class)`, over the classes that occur.
 *
 * @throws OptionError for what is no class or no weight, and for "balanced" without class numbers to count
 */
export function resolveClassWeight(where: string, given: ClassWeight | "balanced", data: unknown): ClassWeight {
  if (given === "balanced") return balanced(where, data);
  if (!isObject(given) && !isArray(given))
    throw wrongValue(where, "classWeight", 'weights by class such as { 3: 10 }, or "balanced",', given);
  for (const [label, weight] of Object.entries(given)) {
    nonNegativeInteger(where, "classWeight", Number(label));
    nonNegativeNumber(where, "classWeight", weight);
  }
  return given;
}

function balanced(where: string, data: unknown): ClassWeight {
  const kind =
    data instanceof Dataset ? `${data.targets.dtype} ${formatShape(data.targets.shape)}` : "in a stream, not yet seen";
  if (!(data instanceof Dataset) || data.targets.dtype !== "int32" || data.targets.rank !== 1)
    throw new SimdnnError(
      "OptionError",
      `${where}: classWeight "balanced" counts class numbers (int32 [n]) but the targets are ${kind}; give weights by class`,
      { where, option: "classWeight", received: "balanced" },
    );
  const labels = data.targets.read();
  const counts: Record<number, number> = {};
  for (const row of data.rows) counts[labels[row]!] = (counts[labels[row]!] ?? 0) + 1;
  const classes = Object.keys(counts).length;
  return Object.fromEntries(Object.entries(counts).map(([label, count]) => [label, data.size / (classes * count)]));
}
