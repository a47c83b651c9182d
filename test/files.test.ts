// Replacing files: all or nothing, links and leftovers included.
import { execFileSync } from "node:child_process";
import { link, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkWritable, replaceFile } from "#lib/files.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-files-"));
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("replaceFile", () => {
  test("writes the chunks in order, over what was there, and leaves nothing else", async () => {
    const path = join(folder, "model");
    await replaceFile(path, [bytes("old and longer")]);
    await replaceFile(path, [bytes("ne"), new Uint8Array(0), bytes("w")]);
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["model"]);
  });

  test("never writes into the old file", async () => {
    const [path, other] = [join(folder, "model"), join(folder, "hard link")];
    await writeFile(path, "old");
    await link(path, other);
    await replaceFile(path, [bytes("new")]);
    expect(await readFile(other, "utf8")).toBe("old");
  });

  test("keeps a symbolic link and replaces its target", async () => {
    const [target, path] = [join(folder, "epoch-3"), join(folder, "latest")];
    await writeFile(target, "old");
    await symlink(target, path);
    await replaceFile(path, [bytes("new")]);
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(await readFile(target, "utf8")).toBe("new");
  });

  test("a write that fails half-way leaves the old file and no temporary one", async () => {
    const path = join(folder, "model");
    await writeFile(path, "old");
    const broken = { length: 3 } as Uint8Array;
    await expect(replaceFile(path, [bytes("new"), broken])).rejects.toMatchObject({ code: "FileError" });
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["model"]);
  });

  test("says why a path cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(replaceFile(join(folder, "file", "model"), [])).rejects.toMatchObject({ code: "FileError" });
    await expect(replaceFile(folder, [])).rejects.toThrow(
      `${folder}: expected a writable path, but it is a directory; name a file in it`,
    );
    expect(await readdir(folder)).toEqual(["file"]);
  });
});

describe.skipIf(process.platform === "win32")("what is no file", () => {
  test("is never replaced, nor is what a link to it points to", async () => {
    const [pipe, link] = [join(folder, "pipe"), join(folder, "link")];
    execFileSync("mkfifo", [pipe]);
    await symlink(pipe, link);
    for (const path of [pipe, link]) {
      const message = `${path}: expected a writable path, but it is a device, pipe or socket; name a file`;
      await expect(replaceFile(path, [bytes("new")])).rejects.toThrow(message);
      await expect(checkWritable(path)).rejects.toThrow(message);
    }
    expect((await stat(pipe)).isFIFO()).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(["link", "pipe"]);
  });
});

describe("checkWritable", () => {
  test("leaves the file as it was, and nothing beside it", async () => {
    const path = join(folder, "model");
    await writeFile(path, "old");
    await checkWritable(path);
    expect(await readFile(path, "utf8")).toBe("old");
    await checkWritable(join(folder, "new", "model"));
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(["model", "new"]);
  });

  test("refuses what replaceFile would refuse, in the same words", async () => {
    await writeFile(join(folder, "file"), "");
    for (const path of [folder, join(folder, "file", "model"), join(folder, "n".repeat(300))]) {
      const refusal = await replaceFile(path, []).catch((error: unknown) => error);
      await expect(checkWritable(path)).rejects.toThrow((refusal as Error).message.split("; ")[1]!);
      expect(await readdir(folder)).toEqual(["file"]);
    }
  });
});

describe.skipIf(process.platform !== "linux")("a path below a folder that takes nothing", () => {
  test("is refused instead of tried for ever", async () => {
    await expect(replaceFile("/proc/nowhere/deep/file", [])).rejects.toMatchObject({ code: "FileError" });
  });
});
