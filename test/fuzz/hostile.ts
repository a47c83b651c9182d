// Values that no function of the library asks for, and calls with one part of their arguments replaced by such a value.
import fc from "fast-check";
import { dataset, dense, parameter, sequential, tensor } from "simdnn";

/** What hostile callbacks throw. */
export const theUsersOwn = new RangeError("the user's own");

function detached(): Float32Array {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const shared = (): Float32Array => new Float32Array(new SharedArrayBuffer(16));
const odd = (): Uint8Array => new Uint8Array(new ArrayBuffer(33), 1, 5);

function resized(): Float32Array {
  // Node has resizable buffers before TypeScript's ES2022 does.
  const Resizable = ArrayBuffer as unknown as new (
    bytes: number,
    options: object,
  ) => ArrayBuffer & { resize(bytes: number): void };
  const buffer = new Resizable(16, { maxByteLength: 64 });
  const array = new Float32Array(buffer);
  buffer.resize(4);
  return array;
}

// No number in between, which would be a sound wish for much memory.
const numbers = [NaN, Infinity, -Infinity, -1, -0, 0, 0.5, 1, 2, 3, 1e-300, 1e300, 2 ** 40, 2 ** 53, -(2 ** 31)];

/** Made anew for every call, since some can be spent. */
const makers: readonly (() => unknown)[] = [
  ...[...numbers, undefined, null, "", "relu", "toString", "__proto__", true, false, 10n, Symbol("s")].map(
    (x) => () => x,
  ),
  () => ({}),
  () => ({ length: 2 }),
  () => ({ shape: [2, 2] }),
  () => [] as unknown[],
  () => [[]],
  () => [[1], [1, 2]],
  () => [1, "2"],
  () => [NaN, 1],
  () => [2 ** 31, 2 ** 31, 2 ** 31],
  () => new Array<number>(3),
  () => () => 1,
  () => () => {
    throw theUsersOwn;
  },
  () => new Date(NaN),
  () => new Map(),
  () => Object.create(null) as object,
  () => Promise.resolve(1),
  () => new ArrayBuffer(8),
  () => new DataView(new ArrayBuffer(8)),
  detached,
  shared,
  odd,
  resized,
  () => new Float32Array(0),
  () => Float32Array.of(NaN, 1),
  () => Float64Array.of(1, 2, 3),
  () => Int32Array.of(-1, 7),
  () => new BigInt64Array(2),
  () => tensor(1),
  () => tensor([]),
  () => tensor([[1, 2, 3]]),
  () => tensor([1e38, -1e38]),
  () => tensor(Int32Array.of(2 ** 31 - 1, -(2 ** 31))),
  () => tensor(Uint8Array.of(1, 2)),
  () => tensor(Float64Array.of(1, NaN)),
  () => parameter([[1, 2]]),
  () => dense(2),
  () => dataset([[1, 2]], Int32Array.of(0)),
  () => sequential([dense(2)], { inputShape: [2], seed: 1 }),
];

const hostileValue: fc.Arbitrary<() => unknown> = fc.constantFrom(...makers);

interface Bend {
  /** Which of the places in the arguments, as a fraction of their number. */
  readonly place: number;
  readonly how: "replace" | "remove" | "add";
  readonly value: () => unknown;
}

/** One to three changes of a sound call. */
export const bends: fc.Arbitrary<readonly Bend[]> = fc.array(
  fc.record({
    place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    how: fc.constantFrom("replace", "replace", "replace", "remove", "add"),
    value: hostileValue,
  }),
  { minLength: 1, maxLength: 3 },
);

type Holder = Record<string, unknown>;

/** The arguments with the changes made: in place, so give it arguments of their own. */
export function bend(args: unknown[], changes: readonly Bend[]): unknown[] {
  for (const { place, how, value } of changes) {
    const places = placesIn(args);
    const [holder, key] = places[Math.floor(place * places.length)] ?? [args as unknown as Holder, "0"];
    if (how === "replace") holder[key] = value();
    else if (how === "add") holder[Array.isArray(holder) ? String(holder.length) : "unheard"] = value();
    else if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else Reflect.deleteProperty(holder, key);
  }
  return args;
}

/** Every element and property reachable through plain arrays and objects. */
function placesIn(holder: unknown): [Holder, string][] {
  if (typeof holder !== "object" || holder === null) return [];
  if (!Array.isArray(holder) && Object.getPrototypeOf(holder) !== Object.prototype) return [];
  return Object.keys(holder).flatMap((key) => [
    [holder as Holder, key] as [Holder, string],
    ...placesIn((holder as Holder)[key]),
  ]);
}
