// Successive halving: who goes on, by hand, whatever ends first and however many run side by side.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { dataset, dense, sequential, sgd, space, tune, type Trial } from "simdnn";

const line = { x: space.linear(0, 1) };

/** Trains for `epochs`: the score falls towards x, slower for large indices. */
const training =
  (epochs: number, delay: (index: number) => number = () => 0) =>
  async ({ x }: { readonly x: number }, { index, report }: Trial): Promise<number> => {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      if (delay(index) > 0) await sleep(delay(index));
      await report(epoch, x + 1 / epoch);
    }
    return x;
  };

const options = { strategy: "halving", trials: 9, seed: 2 } as const;
const stepsOf = (trials: readonly { readonly index: number; readonly reports: readonly unknown[] }[]): number[] =>
  [...trials].sort((a, b) => a.index - b.index).map(({ reports }) => reports.length);

test("of nine, three go on to step 3, and one beyond", async () => {
  const { trials, best } = await tune(line, training(10), options);
  const byMerit = [...trials].sort((a, b) => a.config.x - b.config.x);
  expect(byMerit.map(({ reports }) => reports.length)).toEqual([10, 3, 3, 1, 1, 1, 1, 1, 1]);
  expect(byMerit.map(({ status }) => status)).toEqual(["done", ...Array<string>(8).fill("stopped")]);
  expect(trials.map(({ index }) => index)).toEqual(byMerit.map(({ index }) => index));
  expect(best.score).toBe(best.config.x);
  expect(trials[1]).toMatchObject({ score: trials[1]!.config.x + 1 / 3, error: undefined });
});

test.each([1, 2, 4, 20])("%i side by side decide the same", async (parallel) => {
  const alone = await tune(line, training(10), options);
  const { trials } = await tune(
    line,
    training(10, (index) => (index * 5) % 4),
    { ...options, parallel },
  );
  const told = (list: typeof trials): unknown => list.map(({ index, status, score, reports }) => [index, status, score, reports]); // prettier-ignore
  expect(told(trials)).toEqual(told(alone.trials));
});

test("firstStep and reduction: eight at step 2, four go on to 4, two to 8, one beyond", async () => {
  const { trials } = await tune(line, training(9), { ...options, trials: 8, firstStep: 2, reduction: 2 });
  expect(stepsOf(trials).sort((a, b) => a - b)).toEqual([2, 2, 2, 2, 4, 4, 8, 9]);
});

test("large scores may be the good ones", async () => {
  const { trials } = await tune(line, training(10), { ...options, mode: "max" });
  expect(trials.map(({ config }) => config.x)).toEqual([...trials].sort((a, b) => b.reports.length - a.reports.length || b.config.x - a.config.x).map(({ config }) => config.x)); // prettier-ignore
});

test("trials that end early take part, those that fail do not", async () => {
  const scores = [5, 1, 4, 9, 9, 9, 9, 9, 9];
  const { trials } = await tune(
    line,
    async (_, { index, report }) => {
      if (index === 0) return 2; // the second best at steps 1 and 3, without a report
      if (index === 8) throw new Error("no");
      for (let step = 1; step <= 4; step++) await report(step, scores[index]!);
      return scores[index]!;
    },
    options,
  );
  expect(trials.map(({ index, status }) => `${index} ${status}`).slice(0, 3)).toEqual([
    "1 done",
    "0 done",
    "2 stopped",
  ]);
  expect(stepsOf(trials)).toEqual([0, 4, 3, 1, 1, 1, 1, 1, 0]);
  expect(trials.at(-1)).toMatchObject({ index: 8, status: "failed" });
});

test("reports that step over a rung count for it", async () => {
  const { trials } = await tune(line, async ({ x }, { report }) => { for (let step = 2; step < 12; step += 2) await report(step, x); return x; }, options); // prettier-ignore
  expect(stepsOf(trials).sort((a, b) => a - b)).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 5]);
});

test("an objective that goes on all the same is stopped for good, and its signal says so", async () => {
  const aborted: boolean[] = [];
  const { trials } = await tune(
    line,
    async ({ x }, { report, signal }) => {
      await report(1, x).catch(() => undefined);
      aborted.push(signal.aborted);
      return -100;
    },
    { ...options, trials: 3 },
  );
  expect(trials.map(({ status, score }) => [status, score])).toEqual([["done", -100], ["stopped", trials[1]!.config.x], ["stopped", trials[2]!.config.x]]); // prettier-ignore
  expect(aborted.sort()).toEqual([false, true, true]);
});

test("watch() stops networks in the middle of fit", async () => {
  const data = dataset([[1], [2], [3]], [[2], [4], [6]]);
  const epochs: number[] = [];
  const { trials, best } = await tune(
    { learningRate: space.log(1e-6, 1e-1) },
    {
      build: ({ learningRate }, { seed }) => sequential([dense(1)], { inputShape: [1], seed }).compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate }) }), // prettier-ignore
      train: data,
      validationData: data,
      fit: (_, { index }) => ({ epochs: 12, batchSize: 3, callbacks: [{ onEpochEnd: (epoch) => void (epochs[index] = epoch + 1) }] }), // prettier-ignore
    },
    { ...options, parallel: 2 },
  );
  expect([...epochs].sort((a, b) => a - b)).toEqual([1, 1, 1, 1, 1, 1, 3, 3, 12]);
  expect(epochs[best.index]).toBe(12);
  expect(trials.filter(({ status }) => status === "stopped").length).toBe(8);
});
