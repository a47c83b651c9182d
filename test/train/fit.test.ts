import { describe, expect, it } from "vitest";
import {
  adam,
  batchNorm,
  dataset,
  dense,
  dropout,
  gather,
  earlyStopping,
  flatten,
  keepBest,
  parameter,
  relu,
  sequential,
  setThreads,
  sgd,
  softmaxCrossEntropy,
  tensor,
  threads,
  type Callback,
  type Dataset,
  type Model,
} from "simdnn";
import { costAndFigures } from "#lib/train/cost.js";
import { randomStream } from "#lib/random.js";

/** Two noisy rings: a problem that no linear model solves. */
function rings(count: number, seed: number): Dataset {
  const random = randomStream(seed);
  const inputs: number[][] = [];
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const [angle, label] = [2 * Math.PI * random.uniform(), i % 2];
    const radius = 1 + label + 0.2 * random.normal();
    inputs.push([radius * Math.cos(angle), radius * Math.sin(angle)]);
    labels[i] = label;
  }
  return dataset(inputs, labels);
}

function network(seed = 1): Model {
  const layers = [
    dense(16, { bias: false }),
    batchNorm(),
    relu(),
    dropout(0.1),
    dense(16, { activation: "relu" }),
    dense(2),
  ];
  const model = sequential(layers, { inputShape: [2], seed });
  return model.compile({ loss: "softmaxCrossEntropy", optimizer: adam({ learningRate: 0.01 }), metrics: ["accuracy"] });
}

const bits = (model: Model): string =>
  [...model.getWeights()]
    .map(
      ([name, values]) => `${name} ${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex")}`,
    )
    .join("\n");

describe("fit", () => {
  it("learns what a linear model cannot, and reports it", async () => {
    const model = network();
    const history = await model.fit(rings(600, 1), { epochs: 15, batchSize: 32, validationData: rings(200, 2) });
    expect(Object.keys(history.curves)).toEqual(["loss", "accuracy", "valLoss", "valAccuracy", "learningRate"]);
    expect(history.curves.loss).toHaveLength(15);
    expect(history.curves.valAccuracy!.at(-1)).toBeGreaterThan(0.93);
    const { loss, accuracy } = await model.evaluate(rings(200, 2));
    expect(loss).toBe(history.curves.valLoss!.at(-1));
    expect(accuracy).toBe(history.curves.valAccuracy!.at(-1));
  });

  it("reports the mean over examples, the short last batch included", async () => {
    const model = sequential([dense(1, { weightInitializer: "zeros" })], { inputShape: [1] });
    model.compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate: 1e-30 }) });
    const data = dataset([[1], [1], [1], [1], [1]], [1, 2, 3, 4, 5]);
    const { curves } = await model.fit(data, { batchSize: 2 });
    expect(curves.loss![0]).toBeCloseTo((1 + 4 + 9 + 16 + 25) / 5, 5);
    expect((await model.evaluate(data, { batchSize: 3 })).loss).toBeCloseTo(11, 5);
  });

  it("gives the same bits for one seed on any number of threads", async () => {
    const run = async (threads: number): Promise<string> => {
      const model = network(7);
      await model.fit(rings(130, 3), { epochs: 3, batchSize: 50, threads });
      return bits(model);
    };
    const [one, two, four] = [await run(1), await run(2), await run(4)];
    expect(two).toBe(one);
    expect(four).toBe(one);
    const other = network(8);
    await other.fit(rings(130, 3), { epochs: 3, batchSize: 50 });
    expect(bits(other)).not.toBe(one);
  });

  it("gives the same bits on any number of threads also where all of them have work", async () => {
    const random = randomStream(1);
    const inputs = Array.from({ length: 260 }, () => Float32Array.from({ length: 400 }, () => random.normal()));
    const data = dataset(
      inputs,
      Int32Array.from(inputs, (row) => Number(row[0]! > 0)),
    );
    const run = async (threads: number): Promise<string> => {
      const layers = [dense(500, { bias: false }), batchNorm(), relu(), dropout(0.1), dense(300, { activation: "tanh" }), dense(2)]; // prettier-ignore
      const model = sequential(layers, { inputShape: [400], seed: 7 });
      model.compile({ loss: "softmaxCrossEntropy", optimizer: adam({ learningRate: 0.01 }) });
      await model.fit(data, { batchSize: 128, threads });
      return bits(model);
    };
    const one = await run(1);
    for (const threads of [2, 3, 4, 8]) expect(await run(threads), `${threads} threads`).toBe(one);
  });

  it("agrees with the same steps run eagerly, to the bit", async () => {
    const [captured, eager] = [network(5), network(5)];
    const data = rings(40, 4);
    await captured.fit(data, { epochs: 2, batchSize: 16, shuffle: false });
    for (let epoch = 0; epoch < 2; epoch++)
      for (let start = 0; start < 40; start += 16) {
        const rows = Int32Array.from({ length: Math.min(16, 40 - start) }, (_, i) => start + i);
        const indices = tensor(rows);
        const { cost } = costAndFigures(
          eager,
          { loss: softmaxCrossEntropy(), metrics: [] },
          { inputs: gather(data.inputs, indices), targets: gather(data.targets, indices), weights: undefined },
          true,
        );
        eager.optimizer.minimize(cost, eager.parameters);
      }
    expect(bits(eager)).toBe(bits(captured));
  });

  it("locks the weights while it runs, and frees them afterwards", async () => {
    const model = network();
    const weight = model.weights.get("dense1.weight")!;
    const fitting = model.fit(rings(600, 1), { epochs: 5 });
    expect(() => weight.data()).toThrow('"dense1.weight" is being trained; await the fit() promise first');
    expect(() => weight.mul(2)).toThrow("is being trained");
    await expect(model.fit(rings(10, 1))).rejects.toMatchObject({ code: "BusyError" });
    await expect(model.save("/nowhere")).rejects.toMatchObject({ code: "BusyError" });
    await fitting;
    expect(weight.data()).toHaveLength(32);
  });

  it("stops at a step when it is aborted, with the signal's reason, and can go on", async () => {
    const model = network();
    const controller = new AbortController();
    const reason = new Error("enough");
    const seen: number[] = [];
    const callbacks: Callback[] = [
      { onProgress: (step) => void seen.push(step), onTrainEnd: () => void seen.push(-1) },
    ];
    setTimeout(() => controller.abort(reason), 30);
    await expect(model.fit(rings(600, 1), { epochs: 1_000_000, signal: controller.signal, callbacks })).rejects.toBe(
      reason,
    );
    expect(seen.at(-1)).toBe(-1);
    expect([...model.getWeights().values()].every((values) => values.every(Number.isFinite))).toBe(true);
    await expect(model.fit(rings(60, 1), { signal: controller.signal })).rejects.toBe(reason);
    await model.fit(rings(60, 1));
  });

  it("lets others have their turn while it shuffles many examples", async () => {
    const rows = 1 << 18;
    const many = dataset(new Float32Array(rows), new Int32Array(rows), { inputShape: [1] });
    const model = sequential([dense(2)], { inputShape: [1], seed: 1 }).compile({ loss: "softmaxCrossEntropy" });
    let turns = 0;
    const turn = (): void => {
      turns++;
      if (model.optimizer.iterations.users.writer === undefined) setImmediate(turn); // the first step is yet to come
    };
    setImmediate(turn);
    await model.fit(many, { batchSize: rows });
    expect(turns).toBeGreaterThanOrEqual(7);
  });

  it("says at which epoch and step the loss went wrong, and where it began", async () => {
    const model = sequential([dense(4), dense(1)], { inputShape: [1], seed: 1 });
    model.compile({ loss: "meanSquaredError", optimizer: sgd({ learningRate: 1e6 }) });
    const failure = await model
      .fit(dataset([[1], [2], [3], [4]], [1, 2, 3, 4]), { epochs: 50, batchSize: 2 })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "NonFiniteError", details: { what: "loss" } });
    const { epoch, step, tensor } = (failure as { details: { epoch: number; step: number; tensor: string } }).details;
    expect(epoch).toBeGreaterThanOrEqual(0);
    expect([0, 1]).toContain(step);
    expect(tensor).toMatch(/dense|meanSquaredError|loss|model/);
    expect((failure as Error).stack).toContain("fit.test.ts");
  });

  it("leaves the parameters as they were when a loss is not finite", async () => {
    const model = sequential([dense(1)], { inputShape: [1], seed: 1 });
    model.compile({ loss: (outputs, targets) => outputs.sub(targets).log(), optimizer: sgd() });
    const before = bits(model);
    await expect(model.fit(dataset([[1], [2]], [1e9, 1e9]))).rejects.toMatchObject({ code: "NonFiniteError" });
    expect(bits(model)).toBe(before);
  });

  it("names a label that is out of range", async () => {
    const model = network();
    const failure = model.fit(dataset([[1, 1], [2, 2]], Int32Array.of(0, 2)), { shuffle: false }); // prettier-ignore
    await expect(failure).rejects.toMatchObject({ code: "IndexError", details: { position: 1, index: 2, count: 2 } });
  });

  it("ends when a callback throws, and calls the others' onTrainEnd", async () => {
    const model = network();
    const oops = new Error("oops");
    let ended = 0;
    const fit = (callback: Callback) =>
      model.fit(rings(600, 1), {
        epochs: 30,
        callbacks: [
          callback,
          {
            onTrainEnd: () => {
              ended++;
            },
          },
        ],
      });
    await expect(fit({ onEpochEnd: () => Promise.reject(oops) })).rejects.toBe(oops);
    await expect(fit({ onProgress: () => { throw oops; } })).rejects.toBe(oops); // prettier-ignore
    expect(ended).toBe(2);
  });

  it("checks its options before any work", async () => {
    const model = network();
    const data = rings(10, 1);
    const wrong = (options: object, text: string) => expect(model.fit(data, options)).rejects.toThrow(text);
    await wrong({ epoch: 3 }, 'unknown option "epoch"; did you mean "epochs"?');
    await wrong({ epochs: 0 }, "expected a positive integer for epochs but received 0 (number)");
    await wrong({ batchSize: "32" }, 'expected a positive integer for batchSize but received "32" (string)');
    await wrong({ batchSize: 20, dropLast: true }, "at most 10");
    await wrong({ validationData: [1] }, "expected a Dataset");
    await wrong({ batchSize: 9 }, "batchNorm");
    await expect(model.fit(dataset([[1]], [1]))).rejects.toThrow("the examples have shape [1], but model takes [2]");
    await expect(sequential([dense(1)], { inputShape: [1] }).fit(data)).rejects.toMatchObject({ code: "StateError" });
  });

  it("trains four models at once as it trains each alone", async () => {
    const alone: string[] = [];
    for (const seed of [1, 2, 3, 4]) {
      const model = network(seed);
      await model.fit(rings(100, seed), { epochs: 3 });
      alone.push(bits(model));
    }
    const models = [1, 2, 3, 4].map(network);
    await Promise.all(models.map((model, i) => model.fit(rings(100, i + 1), { epochs: 3 })));
    expect(models.map(bits)).toEqual(alone);
  });
});

describe("earlyStopping", () => {
  const run = async (
    callback: Callback,
    values: number[],
  ): Promise<{ epochs: number; weight: number; stopped: string | undefined }> => {
    const model = sequential([dense(1)], { inputShape: [1], seed: 1 }).compile({
      loss: "meanSquaredError",
      optimizer: "sgd",
    });
    const weight = model.weights.get("dense1.bias")!;
    // A stand-in for the curve: the epoch's number in a weight, and its value in the logs.
    const script: Callback = {
      onEpochEnd: (epoch, logs) => {
        weight.storage![0] = epoch;
        (logs as Record<string, number>).valLoss = values[epoch]!;
      },
    };
    const { epochs, stopped } = await model.fit(dataset([[1]], [1]), {
      epochs: values.length,
      validationData: dataset([[1]], [1]),
      callbacks: [script, callback],
    });
    return { epochs, stopped, weight: weight.data()[0]! };
  };

  it("waits for `patience` epochs without improvement, then restores the best", async () => {
    expect(await run(earlyStopping({ patience: 2 }), [5, 3, 4, 3, 2])).toEqual({
      epochs: 4,
      weight: 1,
      stopped: "earlyStopping",
    });
    expect(await run(earlyStopping({ patience: 2, restoreBest: false }), [5, 3, 4, 3, 2])).toMatchObject({
      epochs: 4,
      weight: 3,
    });
    expect(await run(earlyStopping({ patience: 2, minDelta: 1.5 }), [5, 4, 3, 1])).toMatchObject({
      epochs: 4,
      weight: 3,
    });
    expect(await run(earlyStopping({ patience: 1, mode: "max" }), [1, 2, 3, 0, 9])).toMatchObject({
      epochs: 4,
      weight: 2,
    });
  });

  it("keepBest trains to the end", async () => {
    expect(await run(keepBest(), [5, 3, 4, 3.5])).toEqual({ epochs: 4, weight: 1, stopped: undefined });
  });
});

describe("predict", () => {
  it("takes inputs that the first layer only reshapes", async () => {
    const model = sequential([flatten(), dense(1, { weightInitializer: "ones" })], { inputShape: [2, 2] });
    expect((await model.predict([[[1, 2], [3, 4]]])).item()).toBe(10); // prettier-ignore
  });

  it("gives probabilities for a loss that takes logits, and the logits when asked", async () => {
    const model = network();
    const probabilities = await model.predict([[1, 2], [3, 4]]); // prettier-ignore
    expect(probabilities.shape).toEqual([2, 2]);
    const values = probabilities.data();
    expect(values[0]! + values[1]!).toBeCloseTo(1, 6);
    const logits = (await model.predict(Float32Array.of(1, 2, 3, 4), { raw: true })).data();
    expect(Math.exp(logits[0]!) / (Math.exp(logits[0]!) + Math.exp(logits[1]!))).toBeCloseTo(values[0]!, 6);
  });

  it("gives every example the same answer in any batch, and takes bytes", async () => {
    const model = network();
    const inputs = Float32Array.from({ length: 2 * 1000 }, (_, i) => i % 7);
    const all = (await model.predict(inputs)).data();
    const some = (await model.predict(inputs.subarray(2 * 600, 2 * 603))).data();
    expect(some).toEqual(all.slice(2 * 600, 2 * 603));
    expect((await model.predict(Uint8Array.from(inputs))).data()).toEqual(all);
  });

  it("serves many calls at once", async () => {
    const model = network();
    const alone = (await model.predict([[1, 2]])).data();
    const answers = await Promise.all(Array.from({ length: 50 }, () => model.predict([[1, 2]])));
    for (const answer of answers) expect(answer.data()).toEqual(alone);
  });

  it("refuses inputs of another shape", async () => {
    const model = network();
    await expect(model.predict([[1, 2, 3]])).rejects.toThrow(
      "model takes a batch [n, 2] of at least one example of [2]",
    );
    await expect(model.predict(new Float32Array(3))).rejects.toMatchObject({ code: "ShapeError" });
    await expect(model.predict(new Float32Array(0))).rejects.toMatchObject({ code: "ShapeError" });
    await expect(model.predict([[1, 2]], { batch: 1 } as object)).rejects.toMatchObject({ code: "OptionError" });
  });
});

describe("model", () => {
  it("names what does not fit between two layers", () => {
    const model = network();
    expect(() => model.forward(parameter([[1, 2, 3]]))).toThrow("expected a batch of [2], that is [n, 2]");
    expect(() => sequential([], { inputShape: [1] })).toThrow("an array of at least one layer");
    expect(() => sequential([dense(1)], {} as never)).toThrow("inputShape");
    expect(() => sequential([dense(1)], { inputShape: [1], sed: 1 } as never)).toThrow('did you mean "seed"?');
    expect(() => model.compile({ loss: "softmaxCrossEntropi" as never })).toThrow(
      'did you mean "softmaxCrossEntropy"?',
    );
  });

  it("sets all weights or none", () => {
    const model = network();
    const before = bits(model);
    const weights = model.getWeights();
    weights.set("dense1.weight", new Float32Array(32));
    weights.set("dense2.weight", new Float32Array(1));
    expect(() => model.setWeights(weights)).toThrow('1 values do not fill "dense2.weight"');
    expect(() => model.setWeights(new Map([["dense9.weight", new Float32Array(1)]]))).toThrow(
      'has no weight "dense9.weight"',
    );
    expect(bits(model)).toBe(before);
  });

  it("draws the same weights for the same seed", () => {
    expect(bits(network(3))).toBe(bits(network(3)));
    expect(bits(network(3))).not.toBe(bits(network(4)));
  });

  it("summarises its layers", () => {
    expect(network().summary()).toMatchInlineSnapshot(`
      "layer       output   values
      dense1      [n, 16]      32
      batchNorm1  [n, 16]      64
      relu1       [n, 16]       0
      dropout1    [n, 16]       0
      dense2      [n, 16]     272
      dense3      [n, 2]       34
      370 trained parameters"
    `);
  });
});

describe("threads", () => {
  it("can be set for all work", () => {
    const before = threads();
    setThreads(3);
    expect(threads()).toBe(3);
    setThreads(before);
    expect(() => setThreads(0)).toThrow("expected a positive integer");
  });
});
