// The float32 op tests once more on each instruction set that this machine has, in processes of their own: it is chosen when the addon loads.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { info } from "#lib/native.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const files = ["golden", "values", "capture"].map((name) => `test/ops/${name}.test.ts`);

test.each(info.isas.filter((isa) => isa !== info.isa))("with SIMDNN_ISA=%s", (isa) => {
  const { PATH, SIMDNN_SANITIZED } = process.env;
  const env = { PATH, SIMDNN_SANITIZED, SIMDNN_ISA: isa };
  const args = ["node_modules/vitest/vitest.mjs", "run", "--reporter=json", "--testNamePattern=float32", ...files];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const report = JSON.parse(stdout) as { testResults: { assertionResults: { status: string; fullName: string; failureMessages: string[] }[] }[] }; // prettier-ignore
  const failed = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "failed");
  expect(failed.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]}`), stderr).toEqual([]); // prettier-ignore
  const passed = report.testResults.map(({ assertionResults }) => assertionResults.filter(({ status }) => status === "passed")); // prettier-ignore
  expect(passed.map((tests) => tests.length > 50)).toEqual(files.map(() => true));
});
