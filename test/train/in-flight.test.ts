// Work in flight keeps others away from what it uses; options that all such work takes.
import { describe, expect, test } from "vitest";
import { adam, dataset, dense, sequential, sgd, parameter, type Model } from "simdnn";
import { failure } from "../failure.js";

const network = (): Model =>
  sequential([dense(2)], { inputShape: [2], seed: 1 }).compile({ loss: "softmaxCrossEntropy" });
const xor = dataset([[0, 0], [0, 1], [1, 0], [1, 1]], Int32Array.of(0, 1, 1, 0)); // prettier-ignore

describe("weights in use", () => {
  const many = new Float32Array(2 * 300_000); // several runs of the engine

  test("by a prediction cannot be set before it is done, and are trained then", async () => {
    const model = network();
    const before = model.clone();
    const prediction = model.predict(many);
    const fitting = model.fit(xor);
    expect(() => model.setWeights(model.getWeights())).toThrow(failure("BusyError", /being read by work in flight/));
    expect((await prediction).data()).toEqual((await before.predict(many)).data());
    await fitting;
    expect(model.getWeights()).not.toEqual(before.getWeights());
  });

  test("by an evaluation cannot be trained before it is done", async () => {
    const model = network();
    const evaluation = model.evaluate(xor, { batchSize: 3 });
    await expect(model.fit(xor)).rejects.toThrow(failure("BusyError", /being read/));
    await evaluation;
    await model.fit(xor);
  });

  test("can be read by any number of predictions and evaluations", async () => {
    const model = network();
    const all = await Promise.all([model.predict(many), model.evaluate(xor), model.predict(many), model.evaluate(xor)]);
    expect(all[1]).toEqual(all[3]);
  });
});

describe("options of work", () => {
  const work = {
    fit: (options: object) => network().fit(xor, options),
    evaluate: (options: object) => network().evaluate(xor, options),
    predict: (options: object) => network().predict([[0, 1]], options),
  };

  test.each(["fit", "evaluate", "predict"] as const)(
    "%s refuses what is no signal and no number of threads",
    async (name) => {
      await expect(work[name]({ signal: {} })).rejects.toThrow(failure("OptionError", /an AbortSignal for signal/));
      await expect(work[name]({ threads: "4" })).rejects.toThrow(
        failure("OptionError", /a positive integer for threads/),
      );
      await expect(work[name]({ threads: -1 })).rejects.toThrow(
        failure("OptionError", /a positive integer for threads/),
      );
    },
  );

  test.each(["fit", "evaluate", "predict"] as const)("%s takes undefined for the default", async (name) => {
    await expect(work[name]({ signal: undefined, threads: undefined })).resolves.toBeDefined();
  });

  test("fit takes undefined for the default of every option", async () => {
    const { epochs } = await network().fit(xor, { epochs: undefined, batchSize: undefined, shuffle: undefined, callbacks: undefined } as object); // prettier-ignore
    expect(epochs).toBe(1);
  });

  test("more threads than any machine has are as good as many", async () => {
    await work.fit({ threads: 2 ** 40 });
  });

  test("predict takes integers", async () => {
    const model = network();
    const expected = (await model.predict([[3, -4]])).data();
    expect((await model.predict(Int32Array.of(3, -4))).data()).toEqual(expected);
  });
});

describe("an optimizer belongs to its parameters", () => {
  const foreign = failure(
    "StateError",
    /^adam: its steps and averages belong to other parameters than "dense1.weight"/,
  );

  test("and refuses those of a second model before any work", async () => {
    const optimizer = adam();
    const [first, second] = [network(), network()].map((model) =>
      model.compile({ loss: "softmaxCrossEntropy", optimizer }),
    );
    await first!.fit(xor);
    const before = second!.getWeights();
    await expect(second!.fit(xor)).rejects.toThrow(foreign);
    expect(second!.getWeights()).toEqual(before);
  });

  test("and goes on where it was when the same model is compiled again", async () => {
    const optimizer = adam();
    const model = network().compile({ loss: "softmaxCrossEntropy", optimizer });
    await model.fit(xor);
    await model.compile({ loss: "softmaxCrossEntropy", optimizer }).fit(xor);
    expect(optimizer.iterations.item()).toBe(2);
  });

  test("each of which is named once and has one gradient", () => {
    const w = parameter(1);
    const optimizer = sgd({ learningRate: 0.1 });
    expect(() => optimizer.minimize(w.square(), [w, w])).toThrow(failure("OptionError", /every parameter once/));
    expect(() => optimizer.apply([w], [])).toThrow(failure("OptionError", /1, one per parameter, for gradients/));
    expect(w.item()).toBe(1);
  });
});
