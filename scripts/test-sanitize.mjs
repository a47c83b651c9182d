// Runs the tests with sanitizers in the native code: the native program with address + undefined and with thread, then the tests of the
// library on an addon built with address + undefined, leaks included. Linux. Arguments go to vitest: `npm run test:sanitize -- test/ops`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exclusively, main, nativeStep, root, SetupError, steps } from "./steps.mjs";

const folder = "build/sanitize-addon";

function buildAddon() {
  // node-gyp-build looks for build/Release below the folder that it is given.
  nativeStep({
    target: "simdnn",
    output: "simdnn.node",
    title: "building the native addon with address and undefined sanitizer",
    directory: `${folder}/build`,
    options: ["-DSIMDNN_SANITIZE=address;undefined"],
  });
}

function nativeTests(option) {
  return spawnSync(process.execPath, [join(root, "scripts/test-native.mjs"), option], { stdio: "inherit" }).status ?? 1;
}

// The compiler's own files: node is not built with the sanitizer, so that it has to be there before node starts.
function preloaded() {
  const find = (name) =>
    spawnSync(process.env.CXX ?? "c++", [`-print-file-name=${name}`], { encoding: "utf8" }).stdout?.trim();
  const files = ["libasan.so", "libstdc++.so.6"].map(find);
  if (files.some((file) => !file?.includes("/"))) throw new SetupError("the sanitized addon needs gcc's libasan");
  return files.join(":");
}

/**
 * What the addon allocated and nothing points to any more. Node's own leaks at exit don't count, nor do the few bytes by which Node
 * remembers a finalizer (napi-inl.h) that it did not come to run before the exit.
 */
function leaks(report) {
  return report.split("\n\n").filter((block) => {
    if (!/^Direct leak/m.test(block)) return false;
    const frames = [...block.matchAll(/^\s+#\d+ \S+ in (.*)$/gm)].map(([, frame]) => frame);
    return /\bnative\//.test(frames.find((frame) => !/libsanitizer|libasan/.test(frame)) ?? "");
  });
}

function libraryTests() {
  const logs = mkdtempSync(join(tmpdir(), "simdnn-sanitize-"));
  try {
    const { status } = spawnSync(
      process.execPath,
      [join(root, "node_modules/vitest/vitest.mjs"), "run", "--exclude", "test/scripts/**", ...process.argv.slice(2)],
      {
        cwd: root,
        stdio: "inherit",
        env: {
          ...process.env,
          SIMDNN_PREBUILD: join(root, folder),
          LD_PRELOAD: preloaded(),
          ASAN_OPTIONS: `detect_leaks=1:log_path=${join(logs, "log")}`,
          LSAN_OPTIONS: "exitcode=0",
          UBSAN_OPTIONS: `print_stacktrace=1:log_path=${join(logs, "log")}`,
        },
      },
    );
    const reports = readdirSync(logs).map((name) => readFileSync(join(logs, name), "utf8"));
    const found = [
      ...reports.filter((report) => /ERROR: AddressSanitizer|runtime error/.test(report)),
      ...reports.flatMap(leaks),
    ];
    for (const text of found) console.log(text);
    console.log(`sanitizers found ${found.length} faults in ${reports.length} reports`);
    return status === 0 && found.length === 0 ? 0 : 1;
  } finally {
    rmSync(logs, { recursive: true });
  }
}

main(() => {
  if (process.platform !== "linux") throw new SetupError("the sanitized addon can be loaded on Linux only");
  exclusively(() => {
    steps.dependencies();
    steps.library();
    buildAddon();
  });
  const results = [nativeTests("--sanitize"), nativeTests("--sanitize-threads"), libraryTests()];
  return results.every((status) => status === 0) ? 0 : 1;
});
