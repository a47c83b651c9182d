// Faults: what stopped a program, worded as one of our errors.
import { indexError, nonFiniteError, type SimdnnError } from "./errors.js";
import type { Fault } from "./native.js";
import type { Entry } from "./tape.js";
import type { Tensor } from "./tensor.js";

export function faultError(fault: Fault, entries: readonly Entry[], tensors: readonly Tensor[]): SimdnnError {
  const { op, operands, attrs, scope } = entries[fault.instruction]!;
  const found = tensors[fault.tensor];
  const maker = found && entries.find(({ outputs }) => outputs.includes(found));
  const first = found && (found.name ?? (maker ? `output of ${maker.op.name}, ${found.label}` : found.label));
  if (fault.kind === "nonFinite")
    return nonFiniteError({ what: operands[0]?.name ?? "the cost", value: fault.value, tensor: first });
  if (fault.kind === "unfitUpdate") {
    const parameter = operands[0]!.label;
    const what = fault.operand === 0 ? parameter : `${op.operands[fault.operand]} of ${parameter}`;
    return nonFiniteError({ what, value: fault.value, tensor: first ?? what });
  }
  const { operand = 0, kind = "rows", count } = op.indexes ?? {};
  return indexError({
    where: scope ?? op.name,
    what: operands[operand]?.name ?? op.operands[operand] ?? "indices",
    position: fault.position,
    index: fault.value,
    count: count?.(operands, attrs) ?? 0,
    kind: typeof kind === "string" ? kind : kind(operands),
  });
}
