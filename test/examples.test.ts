// Every script of examples/ runs, against the compiled library, in a folder of its own and for one epoch.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const examples = resolve(import.meta.dirname, "../examples");

const lastLines: Readonly<Record<string, RegExp>> = {
  "custom-layer.mjs": /^in its hole -?\d\.\d+$/m,
  "custom-loop.mjs": /^epoch 1: loss \d\.\d{4}, test accuracy 0\.\d{3}$/m,
  "digits.mjs": /^true {6}(\d ){7}\d$/m,
};

test.each(readdirSync(examples))("%s", (name) => {
  const folder = mkdtempSync(join(tmpdir(), "simdnn example "));
  try {
    const output = execFileSync(process.execPath, [join(examples, name), "1"], { cwd: folder, encoding: "utf8" });
    expect(output).toMatch(lastLines[name]!);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
