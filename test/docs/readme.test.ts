// The TypeScript in README.md, CONTRIBUTING.md and docs/: every block compiles under strict and runs as it stands.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { blocksIn, compileErrors, root, runSnippet } from "./snippets.js";

const texts = ["README.md", ...readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)]; // prettier-ignore
const blocks = texts.flatMap((text) => blocksIn(join(root, text), "ts").map((code, i) => ({ name: `${text} ${i + 1}`, code }))); // prettier-ignore

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "simdnn readme "));
  process.chdir(folder);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});

afterAll(() => {
  process.chdir(root);
  rmSync(folder, { recursive: true });
});

test("blocks compile under strict", () => {
  expect(compileErrors(Object.fromEntries(blocks.map(({ name, code }) => [name, code])))).toEqual([]);
});

describe("blocks run", () => {
  test.each(blocks)("$name", async ({ code }) => {
    await runSnippet(code);
  });
});
