// Online learning: trainOnBatch, repeated fits, and predictions served from whole steps' weights while training goes on.
import { describe, expect, it } from "vitest";
import {
  adam,
  batchNorm,
  dataset,
  dense,
  dropout,
  earlyStopping,
  relu,
  sequential,
  tensor,
  type Dataset,
  type Model,
  type Tensor,
} from "simdnn";
import { native } from "#lib/native.js";
import { randomStream } from "#lib/random.js";
import { failure } from "../failure.js";

const width = 6;

function network(seed = 1): Model {
  const layers = [dense(24, { bias: false }), batchNorm(), relu(), dropout(0.2), dense(3)];
  const model = sequential(layers, { inputShape: [width], seed });
  return model.compile({ loss: "softmaxCrossEntropy", optimizer: adam({ learningRate: 0.01 }), metrics: ["accuracy"] });
}

function examples(count: number, seed = 1): Dataset {
  const random = randomStream(seed);
  const labels = Int32Array.from({ length: count }, () => random.integer(3));
  const inputs = Float32Array.from(
    { length: count * width },
    (_, i) => random.normal() + labels[Math.floor(i / width)]!,
  );
  return dataset(inputs, labels, { inputShape: [width] });
}

const rowsOf = (data: Dataset, first: number, count: number): [Float32Array, Int32Array] => [
  data.inputs.data().slice(first * width, (first + count) * width) as Float32Array,
  data.targets.data().slice(first, first + count) as Int32Array,
];

/** When all garbage is gone. What a WeakRef was asked for lives until the end of its turn. */
async function collected(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    native.collectGarbage();
  }
}

const bits = (values: Tensor): string => Buffer.from(values.data().buffer).toString("hex");

describe("trainOnBatch", () => {
  it("takes the steps that fit takes, to the bit, and tells the figures of each batch", async () => {
    const data = examples(70);
    const [whole, single] = [network(), network()];
    const perBatch: object[] = [];
    await whole.fit(data, { batchSize: 32, shuffle: false, callbacks: [{ onBatchEnd: (_, logs) => void perBatch.push(logs) }] }); // prettier-ignore
    const told = [];
    for (const [first, count] of [
      [0, 32],
      [32, 32],
      [64, 6],
    ] as const)
      // prettier-ignore
      told.push(await single.trainOnBatch(...rowsOf(data, first, count)));
    expect(single.getWeights()).toEqual(whole.getWeights());
    expect(told).toEqual(perBatch);
    expect(single.optimizer.iterations.item()).toBe(3);
  });

  it("works calls off in order, with the values that the arrays had", async () => {
    const data = examples(40);
    const [inTurn, atOnce] = [network(), network()];
    for (let i = 0; i < 4; i++) await inTurn.trainOnBatch(...rowsOf(data, 10 * i, 10));
    const calls = Array.from({ length: 4 }, (_, i) => {
      const [inputs, labels] = rowsOf(data, 10 * i, 10);
      const call = atOnce.trainOnBatch(inputs, labels);
      inputs.fill(NaN);
      labels.fill(99);
      return call;
    });
    await Promise.all(calls);
    expect(atOnce.getWeights()).toEqual(inTurn.getWeights());
  });

  it("takes a loss that has no use for targets, as streams do", async () => {
    const made = (): Model =>
      sequential([dense(2)], { inputShape: [width], seed: 1 }).compile({ loss: (outputs: Tensor) => outputs.square().mean() }); // prettier-ignore
    const [online, streamed, whole] = [made(), made(), made()];
    const data = examples(4);
    const [inputs, targets] = rowsOf(data, 0, 4);
    await whole.fit(data, { shuffle: false });
    await online.trainOnBatch(inputs, targets);
    await streamed.fit(() => [{ inputs, targets }]);
    expect(online.getWeights()).toEqual(whole.getWeights());
    expect(streamed.getWeights()).toEqual(whole.getWeights());
    expect(await streamed.evaluate(() => [{ inputs, targets }])).toEqual(await whole.evaluate(data));
  });

  it("keeps nothing of the steps that are over", async () => {
    const model = network();
    const [inputs, labels] = rowsOf(examples(4), 0, 4);
    const told = [];
    for (let i = 0; i < 10; i++) told.push(new WeakRef(await model.trainOnBatch(inputs, labels)));
    await collected();
    expect(told.filter((figures) => figures.deref() !== undefined)).toHaveLength(0);
  });

  it("counts weights of examples", async () => {
    const model = network();
    const [inputs, labels] = rowsOf(examples(4), 0, 4);
    const { loss } = await network().trainOnBatch(inputs, labels);
    const { loss: doubled } = await model.trainOnBatch(inputs, labels, { sampleWeights: [2, 2, 2, 2] });
    expect(doubled).toBeCloseTo(2 * loss!, 5);
  });

  it("refuses what does not fit, and is refused beside fit", async () => {
    const model = network();
    await expect(model.trainOnBatch([[1, 2]], Int32Array.of(0))).rejects.toThrow(failure("ShapeError", /\[6\]/));
    await expect(model.trainOnBatch(undefined as never, Int32Array.of(0))).rejects.toThrow(failure("OptionError", /inputs, targets/)); // prettier-ignore
    const fitting = model.fit(examples(30), { epochs: 3 });
    await expect(model.trainOnBatch(...rowsOf(examples(4), 0, 4))).rejects.toThrow(failure("BusyError", /being trained/)); // prettier-ignore
    await fitting;
    const step = model.trainOnBatch(...rowsOf(examples(4), 0, 4));
    await expect(model.fit(examples(30))).rejects.toThrow(failure("BusyError", /being trained/));
    await step;
    await expect(model.trainOnBatch(rowsOf(examples(4), 0, 4)[0], Int32Array.of(0, 1, 2, 3))).rejects.toThrow(failure("IndexError", /3/)); // prettier-ignore
    await model.fit(examples(30));
  });
});

describe("a second fit", () => {
  it("goes on with the optimizer's state: two of one epoch are one of two", async () => {
    const data = examples(60);
    const [once, twice] = [network(), network()];
    await once.fit(data, { epochs: 2, shuffle: false });
    await twice.fit(data, { shuffle: false });
    await twice.fit(data, { shuffle: false });
    expect(twice.getWeights()).toEqual(once.getWeights());
    expect(twice.optimizer.epoch).toBe(2);
  });
});

describe("predictions during training", () => {
  const data = examples(64);
  const asked = examples(700, 9).inputs; // several runs of the engine, which must all see the same weights

  /** What is predicted after each step of a training. */
  async function trajectory(steps: number): Promise<Map<string, number>> {
    const model = network();
    const known = new Map([[bits(await model.predict(asked)), 0]]);
    for (let step = 0; step < steps; step++) {
      await model.trainOnBatch(...rowsOf(data, (step % 8) * 8, 8));
      known.set(bits(await model.predict(asked)), step + 1);
    }
    return known;
  }

  it.each([1, 2])(
    "are all by the weights of one moment between two steps, and of later and later ones: on %i threads",
    async (threads) => {
      const epochs = 60;
      const known = await trajectory(epochs * 8);
      expect(known.size).toBe(epochs * 8 + 1);
      const model = network();
      let training = true;
      const fitting = model
        .fit(data, { epochs, batchSize: 8, shuffle: false, threads })
        .finally(() => (training = false));
      const seen: number[] = [];
      const client = async (): Promise<void> => {
        let last = -1;
        while (training) {
          const step = known.get(bits(await model.predict(asked)));
          expect(step).toBeGreaterThanOrEqual(last); // undefined, for torn weights, is not
          seen.push((last = step!));
        }
      };
      await Promise.all([client(), client(), client(), fitting]);
      expect(new Set(seen).size).toBeGreaterThan(2);
      expect(known.get(bits(await model.predict(asked)))).toBe(epochs * 8);
    },
  );

  it("do not get in the way of callbacks that set weights, nor these in theirs", async () => {
    const model = network();
    let training = true;
    const callbacks = [
      earlyStopping({ monitor: "loss", patience: 1000 }),
      { onEpochEnd: () => model.predict(asked).then(() => undefined) },
      { onEpochEnd: (): void => model.setWeights(model.getWeights()) },
    ];
    const fitting = model.fit(data, { epochs: 20, batchSize: 8, callbacks }).finally(() => (training = false));
    const client = async (): Promise<void> => {
      while (training) await model.predict(asked);
    };
    await Promise.all([client(), client(), fitting]);
  });

  it("see at once what a callback has set", async () => {
    const model = network();
    const zeros = new Map([...model.weights].map(([name, { size }]) => [name, new Float32Array(size)]));
    const seen: number[][] = [];
    const onEpochEnd = async (): Promise<void> => {
      await model.predict(asked);
      model.setWeights(zeros);
      seen.push([...(await model.predict(tensor([[1, 2, 3, 4, 5, 6]]), { raw: true })).data()]);
    };
    await model.fit(data, { callbacks: [{ onEpochEnd }] });
    expect(seen).toEqual([[0, 0, 0]]);
  });

  it("are of the inputs as they were, also when they have to wait", async () => {
    const model = network();
    const inputs = new Float32Array(width * 300).fill(1);
    const fitting = model.fit(data, { epochs: 5 });
    const first = model.predict(inputs);
    inputs.fill(NaN);
    expect((await first).data().every(Number.isFinite)).toBe(true);
    await fitting;
  });

  it("go on beside trainOnBatch", async () => {
    const known = await trajectory(100);
    const model = network();
    let training = true;
    const learn = async (): Promise<void> => {
      for (let step = 0; step < 100; step++) await model.trainOnBatch(...rowsOf(data, (step % 8) * 8, 8));
      training = false;
    };
    const client = async (): Promise<void> => {
      while (training) expect(known.has(bits(await model.predict(asked)))).toBe(true);
    };
    await Promise.all([learn(), client(), client()]);
  });
});
