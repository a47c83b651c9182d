// Loaded before vitest and its test processes by test-sanitize.mjs, so that these end by an exit: leaks are looked for at no other end.
import { ChildProcess } from "node:child_process";
import process, { argv } from "node:process";

const program = argv[1] ?? "";
if (program.endsWith("vitest.mjs")) {
  // vitest ends a test process by SIGTERM, and half a second later by SIGKILL: too soon for the search.
  const { kill } = ChildProcess.prototype;
  ChildProcess.prototype.kill = function (signal) {
    return signal === "SIGKILL" || kill.call(this, signal);
  };
} else if (program.includes("/node_modules/vitest/")) process.on("SIGTERM", () => process.exit());
