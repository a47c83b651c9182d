// Tests of whether two samples come from one distribution: statistics and their p-values. Knows no datasets.

/**
 * The two-sample Kolmogorov–Smirnov statistic: the largest distance between the shares of two samples that are at most x.
 *
 * @param a - ascending
 * @param b - ascending
 */
export function kolmogorovSmirnov(a: Float64Array, b: Float64Array): number {
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const x = Math.min(a[i]!, b[j]!);
    while (a[i] === x) i++;
    while (b[j] === x) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

const mostPaths = 40_000;

/**
 * The chance that samples of `m` and `n` from one distribution are as far apart as `statistic` or farther. Exact for small ones. For large ones it
 * is Kolmogorov's limit with Stephens's correction (1970), taken half a step below the statistic, whose values are that far apart: within 10 % of
 * the exact chance. Ties make the true one smaller.
 */
export function kolmogorovSmirnovChance(statistic: number, m: number, n: number): number {
  if (m * n <= mostPaths) return crossingChance(Math.round(statistic * m * n), m, n);
  const step = commonDivisor(m, n) / (m * n);
  const root = Math.sqrt((m * n) / (m + n));
  return kolmogorovSurvival((statistic - step / 2) * (root + 0.12 + 0.11 / root));
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** The share of the ways from (0, 0) to (m, n) by steps right and up that come to a point with `|i n - j m| >= distance`. */
function crossingChance(distance: number, m: number, n: number): number {
  const crossed = new Float64Array(n + 1);
  for (let i = 0; i <= m; i++)
    for (let j = 0; j <= n; j++) {
      const last = i + j;
      const before = last === 0 ? 0 : (i * crossed[j]! + j * (crossed[j - 1] ?? 0)) / last;
      crossed[j] = Math.abs(i * n - j * m) >= distance ? 1 : before;
    }
  return crossed[n]!;
}

/** `2 Σ (-1)^(k-1) exp(-2 k² x²)`, k = 1, 2, …: the limit of the chance that √n times the statistic exceeds x. */
export function kolmogorovSurvival(x: number): number {
  const terms = [1, 2, 3, 4, 5];
  if (x <= 0.1) return 1;
  // The same function by its theta transform, which converges where the series does not.
  if (x < 1) {
    const sum = terms.reduce((total, k) => total + Math.exp((-((2 * k - 1) ** 2) * Math.PI ** 2) / (8 * x * x)), 0);
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  return 2 * terms.reduce((total, k) => total - (-1) ** k * Math.exp(-2 * k * k * x * x), 0);
}

/** Pearson's χ² of two rows of counts, over the columns that are not empty, and its degrees of freedom. */
export function chiSquare(
  a: readonly number[],
  b: readonly number[],
): { statistic: number; degrees: number; contributions: number[] } {
  const [m, n] = [a, b].map((counts) => counts.reduce((sum, count) => sum + count, 0)) as [number, number];
  const contributions = a.map((count, k) => {
    const both = count + b[k]!;
    if (both === 0) return 0;
    const [first, second] = [(both * m) / (m + n), (both * n) / (m + n)];
    return (count - first) ** 2 / first + (b[k]! - second) ** 2 / second;
  });
  const columns = a.filter((count, k) => count + b[k]! > 0).length;
  return { statistic: contributions.reduce((x, y) => x + y, 0), degrees: columns - 1, contributions };
}

/** The chance that χ² with so many degrees of freedom is `statistic` or larger. */
export function chiSquareSurvival(statistic: number, degrees: number): number {
  return degrees === 0 ? 1 : upperGamma(degrees / 2, statistic / 2);
}

/** The regularized upper incomplete gamma function for a = ½, 1, 1½ …: a series below the bulk, a continued fraction (Lentz) above. */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let k = 1; term > sum * 1e-17; k++) sum += term *= x / (a + k);
    return 1 - front * sum;
  }
  let b = x + 1 - a;
  let c = Infinity;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; Math.abs(c * d - 1) > 1e-15; k++) {
    const an = k * (a - k);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    fraction *= c * d;
  }
  return front * fraction;
}

/** ln Γ for a = ½, 1, 1½ … */
function logGamma(a: number): number {
  let sum = Number.isInteger(a) ? 0 : Math.log(Math.PI) / 2;
  for (let x = a - 1; x > 0; x--) sum += Math.log(x);
  return sum;
}

/** Holm's correction: p-values that may be judged one by one, while all of them together err no more often than one would. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i]! - pValues[j]!);
  const corrected = new Array<number>(pValues.length);
  let least = 0;
  order.forEach((i, rank) => {
    least = Math.max(least, Math.min(1, (pValues.length - rank) * pValues[i]!));
    corrected[i] = least;
  });
  return corrected;
}
