// A file that grows line by line, has one writer, and survives crashes. What the lines say is its users' business; replacing whole files is files.ts.
import { constants } from "node:fs";
import { open, readFile, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError, isSimdnnError } from "./errors.js";
import { FileLock } from "./file-lock.js";
import { makeFolder, syncFolder, systemError, targetOf } from "./files.js";

export class LineFile {
  private pending: Promise<unknown> = Promise.resolve();
  /** Whether nothing is behind `end`. */
  private clean = false;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly lock: FileLock,
    private end: number,
  ) {}

  /**
   * Opens a file, made with its folders where there is none. A last line without its end, as a crash leaves one, goes when the next one is added.
   *
   * @returns the file, the lines that are there, and what stands behind the last of them
   * @throws FileError when it cannot be written, or when it is open elsewhere
   */
  static async open(path: string): Promise<{ file: LineFile; lines: string[]; rest: string }> {
    let lock: FileLock | undefined;
    try {
      const target = await targetOf(path);
      await makeFolder(dirname(target));
      lock = await FileLock.take(
        `${target}.lock`,
        (holder) =>
        fileError(path, "a file that nobody else writes", `${holder} does`, "wait until it has ended, or choose another file"), // prettier-ignore
      );
      // Not in append mode, in which some systems would not let it be cut.
      const handle = await open(target, constants.O_RDWR | constants.O_CREAT);
      try {
        const text = await readFile(target);
        const end = text.lastIndexOf("\n") + 1;
        await syncFolder(dirname(target));
        const lines = text.toString("utf8", 0, end).split("\n").slice(0, -1);
        return { file: new LineFile(path, handle, lock, end), lines, rest: text.toString("utf8", end) };
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      await lock?.release();
      throw isSimdnnError(error) ? error : systemError(path, "a writable path", error);
    }
  }

  /**
   * Adds a line after those that were added before; the promise resolves when it is on the disk.
   * @throws FileError when it cannot be written; the file then ends where it did
   */
  append(line: string): Promise<void> {
    const written = this.pending.then(() => this.write(Buffer.from(`${line}\n`)));
    this.pending = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.pending;
    await this.file.close();
    await this.lock.release();
  }

  private async write(bytes: Uint8Array): Promise<void> {
    try {
      if (!this.clean) await this.file.truncate(this.end);
      this.clean = false;
      for (let done = 0; done < bytes.length;)
        done += (await this.file.write(bytes, done, bytes.length - done, this.end + done)).bytesWritten;
      await this.file.sync();
      this.end += bytes.length;
      this.clean = true;
    } catch (error) {
      throw systemError(this.path, "a writable path", error);
    }
  }
}
