// How often what is random or rare is tried: few times in every run of the tests, many times in `npm run test:long`.
export const long = process.env.SIMDNN_LONG !== undefined;

export function times(usual: number, inLongRuns: number): number {
  return long ? inLongRuns : usual;
}

/** A test may take as long as what it does so often. */
export const patience = long ? 3_600_000 : 60_000;
