// Averages of weights against the same averages of the weights of every step in plain numbers; snapshots; ensembles.
import { describe, expect, test } from "vitest";
import {
  averageWeights,
  batchNorm,
  cosineRestarts,
  dataset,
  dense,
  ensemble,
  relu,
  sequential,
  sgd,
  snapshots,
  stochasticWeightAverage,
  type Callback,
  type Dataset,
  type Model,
} from "simdnn";
import { randomStream } from "#lib/random.js";
import { failure } from "../failure.js";

const random = randomStream(3);
const points = (count: number): Dataset => {
  const inputs = Array.from({ length: count }, () => [random.normal(), random.normal()]);
  return dataset(
    inputs,
    Int32Array.from(inputs, ([x, y]) => (x! * y! > 0 ? 1 : 0)),
  );
};
const data = points(25);

function network(seed = 1): Model {
  const model = sequential([dense(4), batchNorm(), relu(), dense(2)], { inputShape: [2], seed });
  return model.compile({ loss: "softmaxCrossEntropy", optimizer: sgd({ learningRate: 0.3 }), metrics: ["accuracy"] });
}

const numbers = (model: Model): number[] => [...model.getWeights().values()].flatMap((values) => [...values]);
const close = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-6));
};

/** The parameters after each step: of one epoch with one batch each. */
async function everyStep(steps: number): Promise<number[][]> {
  const seen: number[][] = [];
  const record: Callback = { onEpochEnd: (_, __, { model }) => void seen.push(numbers(model)) };
  await network().fit(data, { epochs: steps, batchSize: 25, shuffle: false, callbacks: [record] });
  return seen;
}

// Of all weights running averages alone are not averaged.
const isRunning = [...network().getWeights()].flatMap(([name, values]) =>
  [...values].map(() => name.includes("running")),
);
const expected = (last: readonly number[], average: readonly number[]): number[] =>
  last.map((value, i) => (isRunning[i] ? value : average[i]!));

describe("averageWeights", () => {
  test.each([true, false])("correctBias %s", async (correctBias) => {
    const beta = 0.8;
    const model = network();
    let average = numbers(model).map((value) => (correctBias ? 0 : value));
    const steps = await everyStep(7);
    for (const step of steps) average = average.map((v, i) => beta * v + (1 - beta) * step[i]!);
    if (correctBias) average = average.map((v) => v / (1 - beta ** 7));
    const callbacks = [averageWeights({ beta, correctBias })];
    await model.fit(data, { epochs: 7, batchSize: 25, shuffle: false, callbacks });
    close(numbers(model), expected(steps.at(-1)!, average));
  });

  test("of a stream are those of a dataset", async () => {
    const [streamed, whole] = [network(), network()];
    await whole.fit(data, { epochs: 3, batchSize: 25, shuffle: false, callbacks: [averageWeights()] });
    await streamed.fit(() => [data], { epochs: 3, callbacks: [averageWeights()] });
    expect(numbers(streamed)).toEqual(numbers(whole));
  });

  test("leave a model alone whose training ends before it has begun", async () => {
    const model = network();
    await model.fit(data);
    const before = numbers(model);
    const failing: Callback = {
      onTrainBegin: () => {
        throw new Error("not today");
      },
    };
    await expect(model.fit(data, { callbacks: [failing, averageWeights()] })).rejects.toThrow("not today");
    expect(numbers(model)).toEqual(before);
  });

  test("counts the steps of short batches, and starts afresh with each training", async () => {
    const run = async (callback: Callback): Promise<number[]> => {
      const model = network();
      await model.fit(data, { epochs: 3, batchSize: 10, callbacks: [callback] });
      return numbers(model);
    };
    const used = averageWeights({ beta: 0.9 });
    const first = await run(used);
    expect(await run(used)).toEqual(first);
    // With β = 0 the average is the last step's weights.
    const plain = network();
    await plain.fit(data, { epochs: 3, batchSize: 10 });
    expect(await run(averageWeights({ beta: 0 }))).toEqual(numbers(plain));
  });
});

test("stochasticWeightAverage is the mean of the last epochs' weights", async () => {
  const steps = await everyStep(7);
  const run = async (options: Parameters<typeof stochasticWeightAverage>[0]): Promise<number[]> => {
    const model = network();
    const callbacks = [stochasticWeightAverage(options)];
    await model.fit(data, { epochs: 7, batchSize: 25, shuffle: false, callbacks });
    return numbers(model);
  };
  const mean = (...taken: number[]): number[] =>
    steps[0]!.map((_, i) => taken.reduce((sum, step) => sum + steps[step]![i]!, 0) / taken.length);
  close(await run({ from: 4 }), mean(4, 5, 6));
  close(await run({ from: 1, every: 3 }), mean(1, 4));
  expect(await run({ from: 9 })).toEqual(steps[6]);
});

describe("ensembles", () => {
  test("snapshots keep a model per cycle", async () => {
    const kept = snapshots({ every: 3 });
    const model = network();
    model.optimizer.setLearningRate(cosineRestarts({ initial: 0.3, over: 3, per: "epoch" }));
    const after: number[][] = [];
    const record: Callback = { onEpochEnd: (_, __, trained) => void after.push(numbers(trained.model)) };
    await model.fit(data, { epochs: 7, batchSize: 25, callbacks: [kept, record] });
    expect(kept.models.map(numbers)).toEqual([after[2], after[5]]);
    await model.fit(data, { epochs: 3, callbacks: [kept] });
    expect(kept.models).toHaveLength(1);
  });

  test("average predictions, and are measured by them", async () => {
    const models = [1, 2, 3].map(network);
    for (const model of models) await model.fit(data, { epochs: 4, batchSize: 5 });
    const together = ensemble(models, { metrics: ["accuracy", "logLoss"] });
    const rows = Array.from({ length: 25 }, (_, i) => [...data.inputs.data().slice(2 * i, 2 * i + 2)]);
    const each = await Promise.all(models.map(async (model) => (await model.predict(rows)).data()));
    const mean = Array.from(each[0]!, (_, i) => (each[0]![i]! + each[1]![i]! + each[2]![i]!) / 3);
    const predicted = await together.predict(rows);
    expect(predicted.shape).toEqual([25, 2]);
    close([...predicted.data()], mean);
    const labels = [...data.targets.data()];
    const right = labels.filter((label, i) => (mean[2 * i + 1]! > mean[2 * i]! ? 1 : 0) === label).length;
    const logLoss = -labels.reduce((sum, label, i) => sum + Math.log(mean[2 * i + label]!), 0) / 25;
    for (const batchSize of [25, 10]) {
      const figures = await together.evaluate(data, { batchSize });
      expect(figures.accuracy).toBeCloseTo(right / 25, 6);
      expect(figures.logLoss).toBeCloseTo(logLoss, 5);
    }
    expect(Object.keys(await ensemble(models).evaluate(data))).toEqual(["accuracy"]);
  });

  test("without metrics say how to name some", async () => {
    const bare = network().compile({ loss: "softmaxCrossEntropy" });
    await expect(ensemble([bare]).evaluate(data)).rejects.toThrow(
      failure("StateError", 'evaluate: there are no metrics; name some, such as ensemble(models, { metrics: ["accuracy"] })'),
    );
    expect(() => ensemble([bare], { metrics: "accuracy" as never })).toThrow(failure("OptionError", /an array for metrics/));
    expect(() => ensemble([bare], { metrics: ["acuracy" as "accuracy"] })).toThrow(failure("OptionError", /did you mean "accuracy"/));
  }); // prettier-ignore

  test("are refused where models do not fit together", () => {
    const other = sequential([dense(3)], { inputShape: [2] });
    expect(() => ensemble([network(), other])).toThrow(
      failure("ShapeError", "ensemble: all models must go from [2] to [2], but one goes from [2] to [3]"),
    );
    expect(() => ensemble([])).toThrow(failure("OptionError", /an array of at least one model/));
    expect(() => ensemble([{}] as never)).toThrow(failure("OptionError", /an array of at least one model/));
  });
});

test("a clone has the weights and the learning rate, and goes its own way", async () => {
  const model = network();
  await model.fit(data, { epochs: 2 });
  model.optimizer.setLearningRate(0.25);
  const copy = model.clone();
  expect(numbers(copy)).toEqual(numbers(model));
  expect(copy.optimizer.iterations.item()).toBe(0);
  const { curves } = await copy.fit(data);
  expect(curves.learningRate).toEqual([0.25]);
  expect(numbers(copy)).not.toEqual(numbers(model));
});

// prettier-ignore
test.each([
  [() => averageWeights({ beta: 1 }), /^averageWeights: .* for beta/],
  [() => stochasticWeightAverage({} as never), /^stochasticWeightAverage: expected an integer >= 0 for from but received undefined/],
  [() => snapshots({ every: 0 }), /^snapshots: expected a positive integer for every/],
])("refuses %#", (make, message) => {
  expect(make).toThrow(failure("OptionError", message));
});
