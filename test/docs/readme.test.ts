// The TypeScript in README.md and docs/: every block compiles under strict and runs as it stands; the map in CONTRIBUTING.md is whole.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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

test("CONTRIBUTING.md has every folder of lib/ and native/ on its map", () => {
  const map = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
  const folders = ["lib", "native"].flatMap((room) =>
    readdirSync(join(root, room), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `\`${room}/${name}/\``),
  );
  expect(folders.filter((folder) => !map.includes(folder))).toEqual([]);
});

describe("blocks run", () => {
  test.each(blocks)("$name", async ({ code }) => {
    await runSnippet(code);
  });
});
