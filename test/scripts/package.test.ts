// What the published package and the compiled objects hold; nothing about what the library computes.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

describe("the published package", () => {
  const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    shell: process.platform === "win32",
  });
  const [pack] = JSON.parse(output) as [{ files: { path: string }[] }];
  const files = pack.files.map(({ path }) => path);
  const below = (folder: string) => files.filter((path) => path.startsWith(`${folder}/`));

  it("holds all that an installer needs to build the addon", () => {
    const native = readdirSync(join(root, "native"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(root.length + 1)
          .replaceAll("\\", "/"),
      );
    const wanted = native.filter((path) => !path.startsWith("native/test/"));
    expect(below("native").sort()).toEqual(wanted.sort());
    expect(below("scripts").sort()).toEqual(["scripts/install.mjs", "scripts/steps.mjs"]);
    expect(files).toEqual(
      expect.arrayContaining(["CMakeLists.txt", "binding.cjs", "dist/index.js", "dist/index.d.ts"]),
    );
  });

  it("holds nothing else", () => {
    const known = /^(dist|native|prebuilds|scripts)\//;
    const others = files.filter((path) => !known.test(path) && !/^(README|LICENSE|CHANGELOG)/.test(path));
    expect(others.sort()).toEqual(["CMakeLists.txt", "binding.cjs", "package.json"]);
  });

  it("points only at files that are there", () => {
    const { exports, bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      exports: Record<string, Record<string, string>>;
      bin: Record<string, string>;
    };
    const targets = [...Object.values(exports).flatMap((entry) => Object.values(entry)), ...Object.values(bin)];
    expect(files).toEqual(expect.arrayContaining(targets.map((target) => target.replace("./", ""))));
  });
});

it("has types that compile under strict on their own", () => {
  const options = [
    "--noEmit",
    "--strict",
    "--exactOptionalPropertyTypes",
    "--target",
    "es2022",
    "--module",
    "nodenext",
  ];
  const args = ["node_modules/typescript/bin/tsc", ...options, "--types", "node", "--ignoreConfig", "dist/index.d.ts", "dist/kernels.d.ts", "dist/plot.d.ts"]; // prettier-ignore
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(stdout).toBe("");
});

it("resolves the way package.json says, by publint's rules", async () => {
  const { messages, pkg } = await publint({ pkgDir: root, pack: false });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

it("locks dependencies to the public registry", () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { resolved?: string }>;
  };
  const elsewhere = Object.values(packages).filter(
    ({ resolved }) => resolved !== undefined && !resolved.startsWith("https://registry.npmjs.org/"),
  );
  expect(elsewhere).toEqual([]);
});

// A weak symbol is one the linker may take from any object: the AVX-512 copy of a shared inline function would end an
// older processor's process with SIGILL.
const isas = { x64: ["avx2", "avx512", "amx"], arm64: ["neon"] }[process.arch as string] ?? [];
const nm = spawnSync("nm", ["--version"], { encoding: "utf8" });
describe.skipIf(process.platform !== "linux" || nm.status !== 0)(
  "objects compiled per instruction set (needs nm on Linux)",
  () => {
    it.each(isas)("%s: no weak symbol", (isa) => {
      const sources = readdirSync(join(root, "native/simd")).filter((name) => name.endsWith(".cc"));
      expect(sources.length).toBeGreaterThan(0);
      const objects = sources.map((name) => join(root, `build/CMakeFiles/simdnn_${isa}.dir/native/simd/${name}.o`));
      expect(objects.filter((object) => !existsSync(object))).toEqual([]);
      const symbols = execFileSync("nm", ["--defined-only", "--demangle", ...objects], { encoding: "utf8" });
      expect(symbols).toMatch(/ T /);
      expect(symbols.split("\n").filter((line) => / [WVuwv] /.test(line))).toEqual([]);
    });
  },
);
