// Locks of files: one holder at a time among tasks, workers and processes, and none left behind by any end.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FileLock } from "simdnn";
import { root } from "./docs/snippets.js";
import { failure } from "./failure.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-lock-"));
});
afterAll(() => rm(folder, { recursive: true }));

const busy = (holder: string): Error => new Error(`held by ${holder}`);
const imports = `import { FileLock } from ${JSON.stringify(pathToFileURL(join(root, "dist/file-lock.js")).href)};`;

test("one holder at a time in a process; the file goes with the lock", async () => {
  const path = join(folder, "new", "a.lock");
  const lock = await FileLock.take(path, busy);
  await expect(FileLock.take(path, busy)).rejects.toThrow("held by this process");
  await lock.release();
  await expect(access(path)).rejects.toThrow("ENOENT");
  await (await FileLock.take(path, busy)).release();
});

test("what the system says is told when there can be no such file", async () => {
  await expect(FileLock.take(folder, busy)).rejects.toThrow(
    failure("FileError", /it is a directory; name a file in it/),
  );
  for (const wrong of ["", 5, null]) await expect(FileLock.take(wrong as string)).rejects.toThrow(failure("OptionError", /a path for path/)); // prettier-ignore
});

test("a lock that is held is a BusyError if no other is asked for", async () => {
  const path = join(folder, "e.lock");
  const lock = await FileLock.take(path);
  await expect(FileLock.take(path)).rejects.toThrow(
    failure("BusyError", `"${path}" is in use by this process; wait until that has ended`),
  );
  await lock.release();
});

/** A process that holds the lock `path`, from when this resolves. */
async function holder(path: string): Promise<ChildProcess> {
  const script = join(folder, "hold.mjs");
  await writeFile(script, `${imports} await FileLock.take(process.argv[2], () => new Error("busy")); console.log("held"); setInterval(() => {}, 1e6);`); // prettier-ignore
  const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

test("another process is named; when it is killed its lock is free at once", async () => {
  const path = join(folder, "b.lock");
  const child = await holder(path);
  await expect(FileLock.take(path, busy)).rejects.toThrow(`held by process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  await access(path); // a crash leaves the file
  await (await FileLock.take(path, busy)).release();
});

test("a worker's lock is free when it has been terminated", async () => {
  const path = join(folder, "c.lock");
  const script = join(folder, "worker.mjs");
  await writeFile(script, `${imports} import { parentPort, workerData } from "node:worker_threads"; await FileLock.take(workerData, () => new Error("busy")); parentPort.postMessage("held"); setInterval(() => {}, 1e6);`); // prettier-ignore
  const worker = new Worker(script, { workerData: path });
  await once(worker, "message");
  await expect(FileLock.take(path, busy)).rejects.toThrow("held by this process");
  await worker.terminate();
  await (await FileLock.take(path, busy)).release();
});

test("processes that take and release it in turns are never inside together", async () => {
  const path = join(folder, "d.lock");
  const script = join(folder, "turns.mjs");
  const inside = join(folder, "inside");
  await writeFile(
    script,
    `${imports} import { closeSync, openSync, rmSync } from "node:fs";
     let turns = 0;
     while (turns < 100) {
       const lock = await FileLock.take(process.argv[2], () => new Error("busy")).catch((error) => { if (error.message !== "busy") throw error; });
       if (!lock) continue;
       closeSync(openSync(${JSON.stringify(inside)}, "wx")); // fails where another is inside
       await new Promise(setImmediate);
       rmSync(${JSON.stringify(inside)});
       await lock.release();
       turns++;
     }
     console.log(turns);`,
  );
  const turns = await Promise.all(
    [1, 2, 3].map(async () => {
      const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "pipe"] });
      let text = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (text += part.toString()));
      await once(child, "close");
      return text;
    }),
  );
  expect(turns).toEqual(["100\n", "100\n", "100\n"]);
  await expect(readFile(path)).rejects.toThrow("ENOENT");
});
