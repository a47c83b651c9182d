// Sorting in pieces gives what the engine's own sort gives, and lets others have a turn.
import { expect, test } from "vitest";
import { auc, randomStream, rocAuc } from "simdnn";
import { sorting } from "#lib/metrics/sorting.js";
import { atOnce, inTurns } from "#lib/turns.js";

const run = 1 << 14;
const strange = [NaN, Infinity, -Infinity, 0, -0, Number.MIN_VALUE];

test.each([0, 1, 2, run - 1, run, run + 1, 2 * run, 3 * run - 5, 7 * run + 3, 200_001])("%i numbers", (count) => {
  const random = randomStream(count);
  for (const distinct of [1e9, 50]) {
    const values = Float64Array.from({ length: count }, () =>
      random.integer(100) === 0 ? strange[random.integer(strange.length)]! : Math.floor(random.uniform() * distinct),
    );
    const expected = values.slice().sort();
    const found = atOnce(sorting(values));
    expect(found.length).toBe(count);
    const wrong = found.findIndex((value, i) => value !== expected[i]! && !(Number.isNaN(value) && Number.isNaN(expected[i]!))); // prettier-ignore
    expect(wrong).toBe(-1);
  }
});

const count = 300_000;
const random = randomStream(7);
const labels = Float64Array.from({ length: count }, () => random.integer(2));
// On few values, so that the area is a matter of counting.
const scores = labels.map((label) => random.integer(8) + 2 * label);

function counted(): number {
  const [inside, outside] = [1, 0].map((label) =>
    Array.from(
      { length: 10 },
      (_, value) => scores.filter((score, i) => score === value && labels[i] === label).length,
    ),
  ) as [number[], number[]];
  const wins = inside.flatMap((ours, a) => outside.map((others, b) => ours * others * (a > b ? 1 : a === b ? 0.5 : 0)));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return sum(wins) / sum(inside) / sum(outside);
}

test("the area under the curve of many examples", () => {
  expect(rocAuc(scores, labels)).toBeCloseTo(counted(), 12);
});

test("auc takes turns with the event loop", async () => {
  const rows = Float64Array.from({ length: 2 * count }, (_, i) => (i % 2 ? labels : scores)[i >> 1]!);
  let turns = 0;
  let counting = setImmediate(function count() {
    turns++;
    counting = setImmediate(count);
  });
  expect(await auc().finish!(rows, count)).toBe(rocAuc(scores, labels));
  clearImmediate(counting);
  expect(turns).toBeGreaterThan(count / run); // at least one for each piece that is sorted
});

test("work in turns has one for each pause, and its result and errors", async () => {
  function* work(): Generator<void, number> {
    yield;
    yield;
    return 3;
  }
  let turns = 0;
  setImmediate(() => setImmediate(() => turns++)); // in the second turn
  expect(await inTurns(work())).toBe(3);
  expect(turns).toBe(1);
  expect(atOnce(work())).toBe(3);
  function* failing(): Generator<void, number> {
    yield;
    throw new Error("within");
  }
  await expect(inTurns(failing())).rejects.toThrow("within");
});
