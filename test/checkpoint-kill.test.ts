// Trainings with checkpoints in processes that are killed at any moment, or get no more room on the disk. SIMDNN_KILLS=200 makes it harder.
import { fileURLToPath } from "node:url";
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "simdnn";
import { readSafetensors } from "#lib/data/safetensors.js";
import { randomStream } from "#lib/random.js";

const script = fileURLToPath(new URL("./lifecycle/checkpointed.mjs", import.meta.url));
const kills = Number(process.env.SIMDNN_KILLS ?? 20);
const patience = Math.max(600_000, 15_000 * kills);
const stepsPerEpoch = 10;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-kill-"));
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...args: string[]): { lines: string[]; status: number | null } => {
  const { stdout, status } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8", timeout: patience });
  return { lines: stdout.trim().split("\n"), status };
};

/** Trains until it is killed, some time after the first epoch that it does. Returns the last epoch it said was done. */
async function killed(dir: string, epochs: number, delay: number): Promise<number> {
  const child = spawn(process.execPath, [script, dir, String(epochs)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (last === 0) void sleep(delay).then(() => child.kill("SIGKILL"));
    last = Number(line);
    expect(line).not.toMatch(/done/);
  }
  await ended;
  return last;
}

/** Whole epochs of the newest checkpoint, which must be loadable. */
async function epochsIn(dir: string): Promise<number> {
  const newest = (await readdir(dir)).filter((name) => name.startsWith("checkpoint-")).sort().at(-1); // prettier-ignore
  if (!newest) return 0;
  await loadModel(join(dir, newest));
  const { tensors } = await readSafetensors(join(dir, newest));
  return Number(tensors.get("training.passes")!.data[0]) / stepsPerEpoch;
}

describe("a training with checkpoints", { timeout: patience }, () => {
  it(`killed ${kills} times at any moment has lost at most one epoch each time, and ends with the bits of one left in peace`, async () => {
    const dir = join(folder, "killed");
    const epochs = 40 * kills;
    const random = randomStream(1); // of delays; when exactly a kill comes is for the machine to say
    for (let kill = 0; kill < kills; kill++) {
      const said = await killed(dir, epochs, 60 * random.uniform());
      const stored = await epochsIn(dir);
      expect(stored).toBeGreaterThanOrEqual(said - 1);
    }
    expect((await readdir(dir)).length).toBeLessThanOrEqual(5); // two checkpoints, one too many, one begun, and the file of the lock
    const { lines } = run(dir, String(epochs));
    expect(lines.at(-1)).toBe(run("none", String(epochs)).lines.at(-1));
    expect((await readdir(dir)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("keeps others out of its directory until it ends, in whatever way", async () => {
    const dir = join(folder, "shared");
    const child = spawn(process.execPath, [script, dir, "1000000"], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const other = spawnSync(process.execPath, [script, dir, "1000000"], { encoding: "utf8", timeout: 60_000 });
    expect(other.stderr).toContain(`[BusyError]: "${dir}" is in use by a training of process ${child.pid}`);
    expect(other.status).toBe(1);
    child.kill("SIGKILL");
    await ended;
    expect(run(dir, String(await epochsIn(dir))).lines.at(-1)).toMatch(/^done/);
  });

  it.runIf(process.platform === "linux")(
    "goes on without room on the disk if it was asked to, and says what is wrong",
    async () => {
      const limited = (dir: string, ...args: string[]): string[] => {
        const command = `ulimit -f 8; exec "$0" "$@"`; // 4096 or 8192 bytes a file: less than a checkpoint takes
        const { stdout, stderr } = spawnSync("sh", ["-c", command, process.execPath, script, dir, "8", ...args], { encoding: "utf8" }); // prettier-ignore
        return `${stdout}${stderr}`.trim().split("\n");
      };
      const dir = join(folder, "full");
      run(dir, "3");
      const before = await readdir(dir);
      const lines = limited(dir, "tell");
      expect(lines.filter((line) => /^FileError EFBIG .*the system lets no file grow that large/.test(line)).length).toBeGreaterThan(4); // prettier-ignore
      expect(lines.at(-1)).toBe(run("none", "8").lines.at(-1));
      expect(limited(dir).join("\n")).toMatch(
        /FileError\]?: .*the system lets no file grow that large; raise its limit/,
      );
      expect(await readdir(dir)).toEqual(before);
      expect(await epochsIn(dir)).toBe(3);
      expect(run(dir, "8").lines.at(-1)).toBe(lines.at(-1));
    },
  );
});
