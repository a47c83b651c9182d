// Seeded streams of random numbers in TypeScript, for shuffles, splits and data. Tensors get theirs from the native random
// ops; both are Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) with one layout, so
// that element i of `randomUniform` equals draw i of the stream with the same seed and number.
import { randomInt } from "node:crypto";
import { nonNegativeInteger, wrongValue } from "./options.js";

/** A stream of random numbers: the same `seed` and `stream` give the same numbers, on every machine. */
export interface RandomStream {
  /** The seed, also when it was drawn because none was given: keep it to repeat a run. */
  readonly seed: number;
  /** An integer, uniform in [0, 2³²). */
  uint32(): number;
  /** A number, uniform in [0, 1), a multiple of 2⁻²⁴ and therefore exact in float32. */
  uniform(): number;
  /** A number from the standard normal distribution (Box–Muller; uses up one draw). */
  normal(): number;
  /** An integer, uniform in [0, n), without bias; 1 <= n <= 2³². */
  integer(n: number): number;
  /** The integers 0 … n-1 in random order. */
  permutation(n: number): Int32Array;
  /** Puts the elements of `array` in random order, in place, and returns it. */
  shuffle<T extends { readonly length: number; [index: number]: unknown }>(array: T): T;
}

/**
 * A stream of random numbers.
 *
 * @param seed an integer >= 0; drawn from the operating system when absent
 * @param stream which of the seed's 2³¹ independent streams
 * @throws OptionError when either is not an integer in its range
 *
 * @example
 * ```ts
 * const random = randomStream(1);
 * random.permutation(5); // the same order every time
 * ```
 */
export function randomStream(seed?: number, stream = 0): RandomStream {
  return new PhiloxStream(resolveSeed("randomStream", seed), checkStream(stream));
}

/** `seed` if it is an integer >= 0, a fresh one from the operating system if it is undefined; else an OptionError. */
export function resolveSeed(where: string, seed: number | undefined): number {
  return seed === undefined ? randomInt(2 ** 48 - 1) : nonNegativeInteger(where, "seed", seed);
}

/** The `index`-th of a family of seeds that are independent of each other and of `seed`'s own streams. */
export function deriveSeed(seed: number, index: number): number {
  const words = new Uint32Array(4);
  const [low, high] = split(nonNegativeInteger("deriveSeed", "index", index));
  philox(words, 0, low, high, reserved, reserved, ...split(nonNegativeInteger("deriveSeed", "seed", seed)));
  return words[0]! + (words[1]! >>> 11) * 2 ** 32;
}

/**
 * Philox4x32 with ten rounds: writes the four words of counter (c0, c1, c2, c3) under key (k0, k1) to `out` at `at`, `at + stride`, …
 */
export function philox(
  out: Uint32Array,
  at: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  stride = 1,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53, c0);
    const high1 = mulHigh(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0);
    c0 = high1 ^ c1 ^ k0;
    c1 = Math.imul(0xcd9e8d57, c2);
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[at] = c0;
  out[at + stride] = c1;
  out[at + 2 * stride] = c2;
  out[at + 3 * stride] = c3;
}

/** The upper 32 bits of the 64-bit product of two words, as a signed word. */
function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff, a1 = a >>> 16; // prettier-ignore
  const b0 = b & 0xffff, b1 = b >>> 16; // prettier-ignore
  const middle = Math.imul(a1, b0) >>> 0;
  const carry = (Math.imul(a0, b0) >>> 16) + (middle & 0xffff) + (Math.imul(a0, b1) & 0xffff);
  return (Math.imul(a1, b1) + (middle >>> 16) + (Math.imul(a0, b1) >>> 16) + (carry >>> 16)) | 0;
}

// The native kernels fill vectors of 16 lanes, so 16 blocks give 64 consecutive draws: all first words, then all second words …
const lanes = 16;
const draws = 4 * lanes;
const pairedStream = 0x80000000; // Box–Muller's second number comes from the same block of this stream
const reserved = 0xffffffff; // step and stream of derived seeds: no op and no user stream has both

class PhiloxStream implements RandomStream {
  readonly #key: readonly [number, number];
  readonly #words = new Uint32Array(draws);
  #pairs: Uint32Array | undefined; // made when the first normal() asks
  #pairsGroup = -1;
  #group = -1;
  #next = draws;

  constructor(
    readonly seed: number,
    readonly stream: number,
  ) {
    this.#key = split(seed);
  }

  uint32(): number {
    if (this.#next === draws) {
      this.#fill(this.#words, ++this.#group, this.stream);
      this.#next = 0;
    }
    return this.#words[this.#next++]!;
  }

  uniform(): number {
    return (this.uint32() >>> 8) * 2 ** -24;
  }

  normal(): number {
    const first = ((this.uint32() >>> 8) + 1) * 2 ** -24; // in (0, 1]: its logarithm is finite
    this.#pairs ??= new Uint32Array(draws);
    if (this.#pairsGroup !== this.#group)
      this.#fill(this.#pairs, (this.#pairsGroup = this.#group), this.stream + pairedStream);
    const second = (this.#pairs[this.#next - 1]! >>> 8) * 2 ** -24;
    return Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
  }

  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) throw wrongValue("integer", "n", "an integer from 1 to 2^32", n);
    const tail = 2 ** 32 % n; // so many words would make the small results likelier: refuse them
    let word = this.uint32();
    while (word >= 2 ** 32 - tail) word = this.uint32();
    return word % n;
  }

  permutation(n: number): Int32Array {
    if (!Number.isInteger(n) || n < 0 || n >= 2 ** 31)
      throw wrongValue("permutation", "n", "an integer from 0 to 2^31 - 1", n);
    return this.shuffle(Int32Array.from({ length: n }, (_, i) => i));
  }

  shuffle<T extends Shuffled>(array: T): T {
    shuffling(this, array, array.length).next();
    return array;
  }

  #fill(words: Uint32Array, group: number, stream: number): void {
    const [k0, k1] = this.#key;
    for (let lane = 0; lane < lanes; lane++) {
      const [low, high] = split(group * lanes + lane);
      philox(words, lane, low, high, 0, stream, k0, k1, lanes);
    }
  }
}

interface Shuffled {
  readonly length: number;
  [index: number]: unknown;
}

/** A shuffle that pauses after every `pace` elements, so that others get their turn. */
export function* shuffling(random: Pick<RandomStream, "integer">, array: Shuffled, pace: number): Generator<void> {
  for (let i = array.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const kept = array[i];
    array[i] = array[j];
    array[j] = kept;
    if (i % pace === 0) yield;
  }
}

function checkStream(stream: number): number {
  if (!Number.isInteger(stream) || stream < 0 || stream >= pairedStream)
    throw wrongValue("randomStream", "stream", "an integer from 0 to 2^31 - 1", stream);
  return stream;
}

function split(integer: number): [low: number, high: number] {
  return [integer >>> 0, Math.floor(integer / 2 ** 32)];
}
