// docs/ops.md, which is made of the records: whether it says what they say. `npx vitest run test/docs/ops-table.test.ts -u` writes it anew.
import { format } from "prettier";
import { expect, test } from "vitest";
import { allOps, type AttrType, type Op } from "#lib/op.js";
import "#lib/ops/index.js";
import { root } from "./snippets.js";

const words = (list: readonly string[]): string => (list.length === 0 ? "–" : list.join(", "));

function attribute([name, type]: [string, AttrType]): string {
  return typeof type === "string" ? `${name}: ${type}` : `${name}: ${type.join(" \\| ")}`;
}

function gradient({ vjp }: Op): string {
  return typeof vjp === "function" ? "yes" : vjp === "none" ? "none flows" : "missing";
}

function row(op: Op): string {
  const named = (indices: readonly number[] = []): string => words(indices.map((i) => op.operands[i]!));
  const attrs = words(Object.entries(op.attrs).map(attribute));
  return `| ${[`\`${op.name}\``, words(op.operands), attrs, gradient(op), op.alias ? "is a view" : named(op.inPlace), named(op.effects)].join(" | ")} |`;
}

function table(ops: readonly Op[]): string {
  return `# Ops

Every operation there is, as its record says. Those whose name ends in \`Grad\` are the gradients of others. What an op computes, with shapes, errors and an
example, is in the API reference (\`npm run docs\`) under \`ops\`.

- **gradient**: \`none flows\` through ops whose output does not vary smoothly; \`missing\` where nobody has written the derivative of a derivative.
- **in place**: operands whose memory the output may take over when nothing else needs them.
- **writes to**: operands that the op changes.

| op | operands | attributes | gradient | in place | writes to |
| --- | --- | --- | --- | --- | --- |
${ops.map(row).join("\n")}
`;
}

test("docs/ops.md is what the records say", async () => {
  const text = await format(table(allOps().toSorted((a, b) => a.name.localeCompare(b.name))), {
    parser: "markdown",
    printWidth: 120,
  });
  await expect(text).toMatchFileSnapshot(`${root}/docs/ops.md`);
});
