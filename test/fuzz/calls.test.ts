// Every public function is called with bad arguments: it works, or fails with an error of the library, and nothing else happens.
// SIMDNN_FUZZ=10 makes ten times as many calls.
import fc from "fast-check";
import * as simdnn from "simdnn";
import * as kernels from "simdnn/kernels";
import { afterEach, describe, expect, test, vi } from "vitest";
import { isSimdnnError } from "#lib/errors.js";
import { bend, bends, theUsersOwn } from "./hostile.js";
import { kernelCalls } from "./kernel-calls.js";
import { functionCalls, grouped, methodCalls, opCalls, promiseCalls, type Sound } from "./library-calls.js";

type Call = (...args: unknown[]) => unknown;

const scale = Number(process.env.SIMDNN_FUZZ ?? 1);
/** The same calls each time, unless there are more of them. */
const seed = scale === 1 ? { seed: 1 } : {};
vi.setConfig({ testTimeout: 60_000 * scale });

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

function withstands(call: Call, { args, on }: Sound, numRuns: number): void {
  call.apply(on?.(), args());
  fc.assert(
    fc.property(bends, (changes) => {
      try {
        call.apply(on?.(), bend(args(), changes));
      } catch (error) {
        allowed(error);
      }
    }),
    { numRuns: numRuns * scale, ...seed },
  );
}

const ofKernels = functionsOf(kernels);
const ofLibrary = functionsOf(simdnn);
const ofOps = functionsOf(simdnn.ops);

const methodNamed = (name: string, on: object): Call => (on as Record<string, Call>)[name.split(".")[1]!]!;

afterEach(() => simdnn.setMemoryLimit(Infinity));

describe("has a sound call of each function", () => {
  const known = (calls: object, ...others: string[]): string[] => [...Object.keys(calls), ...others].sort();
  test("simdnn/kernels", () => {
    expect(known(kernelCalls, "isSimdnnError")).toEqual(Object.keys(ofKernels).sort());
  });
  test("simdnn", () => {
    const files = ["csvLog", "modelCheckpoint"]; // would write wherever a hostile path points
    expect(
      known({ ...functionCalls, ...promiseCalls }, "isSimdnnError", ...files).filter((name) => !name.includes(".")),
    ).toEqual(Object.keys(ofLibrary).sort());
  });
  test.each(Object.entries(grouped))("%s", (_, [exports, calls]) => {
    expect(known(calls)).toEqual(Object.keys(functionsOf(exports)).sort());
  });
  test("ops", () => {
    expect(known(opCalls, "derivesFromOutput", "productFlops")).toEqual(Object.keys(ofOps).sort());
  });
});

test.each(Object.entries(kernelCalls))("kernels.%s", (name, args) => withstands(ofKernels[name]!, { args }, 800));
test.each(Object.entries(opCalls))("ops.%s", (name, sound) => withstands(ofOps[name]!, sound, 500));
test.each(Object.entries(functionCalls))("%s", (name, sound) => withstands(ofLibrary[name]!, sound, 300));
test.each(Object.entries(methodCalls))("%s", (name, sound) => {
  withstands(function (this: object, ...args) { return methodNamed(name, this).apply(this, args); }, sound, 300); // prettier-ignore
});
const members = Object.entries(grouped).flatMap(([group, [exports, calls]]) =>
  Object.entries(calls).map(([name, sound]) => [`${group}.${name}`, functionsOf(exports)[name]!, sound] as const),
);
test.each(members)("%s", (_, call, sound) => withstands(call, sound, 300));
test.each(Object.entries(promiseCalls))("%s", async (name, { args, on }) => {
  const call = (changes: Parameters<typeof bend>[1]): unknown => {
    const made = on?.();
    const bent = bend(args(), changes);
    // 2⁴⁰ epochs are a sound wish.
    for (const argument of bent as ({ fit?: unknown } | null | undefined)[])
      for (const options of [argument, argument?.fit] as ({ epochs?: unknown; signal?: AbortSignal } | undefined)[])
        if (typeof options?.epochs === "number" && options.epochs > 3) options.signal = AbortSignal.timeout(50);
    return (made ? methodNamed(name, made) : ofLibrary[name]!).apply(made, bent);
  };
  await fc.assert(
    fc.asyncProperty(bends, async (changes) => {
      try {
        await call(changes);
      } catch (error) {
        allowed(error);
      }
    }),
    { numRuns: 300 * scale, ...seed },
  );
});
