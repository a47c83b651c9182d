// Builds and runs the native test program: `npm run test:native -- [--sanitize | --sanitize-threads] [--isa NAME] [words for the program]`.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { exclusively, main, nativeTestProgram, steps } from "./steps.mjs";

const { values, positionals } = parseArgs({
  options: { sanitize: { type: "boolean" }, "sanitize-threads": { type: "boolean" }, isa: { type: "string" } },
  allowPositionals: true,
});

main(() => {
  const sanitizers = values["sanitize-threads"] ? ["thread"] : values.sanitize ? ["address", "undefined"] : [];
  const program = exclusively(() => {
    steps.dependencies();
    return nativeTestProgram(sanitizers);
  });
  const env = { ...process.env, ...(values.isa && { SIMDNN_ISA: values.isa }) };
  const { status, signal } = spawnSync(program, positionals, { stdio: "inherit", env });
  if (signal) console.error(`simdnn_test was ended by ${signal}`);
  return status ?? 1;
});
