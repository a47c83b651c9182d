// Checks style and types of everything, or with --fix rewrites what can be: eslint, prettier, clang-format (where installed), tsc.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { exclusively, main, root, runTool, steps } from "./steps.mjs";

const fix = process.argv.includes("--fix");

function clangFormat() {
  const sources = readdirSync(join(root, "native"), { recursive: true })
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => join("native", name));
  const mode = fix ? ["-i"] : ["--dry-run", "--Werror"];
  const { status, error } = spawnSync("clang-format", [...mode, ...sources], { cwd: root, stdio: "inherit" });
  if (error?.code !== "ENOENT") return status ?? 1;
  console.log("clang-format is not installed: native sources were not checked");
  return 0;
}

main(() => {
  exclusively(steps.dependencies);
  const results = [
    runTool("eslint", "bin/eslint.js", ["--max-warnings=0", ...(fix ? ["--fix"] : []), "."]),
    runTool("prettier", "bin/prettier.cjs", [fix ? "--write" : "--check", "--log-level=warn", "."]),
    clangFormat(),
    fix ? 0 : runTool("typescript", "bin/tsc", ["--noEmit"]),
  ];
  return results.every((status) => status === 0) ? 0 : 1;
});
