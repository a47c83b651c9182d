// Schedules against PyTorch's schedulers and the courses' tables; how rates reach eager, captured and fitted steps; files; what is refused.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  adam,
  capture,
  cosineDecay,
  cosineRestarts,
  dataset,
  dense,
  exponentialDecay,
  inverseTimeDecay,
  loadModel,
  oneCycle,
  parameter,
  piecewiseConstant,
  rootDecay,
  sequential,
  sgd,
  warmUp,
  type Callback,
  type LearningRate,
  type Model,
  type Schedule,
} from "simdnn";
import { failure } from "./failure.js";

const perStep = (rate: Schedule, count: number): number[] => Array.from({ length: count }, (_, n) => rate(n, 99));
const perEpoch = (rate: Schedule, count: number): number[] => Array.from({ length: count }, (_, n) => rate(99, n));

// prettier-ignore
const tables: [string, number[], number[]][] = [
  // PyTorch 1.13: CosineAnnealingLR, CosineAnnealingWarmRestarts, OneCycleLR (twice), MultiStepLR, ExponentialLR, StepLR, LinearLR then CosineAnnealingLR.
  ["cosine", perStep(cosineDecay({ initial: 0.2, over: 8, final: 0.01 }), 9), [0.2, 0.192768555589, 0.172175144213, 0.141354926075, 0.105, 0.0686450739253, 0.0378248557873, 0.0172314444114, 0.01]],
  ["cosine restarts", perEpoch(cosineRestarts({ initial: 0.2, over: 4, final: 0.01, per: "epoch" }), 9), [0.2, 0.172175144213, 0.105, 0.0378248557873, 0.2, 0.172175144213, 0.105, 0.0378248557873, 0.2]],
  ["one cycle", perStep(oneCycle({ max: 0.1, over: 10 }), 10), [0.004, 0.052, 0.1, 0.0950484632013, 0.081174565395, 0.0611262021936, 0.0388741978064, 0.018825834605, 0.00495193679865, 4e-7]],
  ["one cycle, other ends", perStep(oneCycle({ max: 0.5, over: 8, rising: 0.5, start: 0.05, final: 0.01 }), 8), [0.05, 0.1625, 0.3875, 0.5, 0.428241161391, 0.255, 0.0817588386093, 0.01]],
  ["pieces", perEpoch(piecewiseConstant({ boundaries: [2, 5], rates: [1, 0.1, 0.01] }), 7), [1, 1, 0.1, 0.1, 0.1, 0.01, 0.01]],
  ["exponential", perEpoch(exponentialDecay({ initial: 0.2 }), 5), [0.2, 0.19, 0.1805, 0.171475, 0.16290125]],
  ["staircase", perEpoch(exponentialDecay({ initial: 0.2, rate: 0.5, every: 3, staircase: true }), 7), [0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05]],
  ["warm-up", perStep(warmUp({ from: 0.05, over: 4, then: cosineDecay({ initial: 0.2, over: 4 }) }), 9), [0.05, 0.0875, 0.125, 0.1625, 0.2, 0.170710678119, 0.1, 0.0292893218813, 0]],
  // By hand. The first is the table that courses show, whose epochs count from 1.
  ["inverse time", perEpoch(inverseTimeDecay({ initial: 0.2, decay: 1, countFrom: 1 }), 4), [0.1, 0.0666666666667, 0.05, 0.04]],
  ["inverse time from 0", perStep(inverseTimeDecay({ initial: 0.2, decay: 0.5, per: "step", every: 2 }), 5), [0.2, 0.16, 0.133333333333, 0.114285714286, 0.1]],
  ["k over root of epochs", perEpoch(rootDecay({ initial: 0.2, k: 0.5 }), 4), [0.1, 0.0707106781187, 0.057735026919, 0.05]],
  ["k over root of steps", perStep(rootDecay({ initial: 0.2, per: "step" }), 4), [0.2, 0.141421356237, 0.115470053838, 0.1]],
  ["warm-up to a number, in epochs", perEpoch(warmUp({ over: 2, then: 0.3, per: "epoch" }), 4), [0, 0.15, 0.3, 0.3]],
  ["cosine stays at its end", [cosineDecay({ initial: 1, over: 4, final: 0.5 })(9, 0), oneCycle({ max: 1, over: 4, final: 0.5 })(9, 0)], [0.5, 0.5]],
];

test.each(tables)("%s", (_, rates, expected) => {
  expect(rates.length).toBe(expected.length);
  rates.forEach((rate, n) => expect(Math.abs(rate - expected[n]!)).toBeLessThan(1e-12 + 1e-11 * expected[n]!));
});

/** A line with slope -1: each step adds its learning rate to the parameter. */
function slope(learningRate: LearningRate) {
  const [w, optimizer] = [parameter(0, { dtype: "float64" }), sgd({ learningRate })];
  return { w, optimizer, descend: () => optimizer.minimize(w.mul(-1), [w]) };
}

const grows: Schedule = (step, epoch) => (step + 1) * 10 ** epoch;

describe("a schedule is followed", () => {
  test("by eager and captured steps, and off the thread, in steps and epochs", async () => {
    for (const way of ["eager", "captured", "async"]) {
      const { w, optimizer, descend } = slope(grows);
      const step = capture(descend);
      const run = (): unknown => (way === "eager" ? descend() : way === "captured" ? step() : step.async());
      await run();
      await run();
      optimizer.epoch = 1;
      await run();
      expect(w.item(), way).toBe(1 + 2 + 30);
      expect(optimizer.learningRate.item(), way).toBe(30);
    }
  });

  test("until another rate is set, and after it, by steps that are captured already", () => {
    const { w, optimizer, descend } = slope(grows);
    const step = capture(descend);
    step();
    optimizer.setLearningRate(0.5);
    expect(optimizer.hasSchedule).toBe(false);
    step();
    optimizer.setLearningRate((done) => done * 100);
    step();
    expect(w.item()).toBe(1 + 0.5 + 200);
  });

  const model = (learningRate: LearningRate): Model =>
    sequential([dense(1, { bias: false, weightInitializer: "zeros" })], { inputShape: [1], seed: 1 }).compile({
      loss: (outputs) => outputs.mul(-1), // on inputs of 1 each step adds its learning rate to the weight
      optimizer: sgd({ learningRate }),
    });
  const data = dataset([[1], [1], [1], [1], [1]], [0, 0, 0, 0, 0]);

  test("by fit, through short batches and from fit to fit, and is in the curves", async () => {
    const seen: [number, number][] = [];
    const schedule: Schedule = (step, epoch) => {
      seen.push([step, epoch]);
      return grows(step, epoch);
    };
    const trained = model(schedule);
    const { curves } = await trained.fit(data, { epochs: 2, batchSize: 2 });
    expect(curves.learningRate).toEqual([3, 60]);
    expect(trained.weights.get("dense1.weight")!.item()).toBe(1 + 2 + 3 + 40 + 50 + 60);
    expect(new Set(seen.map(([step, epoch]) => `${step},${epoch}`))).toEqual(
      new Set(["0,0", "1,0", "2,0", "3,1", "4,1", "5,1"]),
    );
    expect((await trained.fit(data, { batchSize: 5 })).curves.learningRate).toEqual([700]);
  });

  test.each<[string, LearningRate]>([
    ["cosine, per step", cosineDecay({ initial: 1, over: 40 })],
    ["one cycle, per step", oneCycle({ max: 1, over: 40 })],
    ["pieces, per epoch", piecewiseConstant({ boundaries: [2, 5], rates: [3, 2, 1] })],
    ["of the user's own", (step, epoch) => 1 / (1 + step + epoch)],
  ])("without recording a step anew: %s", async (_, schedule) => {
    let [recordings, captures] = [0, 0];
    const trained = model(schedule);
    const callbacks: Callback[] = [
      {
        recordStep: () => {
          recordings++;
        },
      },
    ];
    const { curves } = await trained.fit(data, { epochs: 8, batchSize: 2, callbacks });
    expect(new Set(curves.learningRate).size).toBeGreaterThan(2);
    expect(recordings).toBe(2); // for the batches of two examples, and for the last of one

    const { optimizer, descend, w } = slope(schedule);
    const step = capture(() => {
      captures++;
      descend();
    });
    const rates = new Set<number>();
    for (let i = 0; i < 24; i++) {
      optimizer.epoch = Math.floor(i / 3);
      const before = w.item();
      if (i % 2 === 0) step();
      else await step.async();
      rates.add(Number((w.item() - before).toFixed(9)));
    }
    expect(rates.size).toBeGreaterThan(2);
    expect(captures).toBe(1);
  });

  test("a rate that is no number or negative ends the training before its steps", async () => {
    const trained = model((step) => (step < 3 ? 1 : step === 3 ? NaN : -1));
    const failed = trained.fit(data, { epochs: 3, batchSize: 2 });
    await expect(failed).rejects.toEqual(
      failure("OptionError", "sgd: expected a number >= 0 from the schedule at step 3, epoch 1, for learningRate but received NaN (number)"), // prettier-ignore
    );
    expect(trained.weights.get("dense1.weight")!.item()).toBe(3);
    expect(() => sgd({ learningRate: () => -1 })).toThrow(failure("OptionError", /step 0, epoch 0, .* received -1/));
    expect(() => slope(() => "1" as never)).toThrow(failure("OptionError", /received "1" \(string\)/));
  });

  test("by a model that is saved and loaded; one of the user's own is saved as its last rate", async () => {
    const folder = await mkdtemp(join(tmpdir(), "simdnn-schedules-"));
    try {
      const path = join(folder, "a.safetensors");
      const resaved = async (learningRate: LearningRate): Promise<Model["optimizer"]> => {
        const before = sequential([dense(1)], { inputShape: [1], seed: 1 });
        before.compile({ loss: "meanSquaredError", optimizer: adam({ learningRate, clipValue: 3 }) });
        await before.save(path);
        return (await loadModel(path)).optimizer;
      };
      const warm = warmUp({ from: 0.1, over: 4, then: exponentialDecay({ initial: 0.2, rate: 0.5, per: "step" }) });
      const loaded = (await resaved(warm)).options;
      expect(perStep(loaded.learningRate as Schedule, 9)).toEqual(perStep(warm, 9));
      expect(loaded.clipValue).toBe(3);
      expect((await resaved(() => 0.125)).options.learningRate).toBe(0.125);
      expect((await resaved(0.25)).options.learningRate).toBe(0.25);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

// prettier-ignore
test.each([
  [() => cosineDecay({ initial: 1, over: 0 }), "cosineDecay: expected a positive number for over but received 0 (number)"],
  [() => cosineDecay({ initial: 1, steps: 3 } as never), /^cosineDecay: unknown option "steps"/],
  [() => exponentialDecay({ initial: -1 }), /^exponentialDecay: expected a positive number for initial/],
  [() => inverseTimeDecay({ initial: 1 } as never), /^inverseTimeDecay: expected a number >= 0 for decay but received undefined/],
  [() => inverseTimeDecay({ initial: 1, decay: 1, countFrom: 2 as never }), /0 or 1 for countFrom/],
  [() => piecewiseConstant({ boundaries: [2, 2], rates: [1, 1, 1] }), /growing numbers above 0 for boundaries/],
  [() => piecewiseConstant({ boundaries: [2], rates: [1] }), /2 rates, one more than boundaries, for rates/],
  [() => rootDecay({ initial: 1, per: "epochs" as never }), /one of "step", "epoch" for per but received "epochs" \(string\); did you mean "epoch"\?/],
  [() => warmUp({ over: 3, then: 0 }), /^warmUp: expected a positive number for then/],
  [() => oneCycle({ max: 1, over: 9, rising: 1 }), /^oneCycle: .* for rising/],
  [() => adam({ learningRate: { type: "cosine", options: {} } as never }), /for learningRate but received "cosine"/],
  [() => sgd({ learningRate: "fast" as never }), /^sgd: expected a positive number for learningRate but received "fast"/],
])("refuses %#", (make, message) => {
  expect(make).toThrow(failure("OptionError", message));
});
