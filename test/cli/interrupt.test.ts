// Ctrl-C twice while work does not end: the second one ends the process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";

const script = `
  import { interruptSignal } from ${JSON.stringify(new URL("../../dist/cli/interrupt.js", import.meta.url).href)};
  setInterval(() => {}, 1000);
  interruptSignal().addEventListener("abort", () => console.log("stopping"));
  console.log("working");`;

test("the second interrupt ends the process; the same one twice does not", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = async (): Promise<string> => String(((await once(child.stdout, "data")) as [Buffer])[0]);
  expect(await said()).toBe("working\n");
  child.kill("SIGINT");
  expect(await said()).toBe("stopping\n");
  const ended = once(child, "exit");
  await setTimeout(300); // longer than a key press that npx reports twice
  expect(child.exitCode).toBeNull();
  child.kill("SIGINT");
  expect(await ended).toEqual([130, null]);
});
