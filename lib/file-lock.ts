// Locks: one user at a time of a file or folder, among all processes and threads. What is guarded by one is its users' business.
import { open, readFile, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { busyError } from "./errors.js";
import { makeFolder, systemError } from "./files.js";
import { native } from "./native.js";
import { wrongValue } from "./options.js";

/**
 * A lock that is held, among all processes and threads of a machine. The system gives it back when the process or worker ends, even by kill -9, so that none
 * is ever stale.
 *
 * @example
 * ```ts
 * const lock = await FileLock.take("models/.lock"); // the folder is ours, or this throws a BusyError
 * await lock.release();
 * ```
 */
export class FileLock {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /**
   * Takes the lock whose file is `path`, made with its folders where there is none, and gone after the release. A crash may leave the file, but not the lock.
   *
   * @param busy - the error for when it is held, made from words for who holds it, such as "process 4711". Default: a BusyError
   * @throws what `busy` gives; FileError when the file cannot be made; OptionError for what is no path
   */
  static async take(
    path: string,
    busy: (holder: string) => Error = (holder) => busyError(path, `in use by ${holder}`, "wait until that has ended"),
  ): Promise<FileLock> {
    if (typeof path !== "string" || path === "") throw wrongValue("FileLock.take", "path", "a path", path);
    for (;;) {
      let holder: string | undefined;
      try {
        await makeFolder(dirname(path));
        const file = await open(path, "a+");
        try {
          if (!native.lockFile(file.fd)) holder = await holderOf(path);
          else if (await isStill(path, file)) {
            await file.truncate();
            await file.write(`${process.pid}\n`).catch(() => undefined); // it is held on a full disk, too
            return new FileLock(path, file);
          } // else its holder has removed it since it was opened: there is another by now, or none
        } catch (error) {
          await file.close();
          throw error;
        }
        await file.close();
      } catch (error) {
        throw systemError(path, "a writable path", error);
      }
      if (holder !== undefined) throw busy(holder);
    }
  }

  /** Gives it back, and removes its file. */
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
