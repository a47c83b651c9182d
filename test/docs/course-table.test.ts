// docs/course.md: whether every name in it is exported, every option declared, and every link leads somewhere.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import * as simdnn from "simdnn";
import * as plot from "simdnn/plot";
import { root } from "./snippets.js";

interface Row {
  readonly name: string;
  /** Code in the column of the API. */
  readonly api: readonly string[];
  readonly formulas: readonly string[];
  readonly tests: readonly string[];
}

const linksIn = (cell: string): string[] => [...cell.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!);

const rows: readonly Row[] = readFileSync(join(root, "docs/course.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (row|-)/.test(line))
  .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
  .map(([name, api, formulas, tests]) => ({
    name: name!,
    api: [...api!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!),
    formulas: linksIn(formulas!),
    tests: linksIn(tests!),
  })); // prettier-ignore

const owners: Readonly<Record<string, object>> = {
  model: simdnn.Model.prototype,
  data: simdnn.Dataset.prototype,
  optimizer: simdnn.Optimizer.prototype,
  plot,
  space: simdnn.space,
};

const sources = readdirSync(join(root, "lib"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join(root, "lib", name), "utf8"));

/** Whether there is what `code` names: `adam`, `model.fit`, `plot.search`, or `fit({ watch })` for a function's option. */
function exists(code: string): boolean {
  const [, path, option] = /^([\w.]+)(?:\(\{ (\w+) \}\))?$/.exec(code)!;
  const [first, second] = path!.split(".") as [string, string?];
  const called = second === undefined ? first in simdnn || first in owners.model! : second in owners[first]!;
  return (
    called && (option === undefined || sources.some((source) => new RegExp(`readonly ${option}\\??:`).test(source)))
  );
}

/** GitHub's name for a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");

function leads(link: string): boolean {
  const [path, fragment] = link.split("#") as [string, string?];
  const file = resolve(root, "docs", path);
  if (!existsSync(file)) return false;
  const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading!));
  return fragment === undefined || headings.includes(fragment);
}

test("has the 24 rows", () => {
  expect(rows).toHaveLength(24);
});

describe.each(rows)("$name", ({ api, formulas, tests }) => {
  test("names what there is", () => {
    expect(api.length).toBeGreaterThan(0);
    expect(api.filter((code) => !exists(code))).toEqual([]);
  });

  test("links lead somewhere", () => {
    expect(formulas.length).toBeGreaterThan(0);
    expect(tests.some((link) => link.startsWith("../test/") || link.startsWith("../examples/"))).toBe(true);
    expect([...formulas, ...tests].filter((link) => !leads(link))).toEqual([]);
  });
});

test("README.md links the table", () => {
  expect(readFileSync(join(root, "README.md"), "utf8")).toContain("(docs/course.md)");
});
