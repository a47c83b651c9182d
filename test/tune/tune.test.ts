// The search: what it tries, how it ranks, that a seed decides it whatever runs side by side, and what is refused.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { adam, datasets, dense, learningRateScheduler, sequential, space, tune, type Model, type Trial, type TrialResult, type TuneOptions } from "simdnn"; // prettier-ignore
import { failure } from "../failure.js";

const plane = { x: space.linear(0, 1), y: space.linear(0, 1) };
type Plane = { readonly x: number; readonly y: number };
const hill = ({ x, y }: Plane): number => (x - 0.3) ** 2 + (y - 0.8) ** 2;
/** Later trials end first. */
const shuffled = async (config: Plane, { index }: Trial): Promise<number> => {
  await sleep((7 * (20 - index)) % 5);
  return hill(config);
};
const told = <C>({ trials }: { readonly trials: readonly TrialResult<C>[] }): unknown =>
  trials.map(({ index, config, seed, status, score }) => ({ index, config, seed, status, score }));

describe("random", () => {
  test("ranks by score, and has every trial once", async () => {
    const { trials, best, mode } = await tune(plane, hill, { trials: 20, seed: 3 });
    expect(trials.map(({ index }) => index).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(trials.map(({ score }) => score)).toEqual(trials.map(({ config }) => hill(config)).sort((a, b) => a - b));
    expect(best).toBe(trials[0]);
    expect(mode).toBe("min");
    expect(new Set(trials.map(({ seed }) => seed)).size).toBe(20);
    const most = await tune(plane, hill, { trials: 20, seed: 3, mode: "max" });
    expect(most.best.index).toBe(trials.at(-1)!.index);
  });

  test("the first trials of a longer search are those of a shorter one", async () => {
    const [short, long] = await Promise.all([5, 9].map((trials) => tune(plane, hill, { trials, seed: 3 })));
    const inOrder = (result: typeof short): unknown[] => [...result!.trials].sort((a, b) => a.index - b.index).map(({ config }) => config); // prettier-ignore
    expect(inOrder(long).slice(0, 5)).toEqual(inOrder(short));
  });

  test("does not depend on how the space is written", async () => {
    const { x, y } = plane;
    const options = { trials: 3, seed: 1 };
    expect(told(await tune({ y, x }, hill, options))).toEqual(told(await tune({ x, y }, hill, options)));
  });
});

test.each(["random", "grid", "coarseToFine"] as const)("%s: a seed decides it, however many run side by side", async (strategy) => {
  const options = { strategy, trials: 20, seed: 5 };
  const alone = told(await tune(plane, hill, options));
  expect(told(await tune(plane, shuffled, { ...options, parallel: 4 }))).toEqual(alone);
  expect(told(await tune(plane, shuffled, { ...options, parallel: 50 }))).toEqual(alone);
  if (strategy !== "grid") expect(told(await tune(plane, hill, { ...options, seed: 6 }))).not.toEqual(alone);
}); // prettier-ignore

describe("grid", () => {
  test("tries every combination, from end to end, of as many values as fit", async () => {
    const mixed = { x: space.linear(0, 1), n: space.integer(1, 2), kind: space.choice(["a", "b"]) };
    const { trials } = await tune(mixed, () => 0, { strategy: "grid", trials: 13, seed: 1 });
    const inOrder = [...trials].sort((a, b) => a.index - b.index).map(({ config: { kind, n, x } }) => `${kind}${n} ${x}`); // prettier-ignore
    expect(inOrder).toEqual(["a", "b"].flatMap((kind) => [1, 2].flatMap((n) => [0, 0.5, 1].map((x) => `${kind}${n} ${x}`)))); // prettier-ignore
  });

  test("has all values of a scale that is short", async () => {
    const { trials } = await tune({ n: space.integer(1, 3) }, ({ n }) => n, { strategy: "grid", trials: 100 });
    expect(trials.map(({ config }) => config.n)).toEqual([1, 2, 3]);
  });

  test("takes the middle where there is room for one value, and says when there is not even that", async () => {
    const kinds = { kind: space.choice(["a", "b", "c"]), x: space.linear(0, 1) };
    const { trials } = await tune(kinds, () => 0, { strategy: "grid", trials: 5 });
    expect(trials.map(({ config }) => config.x)).toEqual([0.5, 0.5, 0.5]);
    await expect(tune(kinds, () => 0, { strategy: "grid", trials: 2 })).rejects.toThrow(
      failure("OptionError", /at least 3, the number of combinations of its choices, for trials but received 2/),
    );
  });
});

describe("coarseToFine", () => {
  test("each round lies closer about the best", async () => {
    const distances: number[] = [];
    for (let seed = 0; seed < 10; seed++) {
      const { trials } = await tune(plane, hill, { strategy: "coarseToFine", trials: 30, rounds: 3, seed });
      for (const { index, score } of trials) distances[Math.floor(index / 10)] = (distances[Math.floor(index / 10)] ?? 0) + Math.sqrt(score); // prettier-ignore
    }
    expect(distances[1]).toBeLessThan(0.7 * distances[0]!);
    expect(distances[2]).toBeLessThan(0.7 * distances[1]!);
  });

  test("keeps the choices that did well, and the scales that did not matter", async () => {
    const mixed = { kind: space.choice(["bad", "good", "worse"]), n: space.integer(1, 100) };
    const rated = ({ kind }: { kind: string }): number => ["good", "bad", "worse"].indexOf(kind);
    const { trials } = await tune(mixed, rated, { strategy: "coarseToFine", trials: 60, rounds: 2, seed: 1 });
    const late = trials.filter(({ index }) => index >= 30).map(({ config }) => config);
    expect(new Set(late.map(({ kind }) => kind))).toEqual(new Set(["good"]));
    expect(Math.max(...late.map(({ n }) => n)) - Math.min(...late.map(({ n }) => n))).toBeGreaterThan(30);
  });

  test("goes on where a whole round failed", async () => {
    const { trials } = await tune(plane, (config, { index }) => (index < 5 ? NaN : hill(config)), { strategy: "coarseToFine", trials: 10, rounds: 2, seed: 1 }); // prettier-ignore
    expect(trials.map(({ status }) => status)).toEqual([...Array<string>(5).fill("done"), ...Array<string>(5).fill("failed")]); // prettier-ignore
  });
});

describe("trials that fail", () => {
  test("are reported, after the others", async () => {
    const heard: TrialResult<Plane>[] = [];
    const result = await tune(
      plane,
      (_, { index }) => {
        if (index === 1) throw new RangeError("too wide\nby far");
        if (index === 2) return NaN;
        if (index === 3) return "0.5" as unknown as number;
        if (index === 4) return Promise.reject(new DOMException("given up", "AbortError"));
        if (index === 5) return { accuracy: 1 } as unknown as number;
        if (index === 7) return { score: 1, size: 5n } as unknown as number;
        return { score: -index, epochs: 7 };
      },
      { trials: 8, seed: 1, parallel: 2, onTrial: (trial) => void heard.push(trial) },
    );
    expect(result.trials.map(({ index, status }) => [index, status])).toEqual([[6, "done"], [0, "done"], ...[1, 2, 3, 4, 5, 7].map((index) => [index, "failed"])]); // prettier-ignore
    expect(result.best).toMatchObject({ score: -6, figures: { epochs: 7 }, error: undefined, attempts: 1 });
    expect(result.trials.slice(2).map(({ error }) => error)).toEqual([
      "RangeError: too wide\nby far",
      "OptionError: trial 2: expected a finite number for score but received NaN (number)",
      'OptionError: trial 3: expected a finite number for score but received "0.5" (string)',
      "AbortError: given up",
      "OptionError: trial 5: expected a finite number for score but received undefined",
      "OptionError: trial 7: expected what JSON can hold for figures but received { size: 5n } (object)",
    ]);
    expect([...heard].sort((a, b) => a.index - b.index)).toEqual([...result.trials].sort((a, b) => a.index - b.index));
    const lines = String(result).split("\n");
    expect(lines.length).toBe(9);
    expect(lines[0]).toMatch(/^trial {2}status {2}score {2}x +y$/);
    expect(lines[3]).toMatch(/^1 +failed +– .* RangeError: too wide$/);
  });

  test("leave no best one where all do", async () => {
    const result = await tune(plane, () => Promise.reject(new Error("no data")), { trials: 2 });
    expect(() => result.best).toThrow(failure("StateError", "tune: none of 2 trials ended with a score; trial 0 failed: Error: no data")); // prettier-ignore
  });

  test.each<[string, (trial: Trial) => unknown, RegExp]>([
    ["a report of NaN", ({ report }) => report(1, NaN), /a finite number for score but received NaN/],
    ["a step that does not grow", async ({ report }) => { await report(2, 1); await report(2, 1); }, /a number above 2, the step of its last report, for step but received 2/], // prettier-ignore
    ["a report that it does not wait for", ({ report }) => void report(1, Infinity), /a finite number for score but received Infinity/], // prettier-ignore
  ])("of %s", async (_, use, message) => {
    const { trials } = await tune(plane, async (_, trial) => { await use(trial); return 1; }, { trials: 1 }); // prettier-ignore
    expect(trials[0]).toMatchObject({ status: "failed", error: expect.stringMatching(message) as string });
  });
});

describe("abort", () => {
  test("rejects with the reason, and tells of the trials that it ended", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const heard: [number, string][] = [];
    const search = tune(
      plane,
      async (config, { index, signal }) => {
        if (index < 2) return hill(config);
        if (index === 3) controller.abort(reason);
        await sleep(60_000, undefined, { signal });
        return 0;
      },
      { trials: 9, parallel: 2, signal: controller.signal, onTrial: ({ index, status }) => void heard.push([index, status]) }, // prettier-ignore
    );
    await expect(search).rejects.toBe(reason);
    expect(heard.sort()).toEqual([[0, "done"], [1, "done"], [2, "aborted"], [3, "aborted"]]); // prettier-ignore
  });

  test("does not wait for an objective that does not listen", async () => {
    const controller = new AbortController();
    const search = tune(plane, () => new Promise<number>(() => controller.abort("enough")), { trials: 1, signal: controller.signal }); // prettier-ignore
    await expect(search).rejects.toBe("enough");
  });

  test("before it begins, begins nothing", async () => {
    const signal = AbortSignal.abort("no");
    await expect(tune(plane, () => expect.unreachable(), { trials: 1, signal })).rejects.toBe("no");
  });
});

test("an onTrial that throws ends the search", async () => {
  const oops = new Error("oops");
  let begun = 0;
  const onTrial = (): void => {
    throw oops;
  };
  await expect(tune(plane, () => ++begun, { trials: 5, onTrial })).rejects.toBe(oops);
  expect(begun).toBe(1);
});

test("side by side: as many as asked for, with their share of the threads", async () => {
  let [running, most] = [0, 0];
  const threads = new Set<number>();
  const objective = async (_: Plane, trial: Trial): Promise<number> => {
    threads.add(trial.threads);
    most = Math.max(most, ++running);
    await sleep(2);
    running--;
    return 0;
  };
  await tune(plane, objective, { trials: 9, parallel: 3, threads: 7 });
  expect([most, [...threads]]).toEqual([3, [2]]);
  threads.clear();
  await tune(plane, objective, { trials: 9, parallel: 3, threads: 2 });
  expect([most, [...threads]]).toEqual([3, [1]]);
});

describe("a model builder", async () => {
  const [train, dev] = (await datasets.digits({ count: 300, seed: 1 })).split([0.8, 0.2], { seed: 1 });
  const build = ({ rate }: { readonly rate: number }, { seed }: Trial): Model =>
    sequential([dense(10)], { inputShape: [784], seed }).compile({ loss: "softmaxCrossEntropy", optimizer: adam({ learningRate: rate }), metrics: ["accuracy"] }); // prettier-ignore
  const rates = { rate: space.log(1e-5, 1e-2) };

  test("is rated by what the network does on the dev set in the end", async () => {
    const models: Model[] = [];
    const search = { build: (config: { readonly rate: number }, trial: Trial) => (models[trial.index] = build(config, trial)), train, validationData: dev, fit: { epochs: 2, batchSize: 60 }, monitor: "valAccuracy" }; // prettier-ignore
    const { trials, mode } = await tune(rates, search, { trials: 4, seed: 1, parallel: 2, threads: 2 });
    expect(mode).toBe("max");
    expect(trials.map(({ score }) => score)).toEqual(trials.map(({ score }) => score).sort((a, b) => b - a));
    for (const { index, score, figures, reports } of trials) {
      const { accuracy, loss } = await models[index]!.evaluate(dev);
      expect([score, figures]).toEqual([accuracy, { valAccuracy: accuracy, valLoss: loss, epochs: 2 }]);
      expect(reports).toEqual([[1, expect.any(Number)], [2, accuracy]]); // prettier-ignore
    }
  });

  test("does the same alone and beside others", async () => {
    const search = { build, train, validationData: dev, fit: ({ rate }: { readonly rate: number }) => ({ epochs: 2, batchSize: rate < 1e-3 ? 30 : 60 }) }; // prettier-ignore
    const alone = told(await tune(rates, search, { trials: 4, seed: 1, parallel: 1 }));
    expect(told(await tune(rates, search, { trials: 4, seed: 1, parallel: 4, threads: 1 }))).toEqual(alone);
  });

  test.each([1, 2])("that trains for ever does not hold up others, with %i threads", async (threads) => {
    const controller = new AbortController();
    const { signal } = controller;
    let done = 0;
    const onTrial = (): void => {
      if (++done === 3) controller.abort("enough");
    };
    const fit = (_: object, { index }: Trial) => ({ epochs: index === 0 ? 1e9 : 2 });
    const search = { build, train, validationData: dev, fit };
    await expect(tune(rates, search, { trials: 4, parallel: 2, threads, signal, onTrial })).rejects.toBe("enough");
    expect(done).toBe(4);
  });

  test("fails where training does, with its reason", async () => {
    const wrong = { build: ({ rate }: { readonly rate: number }, trial: Trial) => build({ rate: 1e44 * rate }, trial), train, validationData: dev, fit: { epochs: 3 } }; // prettier-ignore
    const bad = await tune(
      rates,
      { ...wrong, fit: { epochs: 3, callbacks: [learningRateScheduler(() => NaN)] } },
      { trials: 1 },
    );
    expect(bad.trials[0]!.error).toMatch(
      /^OptionError: adam: expected a positive number for learningRate but received NaN/,
    );
    const unknown = await tune(rates, { build, train, validationData: dev, monitor: "valAccurcy" }, { trials: 1 });
    expect(unknown.trials[0]!.error).toMatch(/^OptionError: watch: expected one of loss, accuracy, valLoss, valAccuracy, learningRate for monitor but received "valAccurcy"/); // prettier-ignore
    const nan = await tune(rates, wrong, { trials: 1 });
    expect(nan.trials[0]!.error).toMatch(/^NonFiniteError: /);
  });

  test.each<[object, RegExp]>([
    [{ build: 5 }, /a function that makes a compiled model for build but received 5/],
    [{ build, train: [[1]], validationData: dev }, /a dataset for train/],
    [{ build, train }, /a dataset for validationData but received undefined/],
    [{ build, train, validationData: dev, monitor: "loss" }, /a curve of the validation data, such as "valLoss", for monitor/],
    [{ build, train, validationdata: dev }, /unknown option "validationdata"; did you mean "validationData"/],
  ])("%o is refused", async (search, message) => {
    await expect(tune(rates, search as { build: typeof build; train: typeof train; validationData: typeof dev }, { trials: 1 })).rejects.toThrow(failure("OptionError", message)); // prettier-ignore
  }); // prettier-ignore
});

describe("wrong use", () => {
  test.each<[unknown, unknown, object | undefined, RegExp]>([
    [{}, hill, { trials: 1 }, /^tune: expected at least one dimension for space/],
    [undefined, hill, { trials: 1 }, /an object of dimensions such as .* for space but received undefined/],
    [{ x: 5 }, hill, { trials: 1 }, /a dimension such as space\.linear\(0, 0\.5\) for space\.x but received 5/],
    [{ x: { at: () => 1, axes: [{ levels: Infinity, ordered: false }] } }, hill, { trials: 1 }, /a dimension .* for space\.x/],
    [{ x: { at: () => 1, axes: [{ levels: 2 ** 40, ordered: false }] } }, hill, { trials: 1 }, /a dimension .* for space\.x/],
    [{ x: { at: () => 1, axes: [{ levels: 0, ordered: true }] } }, hill, { trials: 1 }, /a dimension .* for space\.x/],
    [{ x: { at: () => 1, axes: [null] } }, hill, { trials: 1 }, /a dimension .* for space\.x/],
    [plane, undefined, { trials: 1 }, /a function, or an object with build, .* for objective but received undefined/],
    [plane, "hill", { trials: 1 }, /for objective but received "hill"/],
    [plane, hill, undefined, /an object with trials for options but received undefined/],
    [plane, hill, {}, /a positive integer for trials but received undefined/],
    [plane, hill, { trials: 0 }, /a positive integer for trials but received 0/],
    [plane, hill, { trials: 2.5 }, /a positive integer for trials/],
    [plane, hill, { trials: 1, strategy: "bayes" }, /one of "random", "grid", "coarseToFine", "halving" for strategy/],
    [plane, hill, { trials: 1, strategy: "coarsetofine" }, /did you mean "coarseToFine"/],
    [plane, hill, { trial: 1 }, /unknown option "trial"; did you mean "trials"/],
    [plane, hill, { trials: 1, parallel: 0 }, /a positive integer for parallel/],
    [plane, hill, { trials: 1, threads: -1 }, /a positive integer for threads/],
    [plane, hill, { trials: 1, seed: -1 }, /for seed but received -1/],
    [plane, hill, { trials: 1, mode: "least" }, /one of "min", "max" for mode/],
    [plane, hill, { trials: 1, signal: 5 }, /an AbortSignal for signal/],
    [plane, hill, { trials: 1, log: "" }, /a path for log/],
    [plane, hill, { trials: 1, onTrial: 5 }, /a function for onTrial/],
    [plane, hill, { trials: 1, rounds: 2 }, /nothing with strategy "random" \(it belongs to "coarseToFine"\) for rounds/],
    [plane, hill, { trials: 2, strategy: "coarseToFine", rounds: 3 }, /at most 2, the number of trials, for rounds/],
    [plane, hill, { trials: 2, strategy: "halving", reduction: 1 }, /an integer above 1 for reduction/],
  ])("%o, %o, %o", async (given, objective, options, message) => {
    await expect(tune(given as typeof plane, objective as typeof hill, options as TuneOptions<Plane>)).rejects.toThrow(failure("OptionError", message)); // prettier-ignore
  }); // prettier-ignore
});
