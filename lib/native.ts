// Loads the addon and gives it types: the only file that touches it. Programs and tensors are elsewhere.
import { createRequire } from "node:module";
import { SimdnnError } from "./errors.js";

/** A program that passed the addon's checks. */
export interface NativeProgram {
  readonly __brand: "program";
}
/** A job on the engine thread. */
export interface NativeJob {
  readonly __brand: "job";
}

/** What stopped a program: `position` is the flat index of the offending element in its operand, -1 where an update made it of sound ones. */
export interface Fault {
  readonly kind: "index" | "nonFinite" | "unfitUpdate";
  readonly instruction: number;
  readonly operand: number;
  readonly position: number;
  readonly value: number;
  /** Number of the first tensor with a NaN or infinity, -1 where none was found. */
  readonly tensor: number;
}

/** A program in the flat form that the addon reads: `tensors, instructions, attrs, restored, storages` (see native/program.h). */
export type ProgramImage = readonly [Int32Array, Int32Array, Float64Array, Int32Array, readonly ArrayBufferView[]];

/** Bytes of array buffers, and of JavaScript heaps. */
export interface MemoryUse {
  readonly arrays: number;
  readonly heap: number;
}

export interface NativeOp {
  readonly name: string;
  readonly minOperands: number;
  readonly maxOperands: number;
  readonly outputs: number;
}

export interface Native {
  describe(): {
    readonly ops: readonly NativeOp[];
    readonly isa: string;
    readonly isas: readonly string[];
    readonly isaError?: string;
  };
  fmaPeak(): number;
  collectGarbage(): void;
  collectGarbageElsewhere(): void;
  tellMemory(arrays: number, heap: number): MemoryUse;
  memoryLimit(bytes?: number): number;
  couldAllocate(bytes: number, reserve: number): boolean;
  misalignment(buffer: ArrayBuffer): number;
  load(...image: ProgramImage): NativeProgram;
  run(program: NativeProgram, threads: number): Fault | null;
  execute(...imageAndThreads: [...ProgramImage, threads: number]): Fault | null;
  submit(
    program: NativeProgram,
    steps: number,
    feedTensors: Int32Array,
    feedBuffers: readonly ArrayBufferView[],
    fetchTensors: Int32Array,
    fetchBuffers: readonly ArrayBufferView[],
    threads: number,
    priority: number,
    budget: number,
    group: number,
    timings: Float64Array | null,
    callback: (stepsDone: number, finished: boolean, fault: Fault | null) => void,
  ): NativeJob;
  cancel(job: NativeJob): void;
  lockFile(descriptor: number): boolean;
}

function load(): Native {
  let addon: Native;
  try {
    addon = createRequire(import.meta.url)("../binding.cjs") as Native;
  } catch (cause) {
    throw new SimdnnError(
      "NativeError",
      `simdnn: the native addon for ${process.platform}-${process.arch} could not be loaded; build it with "npm rebuild simdnn --foreground-scripts" ` +
        `(needs cmake and a C++20 compiler), and run the package manager with install scripts allowed`,
      { where: "simdnn" },
      { cause },
    );
  }
  const { isaError } = addon.describe();
  if (isaError !== undefined) throw new SimdnnError("NativeError", `simdnn: ${isaError}`, { where: "simdnn" });
  return addon;
}

export const native = load();
export const info = native.describe();

/** Opcode of the kernel that stands behind the op `name`: its line in native/ops.inc. */
export const opcodes: ReadonlyMap<string, number> = new Map(info.ops.map((op, code) => [camelCase(op.name), code]));

function camelCase(snakeCase: string): string {
  return snakeCase.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
