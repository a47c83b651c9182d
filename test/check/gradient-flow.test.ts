// Watched norms against plain sums over the same batches, that watching changes nothing, and what the report says of nets that are known to be ill or well.
import { describe, expect, test } from "vitest";
import {
  adam,
  batchNorm,
  constant,
  dataset,
  datasets,
  dense,
  dropout,
  gradientFlow,
  gradients,
  gather,
  normal,
  normalization,
  relu,
  sequential,
  sgd,
  sigmoid,
  softmaxCrossEntropy,
  tensor,
  terminateOnNaN,
  type Dataset,
  type FitOptions,
  type InitializerOption,
  type Layer,
  type Model,
  type Tensor,
} from "simdnn";
import { randomStream } from "#lib/random.js";
import { failure } from "../failure.js";

const random = randomStream(1);
const inputs = Array.from({ length: 10 }, () => Array.from({ length: 3 }, () => random.normal()));
const data = dataset(
  inputs,
  Int32Array.from({ length: 10 }, (_, i) => i % 2),
);
const both = ["activations", "gradients"] as const;

const squares = (values: Tensor): number => Array.from(values.data()).reduce((sum, value) => sum + value * value, 0);

describe("watch", () => {
  test("gives root mean squares of outputs and norms of gradients over the steps of an epoch", async () => {
    const layers = [dense(4, { activation: "tanh" }), batchNorm(), dense(2)];
    const model = sequential(layers, { inputShape: [3], seed: 1, dtype: "float64" });
    model.compile({ loss: "softmaxCrossEntropy", optimizer: sgd({ learningRate: 1e-300 }) }); // the weights stay as they are
    const { curves } = await model.fit(data, { batchSize: 4, shuffle: false, watch: both });

    const sums: Record<string, number> = {};
    const add = (name: string, value: number): void => void (sums[name] = (sums[name] ?? 0) + value);
    const outputs: [string, number, number][] = [];
    for (const [from, count] of [
      [0, 4],
      [4, 4],
      [8, 2],
    ] as const) {
      const rows = tensor(Int32Array.from({ length: count }, (_, i) => from + i));
      const logits = model.forward(gather(data.inputs, rows, { dtype: "float64" }), {
        training: true,
        onLayer: (layer, output) => outputs.push([layer, squares(output), output.size]),
      });
      const cost = softmaxCrossEntropy(logits, gather(data.targets, rows, { dtype: "int32" })).mean();
      gradients(cost, model.parameters).forEach((gradient, i) =>
        add(`gradients.${model.parameters[i]!.name!.split(".")[0]}`, (squares(gradient) * count) / 10),
      );
    }
    for (const layer of ["dense1", "batchNorm1", "dense2"]) {
      const own = outputs.filter(([name]) => name === layer);
      const total = (k: 1 | 2): number => own.reduce((sum, output) => sum + output[k], 0);
      expect(curves[`activations.${layer}`]).toHaveLength(1);
      expect(curves[`activations.${layer}`]![0]).toBeCloseTo(Math.sqrt(total(1) / total(2)), 12);
      expect(curves[`gradients.${layer}`]![0]).toBeCloseTo(Math.sqrt(sums[`gradients.${layer}`]!), 12);
    }
    expect(Object.keys(curves).filter((name) => name.includes("."))).toHaveLength(6);
  });

  test("changes no bit of the weights, and is there in the logs of callbacks", async () => {
    const train = async (options: FitOptions) => {
      const layers = [dense(8, { bias: false }), batchNorm(), relu(), dropout(0.2), dense(2)];
      const model = sequential(layers, { inputShape: [3], seed: 1 });
      model.compile({ loss: "softmaxCrossEntropy", optimizer: adam({ globalClipNorm: 0.5 }) });
      await model.fit(data, { epochs: 3, batchSize: 4, ...options });
      return [...model.getWeights()];
    };
    const seen: string[] = [];
    const watching = await train({
      watch: both,
      callbacks: [{ onBatchEnd: (_, logs) => void seen.push(...Object.keys(logs)) }],
    });
    expect(watching).toEqual(await train({}));
    expect(seen).toEqual(expect.arrayContaining(["activations.dropout1", "activations.relu1", "gradients.dense2"]));
    expect(seen).not.toContain("gradients.relu1");
    const [gradientsOnly] = [await gradientsOf({ watch: ["gradients"] })];
    expect(Object.keys(gradientsOnly)).toEqual(["loss", "gradients.dense1", "learningRate"]);
  });

  test("refuses what it cannot watch", async () => {
    await expect(gradientsOf({ watch: ["gradient"] as never })).rejects.toThrow(
      failure("OptionError", /for watch .* did you mean "gradients"\?$/),
    );
    await expect(gradientsOf({ watch: "gradients" as never })).rejects.toThrow(
      failure("OptionError", /an array .* for watch/),
    );
  });
});

async function gradientsOf(options: FitOptions) {
  const model = sequential([dense(2)], { inputShape: [3], seed: 1 }).compile({ loss: "softmaxCrossEntropy" });
  return (await model.fit(data, options)).curves;
}

describe("gradientFlow", async () => {
  const digits = await datasets.digits({ count: 200, seed: 1 });
  const deep = (activation: () => Layer, weightInitializer: InitializerOption, between: readonly Layer[] = []): Model =>
    sequential(
      [
        normalization(digits.statistics({ per: "all" })),
        ...Array.from({ length: 10 }, () => [dense(24, { weightInitializer }), ...between, activation()]).flat(),
        dense(10),
      ],
      { inputShape: [784], seed: 1 },
    ).compile({ loss: "softmaxCrossEntropy", optimizer: sgd({ learningRate: 0.01 }) });
  const flowOf = async (model: Model) =>
    gradientFlow(await model.fit(digits, { epochs: 2, watch: both, callbacks: [terminateOnNaN()] }));

  test("gradients vanish through ten layers of sigmoid", async () => {
    const flow = await flowOf(deep(() => sigmoid(), "glorotUniform"));
    const layers = flow.findings.map(({ layer }) => layer);
    expect(flow.findings.every(({ problem, of }) => problem === "vanishing" && of === "gradients")).toBe(true);
    expect(layers.slice(0, 4)).toEqual(["dense1", "dense2", "dense3", "dense4"]);
    expect(layers).not.toContain("dense10");
    for (const { norm, against } of flow.findings) expect(norm / against).toBeLessThan(1e-3);
    expect(flow.healthy).toBe(false);
    expect(String(flow)).toMatch(/^gradient flow: vanishing\ndense\d: vanishing gradients in epoch \d: its gradient is .*, that of dense11 .* \(and \d more such layers\)\nremedy: .*batchNorm\(\)/); // prettier-ignore
    expect(String(flow)).toMatch(/\nsigmoid1 +\S+ +\S+ +– +–\n/);
  });

  test("they do not with batch norm, or with ReLU and He's initialization", async () => {
    for (const model of [deep(() => sigmoid(), "glorotUniform", [batchNorm()]), deep(() => relu(), "heNormal")]) {
      const flow = await flowOf(model);
      expect(flow.findings).toEqual([]);
      expect(String(flow)).toMatch(/^gradient flow: healthy\n/);
    }
  });

  test("activations vanish with weights that are too small", async () => {
    const flow = await flowOf(deep(() => relu(), normal({ deviation: 0.01 })));
    expect(flow.findings[0]).toMatchObject({ problem: "vanishing", layer: "dense3", of: "activations", against: 1 });
  });

  test("they explode with large ones, which a single batch shows where training ends in NaN", async () => {
    const make = () => deep(() => relu(), normal({ deviation: 3 }));
    const { stopped, epochs } = await make().fit(digits, { callbacks: [terminateOnNaN()] });
    expect({ stopped, epochs }).toEqual({ stopped: "terminateOnNaN", epochs: 0 });
    const model = make();
    const before = [...model.getWeights()];
    const flow = await gradientFlow(model, digits, { batchSize: 50 });
    expect(flow.findings.map(({ problem }) => problem)).toContain("exploding");
    expect(flow.layers.find(({ layer }) => layer === "relu10")!.activations![0]).toBeGreaterThan(1e6);
    expect(String(flow)).toMatch(/^gradient flow: exploding\n/);
    expect([...model.getWeights()]).toEqual(before);
    expect(model.passes.item()).toBe(0);
  });

  test("a layer of ReLU that gives nothing but 0 is dead", async () => {
    const model = sequential([dense(5, { activation: "relu", biasInitializer: constant(-100) }), dense(2)], { inputShape: [3], seed: 1 }); // prettier-ignore
    model.compile({ loss: "softmaxCrossEntropy" });
    const { findings } = await gradientFlow(model, data.take(9)); // not as many of each class: there is something to learn
    expect(findings.map(({ layer, problem, of }) => [layer, problem, of])).toEqual([["dense1", "dead", "activations"], ["dense1", "dead", "gradients"]]); // prettier-ignore
  });

  test("gradients that grow in the course of a training explode", () => {
    const flow = gradientFlow({ curves: { loss: [1, 2, 3], "gradients.dense1": [1, 2, 150], "gradients.dense2": [1, 3, 200] } }); // prettier-ignore
    expect(flow.findings).toMatchObject([
      { layer: "dense1", problem: "exploding", epoch: 2, norm: 150, against: 1 },
      { layer: "dense2", problem: "exploding", epoch: 2, norm: 200, against: 1 },
    ]);
    expect(gradientFlow({ curves: { "gradients.dense1": [1, 0, 0], "gradients.dense2": [1, 0, 0] } }).healthy).toBe(true); // prettier-ignore
    expect(gradientFlow({ curves: { "gradients.dense1": [0], "gradients.dense2": [0] } }).healthy).toBe(true);
  });

  test("is plain data", async () => {
    const flow = await flowOf(deep(() => sigmoid(), "glorotUniform"));
    expect(JSON.parse(JSON.stringify(flow))).toEqual({ healthy: false, layers: [...flow.layers], findings: [...flow.findings] }); // prettier-ignore
  });

  test("wrong use", async () => {
    expect(() => gradientFlow({ curves: { loss: [1] } })).toThrow(failure("OptionError", /^gradientFlow: expected that of a fit with watch/)); // prettier-ignore
    const model = sequential([dense(2)], { inputShape: [3] });
    await expect(gradientFlow(model, data)).rejects.toThrow(failure("StateError", /call compile/));
    await expect(gradientFlow(model, undefined as unknown as Dataset)).rejects.toThrow(failure("OptionError", /a Dataset/)); // prettier-ignore
  });
});
