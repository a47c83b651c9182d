// The table of records against the native table, and each record against itself.
import { describe, expect, test } from "vitest";
import { info, opcodes } from "#lib/native.js";
import { allOps } from "#lib/op.js";
import { describeSample, draw } from "./support.js";
import "#lib/ops/index.js";

const kernels = allOps().filter((op) => !op.alias);

test("records and kernels name the same ops", () => {
  expect(kernels.map(({ name }) => name).sort()).toEqual([...opcodes.keys()].sort());
});

describe.each(kernels.map((op) => [op.name, op] as const))("%s", (name, op) => {
  const native = info.ops[opcodes.get(name)!]!;

  test("names as many operands as the kernel takes", () => {
    expect(op.operands.length).toBe(op.operands.at(-1)?.startsWith("...") ? op.operands.length : native.maxOperands);
  });

  test("samples use every number of operands and every word of an attribute", () => {
    const samples = op.samples();
    const counts = samples.map(({ operands }) => operands.length);
    expect(Math.min(...counts)).toBe(native.minOperands);
    if (!op.operands.at(-1)?.startsWith("...")) expect(Math.max(...counts)).toBe(native.maxOperands);
    for (const [key, type] of Object.entries(op.attrs)) {
      const used = new Set(samples.map(({ attrs }) => attrs[key]));
      if (type === "boolean") expect(used, key).toEqual(new Set([false, true]));
      for (const value of used) if (typeof type === "object") expect(type, key).toContain(value);
    }
  });

  test("its shape rule gives as many outputs as the kernel has", () => {
    for (const sample of op.samples())
      expect(op.shape(draw(sample), sample.attrs).length, describeSample(sample)).toBe(native.outputs);
  });

  test("what it lists by number exists, and takes over memory only of one size", () => {
    const operands = [...(op.inPlace ?? []), ...(op.effects ?? []), ...(op.indexes ? [op.indexes.operand] : [])];
    for (const operand of operands) expect(op.operands[operand]).toBeDefined();
    for (const output of op.saved ?? []) expect(output).toBeLessThan(native.outputs);
    for (const operand of op.effects ?? []) expect(op.inPlace ?? []).not.toContain(operand);
  });
});
