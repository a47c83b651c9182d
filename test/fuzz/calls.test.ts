// Every public function is called with bad arguments: it works, or fails with an error of the library, and nothing else happens.
// Each place in its arguments gets each hostile value once; random changes of several places follow. SIMDNN_FUZZ=10 makes ten times as many of those.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { types } from "node:util";
import fc from "fast-check";
import * as simdnn from "simdnn";
import * as kernels from "simdnn/kernels";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { isSimdnnError } from "#lib/errors.js";
import { bend, bends, everyBend, theUsersOwn } from "./hostile.js";
import { kernelCalls } from "./kernel-calls.js";
import { functionCalls, grouped, methodCalls, opCalls, promiseCalls, type Sound } from "./library-calls.js";

type Call = (...args: unknown[]) => unknown;

const scale = Number(process.env.SIMDNN_FUZZ ?? 1);
/** The same calls each time, unless there are more of them. */
const seed = scale === 1 ? { seed: 1 } : {};
vi.setConfig({ testTimeout: 60_000 * scale });
let calls = 0;

function functionsOf(exports: object): Readonly<Record<string, Call>> {
  return Object.fromEntries(
    Object.entries(exports).filter(
      (entry): entry is [string, Call] => typeof entry[1] === "function" && !/^[A-Z]/.test(entry[0]),
    ),
  );
}

function allowed(error: unknown): void {
  const aborted = error instanceof DOMException && error.name === "TimeoutError";
  if (!isSimdnnError(error) && error !== theUsersOwn && !aborted) throw error;
}

/** 2⁴⁰ epochs are a sound wish. */
function inTime(args: unknown[]): unknown[] {
  for (const argument of args.filter((value) => !types.isProxy(value)) as ({ fit?: unknown } | null | undefined)[])
    for (const options of [argument, argument?.fit].filter((value) => !types.isProxy(value)) as (
      { epochs?: unknown; signal?: AbortSignal } | undefined
    )[])
      if (typeof options?.epochs === "number" && options.epochs > 3) options.signal = AbortSignal.timeout(50);
  return args;
}

async function withstands(call: Call, { args, on }: Sound, runs: number, guard = (args: unknown[]) => args) {
  const attempt = async (change: (args: unknown[]) => unknown[]): Promise<void> => {
    calls++;
    const given = change(args());
    try {
      const result = call.apply(on?.(), guard(given));
      if (result instanceof Promise) await result;
    } catch (error) {
      allowed(error);
    }
  };
  await call.apply(on?.(), args());
  for (const change of everyBend(args)) await attempt(change);
  await fc.assert(
    fc.asyncProperty(bends, (changes) => attempt((args) => bend(args, changes))),
    { numRuns: runs * scale, ...seed },
  );
}

const ofKernels = functionsOf(kernels);
const ofLibrary = functionsOf(simdnn);
const ofOps = functionsOf(simdnn.ops);

/** Calls a method of `this` by the last part of its name. */
const method = (name: string): Call =>
  function (this: unknown, ...args) {
    return (this as Record<string, Call>)[name.split(".")[1]!]!.apply(this, args);
  };

// What saves, saves wherever a hostile path points.
const home = process.cwd();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-"));
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(home);
  await rm(folder, { recursive: true });
});
afterEach(() => simdnn.setMemoryLimit(Infinity));

describe("has a sound call of each function", () => {
  const known = (calls: object, ...others: string[]): string[] => [...Object.keys(calls), ...others].sort();
  test("simdnn/kernels", () => {
    expect(known(kernelCalls, "isSimdnnError")).toEqual(Object.keys(ofKernels).sort());
  });
  test("simdnn", () => {
    expect(known({ ...functionCalls, ...promiseCalls }, "isSimdnnError").filter((name) => !name.includes("."))).toEqual(
      Object.keys(ofLibrary).sort(),
    );
  });
  test.each(Object.entries(grouped))("%s", (_, [exports, calls]) => {
    expect(known(calls)).toEqual(Object.keys(functionsOf(exports)).sort());
  });
  test("ops", () => {
    expect(known(opCalls, "derivesFromOutput", "productFlops")).toEqual(Object.keys(ofOps).sort());
  });
});

const random = 100;
test.each(Object.entries(kernelCalls))("kernels.%s", (name, args) => withstands(ofKernels[name]!, { args }, random));
test.each(Object.entries(opCalls))("ops.%s", (name, sound) => withstands(ofOps[name]!, sound, random));
test.each(Object.entries(functionCalls))("%s", (name, sound) => withstands(ofLibrary[name]!, sound, random));
test.each(Object.entries(methodCalls))("%s", (name, sound) => withstands(method(name), sound, random));
const members = Object.entries(grouped).flatMap(([group, [exports, calls]]) =>
  Object.entries(calls).map(([name, sound]) => [`${group}.${name}`, functionsOf(exports)[name]!, sound] as const),
);
test.each(members)("%s", (_, call, sound) => withstands(call, sound, random));
test.each(Object.entries(promiseCalls))("%s", (name, sound) =>
  withstands(sound.on ? method(name) : ofLibrary[name]!, sound, random, inTime),
);

test("in all, a hundred thousand calls", () => {
  expect(calls).toBeGreaterThan(100_000);
});
