// Reading and replacing files safely, with errors that name the file and the remedy. Knows no format.
import { types } from "node:util";
import { wrongValue } from "./options.js";
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileError, isSimdnnError, type SimdnnError } from "./errors.js";
import { take } from "./memory.js";

/** As mkdir's `recursive`, which never returns for a path below a folder that refuses everything, such as /proc. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (await isFolder(folder)) return;
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then((stats) => stats.isDirectory(), () => false); // prettier-ignore
}

/** A file by its path, or one that is already in memory. */
export type FileSource = string | Uint8Array;

/** What messages call `source`. */
export function sourceName(source: FileSource): string {
  if (typeof source !== "string" && !types.isUint8Array(source))
    throw wrongValue("file", "source", "a path or the bytes of a file", source);
  return typeof source === "string" ? source : `buffer of ${source.length} bytes`;
}

/**
 * The bytes of `source`.
 * @throws FileError when the file is missing, unreadable or a directory; OutOfMemoryError
 */
export async function readSource(source: FileSource): Promise<Uint8Array> {
  if (typeof source !== "string") return source;
  try {
    const { size } = await stat(source);
    return await take(size, () => source, () => readFile(source)); // prettier-ignore
  } catch (error) {
    throw isSimdnnError(error) ? error : systemError(source, "a readable file", error);
  }
}

/** A source that is read in parts. */
export interface OpenSource {
  readonly size: number;
  /**
   * Fills `place` with what stands at `position`.
   * @throws FileError when it cannot be read, or has become shorter
   */
  read(place: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/** @throws FileError when the file is missing, unreadable or a directory */
export async function openSource(source: FileSource): Promise<OpenSource> {
  if (typeof source !== "string") {
    const read = (place: Uint8Array, position: number): Promise<void> => {
      if (position + place.length > source.length) return Promise.reject(shorter(sourceName(source)));
      place.set(source.subarray(position, position + place.length));
      return Promise.resolve();
    };
    return { size: source.length, read, close: () => Promise.resolve() };
  }
  const expected = "a readable file";
  try {
    const { size } = await stat(await targetOf(source));
    const file = await open(source);
    const read = async (place: Uint8Array, position: number): Promise<void> => {
      for (let done = 0; done < place.length;) {
        const length = Math.min(place.length - done, mostAtOnce);
        const { bytesRead } = await file.read(place, done, length, position + done).catch((error: unknown) => {
          throw systemError(source, expected, error);
        });
        if (bytesRead === 0) throw shorter(source);
        done += bytesRead;
      }
    };
    return { size, read, close: () => file.close() };
  } catch (error) {
    throw systemError(source, expected, error);
  }
}

function shorter(file: string): SimdnnError<"FileError"> {
  return fileError(file, "a file that stays as it is", "it became shorter while it was read", "read it again");
}

/**
 * Makes `chunks`, one after the other, the content of the file `path`, or leaves the old content as it was: nobody sees a half-written
 * file, not after a crash either. The chunks must not change until the promise resolves. Makes missing directories.
 * @throws FileError when the file cannot be written
 */
export async function replaceFile(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  try {
    const target = await targetOf(path);
    const folder = dirname(target);
    await makeFolder(folder);
    const temporary = temporaryBeside(target);
    try {
      const file = await open(temporary, "wx");
      try {
        for (const chunk of chunks) await writeAll(file, chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(folder);
  } catch (error) {
    throw systemError(path, "a writable path", error);
  }
}

/**
 * Finds out whether replaceFile(path) can work, so that long work whose result is to go there fails before it begins.
 * Makes missing directories.
 * @throws FileError when the file could not be written
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    const target = await targetOf(path);
    const folder = dirname(target);
    await makeFolder(folder);
    const probe = temporaryBeside(target); // permissions alone do not say it: the disk may be read-only
    try {
      await writeFile(probe, "x", { flag: "wx" }); // a full disk may have room for an empty file
    } finally {
      await rm(probe, { force: true });
    }
  } catch (error) {
    throw systemError(path, "a writable path", error);
  }
}

// A link stays, and what it points to is replaced. Only a file is: a rename would put one in the place of a device such as
// /dev/null, for every program on the machine.
export async function targetOf(path: string): Promise<string> {
  const target = await realpath(path).catch(() => path);
  const stats = await stat(target).catch(() => undefined);
  if (stats?.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
  if (stats && !stats.isFile()) throw Object.assign(new Error("is no file"), { code: "NOT_A_FILE" });
  return target;
}

// In the same folder and so on the same disk, where a rename is atomic.
function temporaryBeside(target: string): string {
  return join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`);
}

const mostAtOnce = 2 ** 30; // no reading or writing takes more than 2 GiB

// One write may take less than it is given.
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += (await file.write(chunk, done, Math.min(chunk.length - done, mostAtOnce))).bytesWritten;
  }
}

// Without this a crash may undo the rename. Windows cannot open folders, and its renames need no such help.
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const problems: Record<string, readonly [received: string, remedy: string]> = {
  ENOENT: ["there is none", "check the path"],
  ENOTDIR: ["a part of its path is no directory", "check the path"],
  EEXIST: ["a part of its path is no directory", "check the path"],
  EISDIR: ["it is a directory", "name a file in it"],
  NOT_A_FILE: ["it is a device, pipe or socket", "name a file"],
  EACCES: ["permission is denied", "check its permissions"],
  EPERM: ["permission is denied", "check its permissions"],
  EROFS: ["the file system is read-only", "choose another place"],
  ENOSPC: ["the disk is full", "make room or choose another place"],
  EFBIG: ["the system lets no file grow that large", "raise its limit (ulimit -f)"],
  EDQUOT: ["the disk quota is used up", "make room or choose another place"],
  ERR_FS_FILE_TOO_LARGE: ["it is larger than 2 GiB", "split it"],
};

export function systemError(path: string, expected: string, error: unknown): SimdnnError<"FileError"> {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const [received, remedy] = problems[code] ?? [`the system says: ${message}`, "check the path"];
  return fileError(path, expected, received, remedy, error);
}
