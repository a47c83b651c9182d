// Runs the tests with sanitizers in the native code: the native program with address + undefined and with thread, then the tests of the
// library on an addon built with address + undefined, leaks included. Linux. Arguments go to vitest: `npm run test:sanitize -- test/ops`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exclusively, main, root, sanitizedStep, SetupError, steps } from "./steps.mjs";

const sanitizers = ["address", "undefined"];

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

/** What the addon allocated, itself or through the standard library, and nothing points to any more. Node's own leaks don't count. */
function leaks(report) {
  return report.split("\n\n").filter((block) => {
    if (!/^(Direct|Indirect) leak/m.test(block)) return false;
    const frames = [...block.matchAll(/^\s+#\d+ \S+ in (.*)$/gm)].map(([, frame]) => frame);
    return /\bnative\/|\bnapi-inl\.h/.test(
      frames.find((frame) => !/libsanitizer|libasan|libstdc\+\+|\/c\+\+\//.test(frame)) ?? "",
    );
  });
}

// Set-up and packaging: compilers and npm run there instead of the addon.
const leftOut = ["--exclude", "test/scripts/**"];
const patience = ["--testTimeout=600000", "--hookTimeout=600000"];

/** Runs vitest with the sanitized addon of `folder` in its test processes and theirs; returns its status and what the sanitizers found. */
function vitest(folder, args, nodeOptions = "") {
  const logs = mkdtempSync(join(tmpdir(), "simdnn-sanitize-"));
  const log = `log_path=${join(logs, "log")}`;
  const inTests = {
    SIMDNN_PREBUILD: folder,
    LD_PRELOAD: preloaded(),
    NODE_OPTIONS: nodeOptions,
    // So little of what is freed is held back that tests which measure memory pass. Ten frames tell whose a leak is. What is too much
    // for the system is refused, as without the sanitizer.
    ASAN_OPTIONS: `detect_leaks=1:quarantine_size_mb=16:malloc_context_size=10:handle_abort=1:allocator_may_return_null=1:${log}`,
    LSAN_OPTIONS: "exitcode=0",
    // Beside the address sanitizer this one does not write to the log; its abort gets there.
    UBSAN_OPTIONS: `print_stacktrace=1:abort_on_error=1:${log}`,
  };
  try {
    const { status } = spawnSync(
      process.execPath,
      [join(root, "node_modules/vitest/vitest.mjs"), "run", ...leftOut, ...patience, ...args],
      { cwd: root, stdio: "inherit", env: { ...process.env, SIMDNN_SANITIZED: JSON.stringify(inTests) } },
    );
    const reports = readdirSync(logs).map((name) => readFileSync(join(logs, name), "utf8"));
    const errors = reports.filter((report) => /ERROR: AddressSanitizer|LeakSanitizer has/.test(report));
    return { status: status ?? 1, faults: [...errors, ...reports.flatMap(leaks)] };
  } finally {
    rmSync(logs, { recursive: true });
  }
}

/** Whether a leak is found at all: there is one in each process here. */
function findsLeaks(folder) {
  const leak = join(folder, "build/leak/leak.node");
  const { faults } = vitest(folder, ["test/errors.test.ts"], `--require=${JSON.stringify(leak)}`);
  const found = faults.some((fault) => fault.includes("native/test/leak/"));
  console.log(found ? "the planted leak was found" : "a leak that was planted was not found: this machine cannot tell");
  return found;
}

function libraryTests(folder) {
  const { status, faults } = vitest(folder, process.argv.slice(2));
  for (const fault of faults) console.log(fault);
  console.log(`sanitizers found ${faults.length} faults`);
  return faults.length === 0 ? status : 1;
}

main(() => {
  if (process.platform !== "linux") throw new SetupError("the sanitized addon can be loaded on Linux only");
  const folder = exclusively(() => {
    steps.dependencies();
    steps.library();
    sanitizedStep("leak", "../leak/leak.node", "an addon that leaks", sanitizers);
    return sanitizedStep("simdnn", "simdnn.node", "the native addon", sanitizers);
  });
  const native = ["--sanitize", "--sanitize-threads"].map(nativeTests);
  const results = [...native, findsLeaks(folder) ? libraryTests(folder) : 1];
  return results.every((status) => status === 0) ? 0 : 1;
});
