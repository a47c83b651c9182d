// Every op against the numbers that PyTorch computed (test/golden/README.md), forward and backward, in both precisions.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { allOps, apply, type Attrs } from "#lib/op.js";
import { gradients } from "#lib/ops/index.js";
import { isFloat, Tensor, allocate, type DType } from "#lib/tensor.js";
import { weigh, worstError, type Precision } from "./support.js";

interface Numbers {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: readonly (number | string)[];
  readonly fixed?: boolean;
}
interface Case {
  readonly op: string;
  readonly attrs: Attrs;
  readonly operands: readonly Numbers[];
  readonly outputs: readonly Numbers[];
  readonly after?: readonly (Numbers | null)[];
  readonly outputGradients?: readonly (Numbers | null)[];
  readonly gradients?: readonly (Numbers | null)[];
  readonly scale?: number;
  readonly float32?: boolean;
}

const cases = JSON.parse(readFileSync(new URL("../golden/ops.json", import.meta.url), "utf8")) as Case[];
const records = new Map(allOps().map((op) => [op.name, op]));
const tolerances = { float32: 1e-5, float64: 1e-12 };

function make({ shape, dtype, data, fixed }: Numbers, precision: Precision, requiresGrad = false): Tensor {
  const spec = { shape, dtype: dtype === "float64" && !fixed ? precision : dtype };
  const storage = allocate(spec);
  storage.set(data.map(Number));
  return new Tensor(spec, { storage, requiresGrad: requiresGrad && isFloat(spec.dtype) });
}

function check(golden: Case, precision: Precision): void {
  const op = records.get(golden.op)!;
  const attrs = Object.fromEntries(
    Object.entries(golden.attrs).map(([key, value]) => [
      key,
      key === "dtype" && value === "float64" ? precision : value,
    ]),
  );
  const operands = golden.operands.map((operand, i) => make(operand, precision, Boolean(golden.gradients?.[i])));
  const outputs = apply(op, operands, attrs);
  const compare = (what: string, actual: Tensor | undefined, expected: Numbers): void => {
    expect(actual?.shape, what).toEqual(expected.shape);
    expect(worstError(actual!.data(), expected.data.map(Number), golden.scale), what).toBeLessThanOrEqual(tolerances[precision]); // prettier-ignore
  };
  golden.outputs.forEach((expected, i) => compare(`output ${i}`, outputs[i], expected));
  golden.after?.forEach((expected, i) => expected && compare(`operand ${i} afterwards`, operands[i], expected));
  if (!golden.gradients || !golden.outputGradients) return;
  const reached = outputs.filter((_, i) => golden.outputGradients![i]);
  const loss = weigh(reached, golden.outputGradients.flatMap((given) => (given ? [make(given, precision)] : []))); // prettier-ignore
  const wanted = golden.gradients.flatMap((expected, i) => (expected ? [i] : []));
  const found = gradients(loss, wanted.map((i) => operands[i]!)); // prettier-ignore
  wanted.forEach((operand, i) => compare(`gradient to operand ${operand}`, found[i], golden.gradients![operand]!));
}

test("there are numbers for every op", () => {
  const covered = new Set(cases.map(({ op }) => op));
  expect([...records.keys()].filter((name) => !covered.has(name))).toEqual(["stopGradient"]);
});

describe.each([...new Set(cases.map(({ op }) => op))])("%s", (name) => {
  const own = cases.filter(({ op }) => op === name);
  test("float64 within 1e-12", () => {
    for (const golden of own) check(golden, "float64");
  });
  const single = own.filter(({ float32 }) => float32 !== false);
  if (single.length === 0) return;
  test("float32 within 1e-5", () => {
    for (const golden of single) check(golden, "float32");
  });
});
