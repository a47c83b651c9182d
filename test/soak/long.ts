// How often what is random or rare is tried: few times in every run of the tests, many times in `npm run test:long`.
export const long = process.env.SIMDNN_LONG !== undefined;

export function times(usual: number, inLongRuns: number): number {
  return long ? inLongRuns : usual;
}

/** A test may take as long as what it does so often. */
export const patience = long ? 3_600_000 : 60_000;

/** Prints how long something took, in milliseconds, where the tests are long ones; what is asserted are counts, which no busy machine changes. */
export function report(what: string, milliseconds: readonly number[]): void {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(1);
  if (long) console.log(`${what}: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`);
}
