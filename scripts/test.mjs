// Runs every test: sets up, then the native test program, then vitest, and sums them in the last line.
// Arguments go to vitest: `npm test -- test/tape.test.ts`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exclusively, main, root, runTool, steps } from "./steps.mjs";

// Both runners count; one that ends in any other way than it should is one more failure.
function nativeTests() {
  const { stdout, status } = spawnSync(process.execPath, [join(root, "scripts/test-native.mjs")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 28,
  });
  process.stdout.write(stdout);
  const [passed, failed] = (/^(\d+) passed, (\d+) failed$/m.exec(stdout)?.slice(1) ?? [0, 0]).map(Number);
  const ended = status === 0 && passed > 0;
  return { passed, failed: ended || failed > 0 ? failed : 1 };
}

function libraryTests() {
  const folder = mkdtempSync(join(tmpdir(), "simdnn-test-"));
  try {
    const file = join(folder, "report.json");
    const status = runTool("vitest", "vitest.mjs", [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
      ...process.argv.slice(2),
    ]);
    const report = readReport(file);
    return { passed: report.numPassedTests, failed: status === 0 ? 0 : Math.max(1, report.numFailedTests) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 1 };
  }
}

main(() => {
  exclusively(() => {
    for (const name of ["dependencies", "addon", "library"]) steps[name]();
  });
  const results = [nativeTests(), libraryTests()];
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
  return sum("failed") === 0 ? 0 : 1;
});
