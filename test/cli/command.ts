// Runs the built `simdnn` command as a person would: in a process of its own. Not a test.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder for one test file, removed afterwards; commands run in it. */
export const folder = await mkdtemp(join(tmpdir(), "simdnn-cli-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs `simdnn line`, and interrupts it once as soon as `interruptAt` matches what it has written. */
export function simdnn(line: string, interruptAt?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...line.split(" ")], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  let interrupted = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (!interrupted && interruptAt?.test(stdout)) interrupted = child.kill("SIGINT");
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
