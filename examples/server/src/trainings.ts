// All trainings: a bounded queue, as many at a time as there are slots, and their folders on the disk.
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { FileLock } from "simdnn";
import { HttpError } from "./errors.js";
import { readSaved, syncFolder, writeSaved, type Saved } from "./saved.js";
import { Training } from "./training.js";

export interface Limits {
  /** Trainings at a time. */
  readonly slots: number;
  /** Trainings that may wait; one more is refused. */
  readonly waiting: number;
  /** Threads of each training. */
  readonly threads: number;
  /** Models to be kept, those in training included. */
  readonly models: number;
}

const idPattern = /^[0-9a-f-]{36}$/;
/** A folder that is being filled or taken away; one that has no such ending holds what was accepted. */
const passingPattern = /^[0-9a-f-]{36}\.tmp$/;

/** Emits "change" when there is another training, one fewer, or something new of one. */
export class Trainings extends EventEmitter<{ change: [] }> {
  private readonly all = new Map<string, Training>();
  private readonly queue: Training[] = [];
  private readonly running = new Map<Training, Promise<void>>();
  /** Whose folders are being put in their places. */
  private accepting = 0;
  private lock: FileLock | undefined;
  private closing = false;

  constructor(
    readonly folder: string,
    private readonly limits: Limits,
    /** Is told of the server's own faults, which clients are not. */
    private readonly log: (error: unknown) => void,
  ) {
    super();
    this.setMaxListeners(0);
  }

  /** @throws HttpError when there is no room for another one */
  refuseWhenFull(): void {
    const { closing, accepting, queue, all, limits } = this;
    if (closing || queue.length + accepting >= limits.waiting || all.size + accepting >= limits.models)
      throw new HttpError(429, "there are too many trainings; try again later, or delete some");
  }

  get(id: string): Training | undefined {
    return this.all.get(id);
  }

  list(): Training[] {
    return [...this.all.values()];
  }

  /**
   * Takes a training whose data `fill` puts into a folder, which goes away again when that throws.
   * @throws HttpError when there is no room; what `fill` throws
   */
  async add(fill: (folder: string) => Promise<Pick<Saved, "options" | "target">>): Promise<Training> {
    const id = randomUUID();
    const folder = join(this.folder, id);
    const passing = `${folder}.tmp`;
    await mkdir(passing);
    try {
      const saved: Saved = { id, state: "queued", ...(await fill(passing)) };
      this.refuseWhenFull(); // others may have come while this one was sent
      this.accepting++;
      try {
        await writeSaved(passing, saved);
        await rename(passing, folder);
        await syncFolder(this.folder);
      } finally {
        this.accepting--;
      }
      return this.take(new Training(folder, saved, this.log));
    } catch (error) {
      await rm(passing, { recursive: true, force: true });
      throw error;
    }
  }

  async remove(training: Training): Promise<void> {
    training.cancel();
    const waiting = this.queue.indexOf(training);
    if (waiting >= 0) this.queue.splice(waiting, 1);
    await this.running.get(training);
    if (!this.all.delete(training.saved.id)) return; // somebody else was first
    this.emit("change");
    training.forget();
    await rename(training.folder, `${training.folder}.tmp`);
    await rm(`${training.folder}.tmp`, { recursive: true });
  }

  /**
   * Makes the folder this server's, and goes on with what an earlier one left running or waiting.
   * @throws when another server has it
   */
  async open(): Promise<void> {
    this.lock = await FileLock.take(
      join(this.folder, ".lock"),
      (holder) => new Error(`${holder} serves the models of "${this.folder}"; end it, or choose another folder`),
    );
    for (const name of await readdir(this.folder)) {
      const folder = join(this.folder, name);
      if (passingPattern.test(name)) await rm(folder, { recursive: true }); // a crash came before its upload had ended
      if (!idPattern.test(name)) continue;
      const training = new Training(folder, await readSaved(folder), this.log);
      await training.curve.restore().catch(this.log); // it is shown without
      if (!training.ended) training.saved.state = "queued";
      this.take(training);
    }
  }

  /** Stops all of them at their next step, which each writes a checkpoint of. */
  async close(): Promise<void> {
    this.closing = true;
    this.queue.length = 0; // their state on the disk says that they wait
    for (const training of this.running.keys()) training.suspend();
    await Promise.all(this.running.values());
    await this.lock?.release();
  }

  private take(training: Training): Training {
    this.all.set(training.saved.id, training);
    training.on("change", () => this.emit("change"));
    this.emit("change");
    if (training.ended) return training;
    this.queue.push(training);
    this.fill();
    return training;
  }

  private fill(): void {
    while (!this.closing && this.running.size < this.limits.slots) {
      const next = this.queue.shift();
      if (!next) return;
      const run = next.run(this.limits.threads).finally(() => {
        this.running.delete(next);
        this.fill();
      });
      this.running.set(next, run);
    }
  }
}
