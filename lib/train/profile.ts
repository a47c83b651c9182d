// Where the time of a training step goes, instruction by instruction.
import type { Dataset } from "../data/dataset.js";
import type { Compiled, Model } from "../model.js";
import { native } from "../native.js";
import { bytesMoved } from "../op.js";
import { mul } from "../ops/binary.js";
import { Program, type Timing } from "../program.js";
import { Tape, withTape } from "../tape.js";
import { bytesOf, zeros } from "../tensor.js";
import { textTable } from "../text-table.js";
import { threads as defaultThreads } from "../threads.js";
import { checkOptions, positiveInteger } from "../options.js";
import { checkData } from "./check-data.js";
import { checkWork } from "./check-work.js";
import { trainingSteps } from "./training-step.js";
import { rowRuns } from "./runs.js";

export interface ProfileRow {
  readonly op: string;
  /** Path of the layer it belongs to, such as `model.dense1` or `model.dense1.backward`; outside of layers what it makes or updates, such as `loss` or `dense1.weight`, if that has a name. */
  readonly path: string;
  /** Shape of the first output, or of what is updated. */
  readonly shape: readonly number[];
  /** The shortest time seen. */
  readonly microseconds: number;
  /** Share of the whole step, 0 to 1. */
  readonly share: number;
  /** Products are judged by arithmetic, all else by bytes read and written. */
  readonly rate: number;
  readonly unit: "GFLOP/s" | "GB/s";
  /** The rate as a part of what this machine can do: fused multiply-adds in registers, or a multiplication of two arrays in cache. */
  readonly ofPeak: number;
}

/** The instructions of one training step in order. `String(profile)` is a table. */
export class Profile {
  /** Sum over the rows. */
  readonly microseconds: number;

  /** @internal */
  constructor(readonly rows: readonly ProfileRow[]) {
    this.microseconds = rows.reduce((sum, row) => sum + row.microseconds, 0);
  }

  toString(): string {
    const lines = this.rows.map(({ op, path, shape, microseconds, share, rate, unit, ofPeak }) => [
      op,
      path,
      `[${shape.join(", ")}]`,
      microseconds.toFixed(2),
      `${(100 * share).toFixed(1)} %`,
      rate.toFixed(1),
      unit,
      `${(100 * ofPeak).toFixed(0)} %`,
    ]);
    const header = ["op", "layer or tensor", "shape", "µs", "share", "rate", "", "of peak"];
    const rows = textTable([header, ...lines], [0, 1, 2, 6]);
    return [...rows, `${this.microseconds.toFixed(1)} µs per step`].join("\n");
  }
}

export interface ProfileOptions {
  /** Examples per step. Default: 32. */
  readonly batchSize?: number;
  /** How often the step is run; each instruction's shortest time counts. Default: 50. */
  readonly steps?: number;
  /** Default: setThreads(). */
  readonly threads?: number;
  /** Ends it before the next step; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export async function profileTraining(
  model: Model,
  compiled: Compiled,
  data: Dataset,
  options: ProfileOptions,
): Promise<Profile> {
  checkOptions("profile", options, ["batchSize", "steps", "threads", "signal"]);
  checkData("profile", model, data);
  const { batchSize = Math.min(32, data.size), steps = 50, threads = defaultThreads(), signal } = options;
  positiveInteger("profile", "batchSize", batchSize);
  positiveInteger("profile", "steps", steps);
  checkWork("profile", options);
  const [run] = rowRuns(data, data.take(batchSize).rows, batchSize);
  return profileOf(await trainingSteps(model, compiled).profile(run!, steps, { threads, signal }));
}

/** Puts a program's timings beside what the machine can do with as many threads as it used. */
async function profileOf(timings: readonly Timing[]): Promise<Profile> {
  const arithmeticPeak = native.fmaPeak();
  const bytePeak = await bytesPerNanosecond();
  const total = timings.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const rows = timings.map(({ entry: { op, operands, outputs, scope }, nanoseconds, threads }): ProfileRow => {
    const flops = op.flops?.(operands, outputs);
    const written = (op.effects ?? []).map((index) => operands[index]!);
    const rate = (flops ?? bytesMoved(op, operands, outputs)) / nanoseconds;
    return {
      op: op.name,
      path: scope ?? (outputs[0] ?? written[0])?.name ?? "",
      shape: (outputs[0] ?? operands[0])!.shape,
      microseconds: nanoseconds / 1000,
      share: nanoseconds / total,
      rate,
      unit: flops === undefined ? "GB/s" : "GFLOP/s",
      ofPeak: rate / threads / (flops === undefined ? bytePeak : arithmeticPeak),
    };
  });
  return new Profile(rows);
}

/** What one core reads and writes while it multiplies two arrays that fit its second-level cache. */
async function bytesPerNanosecond(): Promise<number> {
  const length = 1 << 16;
  const [a, b] = [zeros({ shape: [length], dtype: "float32" }), zeros({ shape: [length], dtype: "float32" })];
  const tape = new Tape();
  const product = withTape(tape, () => mul(a, b));
  const [timing] = await new Program(tape, [product]).profile(200, { threads: 1 });
  return (3 * bytesOf(a)) / timing!.nanoseconds;
}
