// All trainings: a bounded queue, as many at a time as there are slots, and their folders on the disk.
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { FileLock } from "simdnn";
import { Training, type Saved } from "./training.js";

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

export class Trainings {
  private readonly all = new Map<string, Training>();
  private readonly queue: Training[] = [];
  private readonly running = new Map<Training, Promise<void>>();
  private lock: FileLock | undefined;
  private closing = false;

  constructor(
    readonly folder: string,
    private readonly limits: Limits,
  ) {}

  get full(): boolean {
    return this.closing || this.queue.length >= this.limits.waiting || this.all.size >= this.limits.models;
  }

  get(id: string): Training | undefined {
    return this.all.get(id);
  }

  list(): Training[] {
    return [...this.all.values()];
  }

  folderOf(id: string): string {
    return join(this.folder, id);
  }

  /** Takes a training whose data is in its folder already. */
  async add(saved: Saved): Promise<Training> {
    const training = new Training(this.folderOf(saved.id), saved);
    await training.save();
    this.take(training);
    return training;
  }

  async remove(training: Training): Promise<void> {
    training.cancel();
    const waiting = this.queue.indexOf(training);
    if (waiting >= 0) this.queue.splice(waiting, 1);
    await this.running.get(training);
    this.all.delete(training.saved.id);
    await training.remove();
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
    const names = await readdir(this.folder);
    for (const name of names.filter((name) => idPattern.test(name))) {
      const saved = await readSaved(join(this.folderOf(name), "training.json"));
      if (saved === undefined) {
        await rm(this.folderOf(name), { recursive: true, force: true }); // a crash came before its upload had ended
        continue;
      }
      const training = new Training(this.folderOf(name), saved);
      if (training.ended) this.all.set(name, training);
      else {
        training.saved.state = "queued";
        this.take(training);
      }
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

  private take(training: Training): void {
    this.all.set(training.saved.id, training);
    this.queue.push(training);
    this.fill();
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

/** Undefined where there is none, or half of one. */
async function readSaved(file: string): Promise<Saved | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Saved;
  } catch {
    return undefined;
  }
}
