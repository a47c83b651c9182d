// What the entries load: the main one nothing that only pictures need.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";

const lib = resolve(import.meta.dirname, "../../lib");

/** The packages that a source file and all it imports import. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  const imports = readFileSync(file, "utf8").matchAll(/^(?:import|export)(?! type)\b[^;]*?from "([^"]+)";/gm);
  for (const [, from] of imports)
    if (!from!.startsWith(".")) packages.add(from!);
    else for (const name of packagesOf(join(dirname(file), from!.replace(/\.js$/, ".ts")), seen)) packages.add(name);
  return packages;
}

test("`simdnn` loads no d3, `simdnn/plot` does", () => {
  const drawing = (entry: string): string[] =>
    [...packagesOf(join(lib, entry))].filter((name) => name.startsWith("d3"));
  expect(drawing("index.ts")).toEqual([]);
  expect(drawing("plot.ts").sort()).toEqual(["d3-contour", "d3-scale", "d3-shape"]);
});
