// Values that no function of the library asks for, and calls with one part of their arguments replaced by such a value.
import fc from "fast-check";
import { inspect, types } from "node:util";
import { dataset, dense, parameter, sequential, SimdnnError, Tensor, tensor } from "simdnn";

/** What hostile callbacks throw. */
export const theUsersOwn = new RangeError("the user's own");

function detached(): Float32Array {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const shared = (): Float32Array => new Float32Array(new SharedArrayBuffer(16));
const odd = (): Uint8Array => new Uint8Array(new ArrayBuffer(33), 1, 5);

// Node has resizable buffers before TypeScript's ES2022 does.
type Resizable = ArrayBuffer & { resize(bytes: number): void };
const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable;
const Growable = SharedArrayBuffer as unknown as new (bytes: number, options: object) => SharedArrayBuffer;
const room = { maxByteLength: 64 };

function resized(): Float32Array {
  const buffer = new Resizable(16, room);
  const array = new Float32Array(buffer);
  buffer.resize(4);
  return array;
}

/** Its place is behind the end of its buffer. */
function outOfBounds(): Float32Array {
  const buffer = new Resizable(32, room);
  const array = new Float32Array(buffer, 16, 4);
  buffer.resize(8);
  return array;
}

/** Numbers in nested arrays that are told apart while they are read: the second takes the memory of the first. */
function losesItsMemory(take: (buffer: Resizable) => void): unknown[] {
  const buffer = new Resizable(16, room);
  const rows: unknown[] = [new Float32Array(buffer), undefined];
  Object.defineProperty(rows, 1, {
    enumerable: true,
    get() {
      take(buffer);
      return [1, 2, 3, 4];
    },
  });
  return rows;
}

const transferred = (buffer: ArrayBuffer): void => void structuredClone(buffer, { transfer: [buffer] });

/** An object whose conversion to a number or text takes the memory of an array that it holds itself. */
function convertedWhileTaken(): object {
  const array = new Float32Array(4);
  const take = (): number => {
    if (array.byteLength > 0) transferred(array.buffer);
    return 1;
  };
  return { array, valueOf: take, toString: () => String(take()), length: 4 };
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const thrower = (): never => {
  throw theUsersOwn;
};

function endless(): unknown[] {
  const array: unknown[] = [];
  array.push(array);
  return array;
}

// No number in between, which would be a sound wish for much memory.
const numbers = [NaN, Infinity, -Infinity, -1, -0, 0, 0.5, 1, 2, 3, 1e-300, 1e300, 2 ** 40, 2 ** 53, -(2 ** 31)];

/** Made anew for every call, since some can be spent. */
export const makers: readonly (() => unknown)[] = [
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
  () => Object.assign([], { 1: 1 }),
  endless,
  () => () => 1,
  () => thrower,
  () => SimdnnError,
  () => Map,
  () => revoked({}),
  () => revoked([]),
  () => revoked(() => 1),
  () => new Proxy({}, { get: thrower, ownKeys: thrower, has: thrower, getPrototypeOf: thrower }),
  () => ({
    get shape() {
      return thrower();
    },
    get length() {
      return thrower();
    },
  }),
  () => ({ valueOf: thrower, toString: thrower, toJSON: thrower, [inspect.custom]: thrower }),
  () => ({ [Symbol.iterator]: () => ({}) }),
  () => ({ [Symbol.asyncIterator]: () => ({}) }),
  () => Object.create(Tensor.prototype) as object,
  () => new Proxy(tensor([1, 2]), {}),
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
  outOfBounds,
  () => new Float32Array(new Resizable(16, room)),
  () => new Float32Array(new Growable(16, room) as unknown as ArrayBuffer),
  () => losesItsMemory(transferred),
  () => losesItsMemory((buffer) => buffer.resize(4)),
  convertedWhileTaken,
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

/** Each place in the arguments, and the place behind the last, with each hostile value: as many calls as there are pairs. */
export function* everyBend(args: () => unknown[]): Generator<(args: unknown[]) => unknown[]> {
  const count = placesIn(args()).length;
  for (let place = 0; place < count; place++)
    for (const value of makers)
      yield (sound) => {
        const [holder, key] = placesIn(sound)[place]!;
        holder[key] = value();
        return sound;
      };
}

/** Every element and property reachable through plain arrays and objects, without setting off what a hostile one does. */
function placesIn(holder: unknown, above: readonly unknown[] = []): [Holder, string][] {
  if (typeof holder !== "object" || holder === null || types.isProxy(holder) || above.includes(holder)) return [];
  if (!Array.isArray(holder) && Object.getPrototypeOf(holder) !== Object.prototype) return [];
  return Object.entries(Object.getOwnPropertyDescriptors(holder)).flatMap(([key, { value, enumerable, writable }]) =>
    enumerable && writable ? [[holder as Holder, key] as [Holder, string], ...placesIn(value, [...above, holder])] : [],
  );
}
