// Checkpoints: a training saved as it goes on, so that it can be taken up where a crash or a shutdown broke it off. What is in them is training-file.ts.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { busyError, isSimdnnError, type SimdnnError } from "../errors.js";
import { FileLock } from "../file-lock.js";
import { checkWritable, systemError } from "../files.js";
import type { Compiled, Model } from "../model.js";
import { bool, checkOptions, filePath, isFunction, isObject, positiveInteger, wrongValue } from "../options.js";
import type { Callback } from "./callbacks.js";
import {
  readTraining,
  writeTraining,
  type Position,
  type StoredTraining,
  type TrainingState,
} from "./training-file.js";

export interface CheckpointOptions {
  /** The directory for the checkpoints of this training and of no other; made where there is none. */
  readonly dir: string;
  /** How often to write one: after so many epochs, or `{ epochs, steps }`. Default: 1. */
  readonly every?: number | { readonly epochs?: number; readonly steps?: number };
  /** How many to keep, the newest. Default: 2. */
  readonly keep?: number;
  /** Go on with the newest checkpoint of the directory that can be read; where there is none at all, begin. Default: false. */
  readonly resume?: boolean;
  /**
   * Is told when a checkpoint could not be written, and training goes on; without it fit() rejects. Also of each that could not be read, where an older one
   * is resumed in its place; without it that is a warning of the process. What it throws, or a promise of it rejects with, is what fit() rejects with.
   */
  readonly onError?: (error: SimdnnError<"FileError">) => unknown;
}

/**
 * Writes checkpoints of the whole training: weights, the optimizer's state, the counters of dropout, the place in the data, the history and what
 * callbacks remember. With `resume` the same program, started again after a crash, goes on where the newest of them was made, and ends with the
 * same weights and history, bit for bit, as if nothing had happened.
 *
 * Training waits until a checkpoint is on the disk, so a crash costs one interval at most; the event loop does not wait. One more is written when the
 * training ends, or is aborted by its signal. Each is a safetensors file, `checkpoint-<number>.safetensors`, which {@link loadModel} reads, too.
 * {@link modelCheckpoint} saves models alone, to be used rather than trained further.
 *
 * @throws OptionError for an unknown option or a wrong value; from fit(), BusyError when another training writes to the directory, FileError when a
 *   checkpoint cannot be written, or none of those that are there can be read
 *
 * @example
 * ```ts
 * const callbacks = [checkpoint({ dir: "run/checkpoints", every: { steps: 500 }, resume: true })];
 * const { curves } = await model.fit(train, { epochs: 3, callbacks }); // run again, it resolves at once with the same curves
 * ```
 */
export function checkpoint(options: CheckpointOptions): Callback {
  return new Checkpointer(options);
}

const where = "checkpoint";
const nameOf = (number: number): string => `checkpoint-${String(number).padStart(6, "0")}.safetensors`;
const lockName = ".checkpoint.lock";
const namePattern = /^checkpoint-(\d{6,15})\.safetensors$/;
const stalePattern = /^\.checkpoint-\d{6,15}\.safetensors\..*\.tmp$/; // what a crash leaves of files.ts's replaceFile

/** @internal */
export class Checkpointer implements Callback {
  /** No hooks: fit() looks after it when all others have been called. */
  declare readonly onEpochEnd?: never;
  private readonly dir: string;
  private readonly epochs: number;
  private readonly steps: number;
  private readonly keep: number;
  private readonly resume: boolean;
  private readonly tell: CheckpointOptions["onError"];
  /** Of those in the directory, in the order in which they go: damaged ones first, then the oldest. */
  private numbers: number[] = [];
  /** Of the last one that was tried. */
  private last: Position = { epoch: 0, steps: 0 };
  /** Of the last one that is there. */
  private written: Position | undefined;

  constructor(options: CheckpointOptions) {
    checkOptions(where, options, ["dir", "every", "keep", "resume", "onError"]);
    const { dir, every = 1, keep = 2, resume = false, onError } = options ?? {};
    const { epochs, steps } = isObject(every) ? every : { epochs: every };
    if (typeof every === "object") checkOptions(`${where}: every`, every, ["epochs", "steps"]);
    if (epochs === undefined && steps === undefined)
      throw wrongValue(where, "every", "a number of epochs, or { epochs, steps }", every);
    this.dir = filePath(where, "dir", dir);
    this.epochs = epochs === undefined ? Infinity : positiveInteger(where, "every", epochs);
    this.steps = steps === undefined ? Infinity : positiveInteger(where, "every", steps);
    this.keep = positiveInteger(where, "keep", keep);
    this.resume = bool(where, "resume", resume);
    if (onError !== undefined && !isFunction(onError)) throw wrongValue(where, "onError", "a function", onError);
    this.tell = onError;
  }

  /**
   * Makes the directory ready.
   *
   * @returns the lock that keeps other trainings out, to be released in the end
   * @throws FileError when it cannot be written to, unless the user wants to be told only; BusyError when another training does
   */
  async open(): Promise<FileLock | undefined> {
    let lock: FileLock | undefined;
    const ready = async (): Promise<void> => {
      lock = await FileLock.take(join(this.dir, lockName), (holder) =>
        busyError(
          this.dir,
          `in use by a training of ${holder}`,
          "wait until it has ended, or choose another directory",
        ),
      );
      for (const name of await this.list())
        if (stalePattern.test(name)) await rm(join(this.dir, name), { force: true });
      await checkWritable(join(this.dir, nameOf(0)));
    };
    await this.attempt(ready).catch(async (error: unknown) => {
      await lock?.release();
      throw error;
    });
    return lock;
  }

  /**
   * Reads what there is to go on with.
   * @throws FileError when there are checkpoints, but none that is whole and of this model
   */
  async read(model: Model, compiled: Compiled): Promise<StoredTraining | undefined> {
    const names = await this.list();
    this.numbers = names.flatMap((name) => namePattern.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b); // prettier-ignore
    const stored = this.resume ? await this.newest(model, compiled) : undefined;
    this.written = stored?.state.position;
    this.last = this.written ?? { epoch: 0, steps: 0 };
    return stored;
  }

  private async newest(model: Model, compiled: Compiled): Promise<StoredTraining | undefined> {
    const damaged = new Map<number, SimdnnError<"FileError">>();
    for (const number of this.numbers.toReversed()) {
      try {
        const stored = await readTraining(join(this.dir, nameOf(number)), model, compiled);
        for (const error of damaged.values()) await this.warn(error, stored.file);
        this.numbers = [...damaged.keys(), ...this.numbers.filter((other) => !damaged.has(other))];
        return stored;
      } catch (error) {
        if (!isSimdnnError(error, "FileError")) throw error;
        damaged.set(number, error);
      }
    }
    for (const error of damaged.values()) throw error;
    return undefined;
  }

  private async warn(error: SimdnnError<"FileError">, instead: string): Promise<void> {
    if (this.tell) await this.tell(error);
    else
      process.emitWarning(`${error.message}. Going on with ${instead}`, {
        type: "CheckpointWarning",
        code: "SIMDNN_CHECKPOINT",
      });
  }

  /** Steps from `steps` on until a checkpoint is due. */
  stepsLeft(steps: number): number {
    return this.last.steps + this.steps - steps;
  }

  /** Whether one is due when the callbacks of an epoch have been called. */
  isDue({ epoch, steps }: Position): boolean {
    return epoch - this.last.epoch >= this.epochs || this.stepsLeft(steps) <= 0;
  }

  /** Whether the training has got no further since one was written. */
  has({ epoch, steps, figures }: Position): boolean {
    const { written } = this;
    return written?.epoch === epoch && written.steps === steps && !written.figures === !figures;
  }

  /** Writes one, and takes away those that are too many. */
  async write(model: Model, compiled: Compiled, state: TrainingState): Promise<void> {
    this.last = state.position;
    await this.attempt(async () => {
      const number = Math.max(0, ...this.numbers) + 1;
      await writeTraining(join(this.dir, nameOf(number)), model, compiled, state);
      this.written = state.position;
      this.numbers.push(number);
      for (const old of this.numbers.splice(0, this.numbers.length - this.keep))
        await rm(join(this.dir, nameOf(old)), { force: true });
    });
  }

  private async list(): Promise<string[]> {
    return readdir(this.dir).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" || this.tell) return [];
      throw error;
    });
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isSimdnnError(error, "BusyError")) throw error;
      const failure = isSimdnnError(error, "FileError") ? error : systemError(this.dir, "a writable directory", error);
      if (!this.tell) throw failure;
      await this.tell(failure);
    }
  }
}
