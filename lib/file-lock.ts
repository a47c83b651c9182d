// Locks: one user at a time of a file or folder, among all processes and threads. What is guarded by one is its users' business.
import { open, readFile, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "./files.js";
import { native } from "./native.js";

/** A lock that is held. The system gives it back when the process or worker ends, even by kill -9, so that none is ever stale. */
export class FileLock {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /**
   * Takes the lock whose file is `path`, made with its folders where there is none, and gone after the release. A crash may leave the file, but not the lock.
   *
   * @param busy - the error for when it is held, made from words for who holds it, such as "process 4711"
   * @throws what `busy` gives; what the system throws when the file cannot be made
   */
  static async take(path: string, busy: (holder: string) => Error): Promise<FileLock> {
    await makeFolder(dirname(path));
    for (;;) {
      const file = await open(path, "a+");
      try {
        if (!native.lockFile(file.fd)) throw busy(await holderOf(path));
        if (await isStill(path, file)) {
          await file.truncate();
          await file.write(`${process.pid}\n`);
          return new FileLock(path, file);
        }
      } catch (error) {
        await file.close();
        throw error;
      }
      await file.close(); // its holder has removed it since it was opened: there is another by now, or none
    }
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true }).catch(() => undefined); // while it is ours: afterwards it may be another's
    await this.file.close();
  }
}

async function isStill(path: string, file: FileHandle): Promise<boolean> {
  const there = await stat(path, { bigint: true }).catch(() => undefined);
  const { dev, ino } = await file.stat({ bigint: true });
  return there?.ino === ino && there.dev === dev;
}

async function holderOf(path: string): Promise<string> {
  const number = /^\d+(?=\n$)/.exec(await readFile(path, "utf8").catch(() => ""))?.[0];
  if (number === undefined) return "another process";
  return Number(number) === process.pid ? "this process" : `process ${number}`;
}
