// What is kept of a training in its training.json: what was asked for, and what came of it.
import { open, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Type, type Static } from "typebox";
import { Compile } from "typebox/compile";
import { TrainingOptions } from "./options.js";

const Saved = Type.Object({
  id: Type.String(),
  state: Type.Enum(["queued", "running", "done", "failed", "cancelled"]),
  /** Those that were read; undefined where they cannot be. */
  options: Type.Optional(TrainingOptions),
  /** The column of data.csv to be predicted; undefined where the data is data.json. */
  target: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
  /** The names of what the curve has a number of for each epoch. */
  figures: Type.Optional(Type.Array(Type.String())),
  /** In the order of the model's outputs; undefined for a regression. */
  classes: Type.Optional(Type.Array(Type.Union([Type.Number(), Type.String()]))),
});
export type Saved = Static<typeof Saved>;
export type State = Saved["state"];

const compiled = Compile(Saved);

/** Undefined options say that nothing is known: such a training has failed, and its folder stays as it is. */
export async function readSaved(folder: string): Promise<Saved> {
  const id = basename(folder);
  const failed = (reason: string): Saved => ({ id, state: "failed", error: `its training.json ${reason}` });
  try {
    const saved: unknown = JSON.parse(await readFile(join(folder, "training.json"), "utf8"));
    if (compiled.Check(saved) && saved.options && saved.id === id) return saved;
    return failed("is not one of this server");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return failed(code === undefined ? "holds no JSON" : `cannot be read (${code})`);
  }
}

/** Written beside, and renamed when it is on the disk: a crash leaves the old state or the new one. */
export async function writeSaved(folder: string, saved: Saved): Promise<void> {
  const file = join(folder, "training.json");
  await writeFile(`${file}.new`, JSON.stringify(saved), { flush: true });
  await rename(`${file}.new`, file);
  await syncFolder(folder);
}

/** Without this a crash of the machine may undo what was renamed in it. Windows cannot open folders, and needs no such help. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
