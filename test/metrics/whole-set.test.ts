// Figures of whole sets against scikit-learn, in batches of every kind; how sums and rows come together; what is refused; files.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  auc,
  classScores,
  dataset,
  dense,
  f1,
  flatten,
  loadModel,
  precision,
  recall,
  rocAuc,
  sequential,
  topK,
  type Callback,
  type Dataset,
  type Metric,
  type MetricOption,
  type Model,
} from "simdnn";
import { failure } from "../failure.js";

type Scores = Readonly<Record<"precision" | "recall" | "f1", number>>;
interface Classes {
  readonly predictions: number[][];
  readonly labels: number[];
  readonly confusion: number[][];
  readonly accuracy: number;
  readonly top2: number;
  readonly macro: Scores;
  readonly weighted: Scores;
  readonly micro: Scores;
  readonly perClass: Readonly<Record<keyof Scores, number[]>>;
  readonly auc: number | null;
  readonly auc1: number;
  readonly logLoss: number;
  readonly perplexity: number;
}
type Binary = Readonly<Record<"0.5" | "0.75" | "class0" | "macro", Scores>> & {
  readonly predictions: number[];
  readonly labels: number[];
  readonly confusion: number[][];
  readonly auc: number;
  readonly logLoss: number;
};
type Regression = Readonly<Record<"predictions" | "targets", number[][]>> &
  Readonly<Record<"r2" | "meanSquaredError" | "rootMeanSquaredError" | "meanAbsoluteError", number>>;

const golden = JSON.parse(readFileSync(new URL("../golden/metrics.json", import.meta.url), "utf8")) as {
  readonly fourClasses: Classes;
  readonly oneClassAbsent: Classes;
  readonly binary: Binary;
  readonly regression: Regression;
  readonly farFromZero: Regression;
};

/** A model that predicts its inputs. */
function echo(width: number, metrics: readonly MetricOption[]): Model {
  return sequential([flatten()], { inputShape: [width] }).compile({ loss: (outputs) => outputs, metrics });
}

/** Figures of `data`, which must not depend on how it is cut into batches. */
async function figures(metrics: readonly MetricOption[], data: Dataset): Promise<Record<string, number>> {
  const model = echo(data.inputShape[0]!, metrics);
  const whole = await model.evaluate(data, { batchSize: data.size });
  for (const batchSize of [1, 7, 16]) {
    const cut = await model.evaluate(data, { batchSize });
    for (const [name, value] of Object.entries(whole))
      if (Number.isNaN(value)) expect(cut[name], name).toBeNaN();
      else expect(Math.abs(cut[name]! - value), name).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
  }
  return whole;
}

const close = (actual: number | undefined, expected: number): void =>
  expect(Math.abs(actual! - expected)).toBeLessThan(2e-6 * Math.max(1, Math.abs(expected)));

const three = [precision, recall, f1];
const names = ["precision", "recall", "f1"] as const;

describe.each(["fourClasses", "oneClassAbsent"] as const)("%s", (name) => {
  const expected = golden[name];
  const data = dataset(expected.predictions, Int32Array.from(expected.labels));

  test("what is counted", async () => {
    const found = await figures(["accuracy", topK({ k: 2 }), "logLoss", "perplexity", auc({ class: 1 })], data);
    close(found.accuracy, expected.accuracy);
    close(found.top2, expected.top2);
    close(found.logLoss, expected.logLoss);
    close(found.perplexity, expected.perplexity);
    close(found["auc[1]"], expected.auc1);
    const mean = (await figures(["auc"], data)).auc;
    if (expected.auc === null) expect(mean).toBeNaN();
    else close(mean, expected.auc);
  });

  test.each([undefined, "macro", "weighted", "micro"] as const)("average %s", async (average) => {
    const found = await figures(three.map((make) => make(average && { average })), data); // prettier-ignore
    for (const score of names) close(found[score], expected[average ?? "macro"][score]);
  });

  test("class by class, from metrics and from the confusion matrix", async () => {
    const classes = [...expected.confusion.keys()];
    const found = await figures(classes.flatMap((k) => three.map((make) => make({ class: k }))), data); // prettier-ignore
    const matrix = await echo(classes.length, []).confusionMatrix(data, { batchSize: 9 });
    expect(matrix).toEqual(expected.confusion);
    const { perClass, ...averages } = classScores(matrix);
    for (const score of names) {
      for (const k of classes) {
        close(found[`${score}[${k}]`], expected.perClass[score][k]!);
        close(perClass[k]![score], expected.perClass[score][k]!);
      }
      for (const average of ["macro", "weighted", "micro"] as const)
        close(averages[average][score], expected[average][score]);
    }
  });

  test("one-hot targets count as their classes", async () => {
    const rows = expected.labels.map((label) => expected.confusion.map((_, k) => (k === label ? 1 : 0)));
    const metrics: MetricOption[] = ["accuracy", "topK", "precision", "f1", auc({ class: 1 }), "logLoss"];
    expect(await figures(metrics, dataset(expected.predictions, rows))).toEqual(await figures(metrics, data));
  });
});

describe("one output", () => {
  const expected = golden.binary;
  const column = expected.predictions.map((p) => [p]);

  test("is two classes, of which scores look at class 1", async () => {
    for (const labels of [Int32Array.from(expected.labels), expected.labels.map((label) => [label])]) {
      const data = dataset(column, labels);
      const found = await figures([...three.map((make) => make()), "auc", auc({ class: 0 }), "logLoss"], data);
      for (const score of names) close(found[score], expected["0.5"][score]);
      close(found.auc, expected.auc);
      close(found["auc[0]"], expected.auc);
      close(found.logLoss, expected.logLoss);
      expect(await echo(1, []).confusionMatrix(data)).toEqual(expected.confusion);
      const higher = await figures(three.map((make) => make({ threshold: 0.75 })), data); // prettier-ignore
      for (const score of names) close(higher[score], expected["0.75"][score]);
    }
  });

  test("other averages and the other class", async () => {
    const data = dataset(column, Int32Array.from(expected.labels));
    const macro = await figures(three.map((make) => make({ average: "macro" })), data); // prettier-ignore
    const other = await figures(three.map((make) => make({ class: 0 })), data); // prettier-ignore
    for (const score of names) {
      close(macro[score], expected.macro[score]);
      close(other[`${score}[0]`], expected.class0[score]);
    }
  });

  test("two outputs give the same", async () => {
    const pairs = expected.predictions.map((p) => [1 - p, p]);
    const data = dataset(pairs, Int32Array.from(expected.labels));
    const found = await figures(["precision", "recall", "f1", "auc"], data);
    for (const score of names) close(found[score], expected["0.5"][score]);
    close(found.auc, expected.auc);
  });
});

describe("regression", () => {
  test.each(["regression", "farFromZero"] as const)("%s", async (name) => {
    const { predictions, targets, ...expected } = golden[name];
    const metrics = Object.keys(expected) as (keyof typeof expected)[];
    const found = await figures(metrics, dataset(predictions, targets));
    for (const metric of metrics) close(found[metric], expected[metric]);
  });

  test("constant targets", async () => {
    expect((await figures(["r2"], dataset([[0.1], [0.1]], [0.1, 0.1]))).r2).toBe(1);
    expect((await figures(["r2"], dataset([[0.1], [0.2]], [0.1, 0.1]))).r2).toBe(0);
  });
});

describe("a metric of one's own", () => {
  test("adds up sums, keeps rows in order, finishes means", async () => {
    const data = dataset([[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]], [0, 1, 2, 3, 4]); // prettier-ignore
    let rows: number[] = [];
    const metrics: Metric[] = [
      { name: "sums", over: "sum", call: ({ outputs }) => outputs.sum({ axes: 0 }), finish: ([a, b], n) => a! * 100 + b! + n / 10 },
      { name: "first", over: "sum", call: ({ outputs }) => outputs.sum() },
      { name: "rows", over: "all", call: ({ outputs }) => outputs, finish: (values, n) => { rows = [...values]; return n; } },
      { name: "root", call: ({ targets }) => targets, finish: ([mean]) => Math.sqrt(mean!) },
    ]; // prettier-ignore
    const found = await echo(2, metrics).evaluate(data, { batchSize: 2 });
    expect(found).toMatchObject({ sums: 2530.5, first: 55, rows: 5 });
    expect(found.root).toBeCloseTo(Math.SQRT2, 6);
    expect(rows).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("may take long to finish rows, and rows only", async () => {
    const data = dataset([[1], [2], [3]], [0, 0, 0]);
    const call: Metric["call"] = ({ outputs }) => outputs;
    const late: Metric["finish"] = async (values) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return values.at(-1)!;
    };
    expect((await echo(1, [{ name: "late", over: "all", call, finish: late }]).evaluate(data)).late).toBe(3);
    const broken = (): Promise<number> => Promise.reject(new Error("of one's own"));
    await expect(echo(1, [{ name: "late", over: "all", call, finish: broken }]).evaluate(data)).rejects.toThrow(
      "of one's own",
    );
    await expect(echo(1, [{ name: "late", over: "sum", call, finish: late }]).evaluate(data)).rejects.toEqual(
      failure("OptionError", /^late: expected a number, unless over is "all", for what finish returns/),
    );
  });

  test("may throw while it is told how far the steps are", async () => {
    const data = dataset(new Float32Array(8000), new Float32Array(8000), { inputShape: [1] });
    const throwing = (when: (calls: number) => boolean): Model => {
      let calls = 0;
      const finish = (): number => {
        if (when(++calls)) throw new Error("of one's own");
        return calls;
      };
      const metric: Metric = { name: "own", over: "sum", call: ({ outputs }) => outputs.sum(), finish };
      return sequential([dense(1)], { inputShape: [1], seed: 1 }).compile({ loss: "meanSquaredError", metrics: [metric] }); // prettier-ignore
    };
    const callbacks: Callback[] = [{ onProgress: () => undefined }, { onBatchEnd: () => undefined }];
    const once = throwing((calls) => calls === 5);
    await expect(once.fit(data, { epochs: 3, callbacks })).rejects.toThrow("of one's own");
    await once.fit(data, { epochs: 1, callbacks });
    const controller = new AbortController();
    const late = throwing(() => controller.signal.aborted);
    const fitting = late.fit(data, { epochs: 1e9, callbacks, signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(fitting).rejects.toThrow(/enough|of one's own/); // the end of the steps and the abort may come in either order
  });

  test("may keep more per step than is held at once", async () => {
    const wide: Metric = { name: "wide", over: "sum", call: ({ outputs }) => outputs.sum().broadcastTo([600_000]), finish: (values) => values.at(-1)! }; // prettier-ignore
    const inputs = Array.from({ length: 6 }, (_, i) => [i]);
    expect((await echo(1, [wide]).evaluate(dataset(inputs, inputs), { batchSize: 1 })).wide).toBe(15);
  });

  test("must give sums of one size and rows for all examples", async () => {
    const data = dataset([[1], [2], [3]], [0, 0, 0]);
    const grows: Metric = { name: "grows", over: "sum", call: ({ outputs }) => outputs };
    await expect(echo(1, [grows]).evaluate(data, { batchSize: 2 })).rejects.toEqual(
      failure("ShapeError", "grows: sums must have one size for every batch, but 1 ≠ 2"),
    );
    const one: Metric = { name: "one", over: "all", call: ({ outputs }) => outputs.sum({ keepDims: true }) };
    await expect(echo(1, [one]).evaluate(data)).rejects.toEqual(
      failure("ShapeError", /^one: expected a row for each of 3/),
    );
  });
});

test("fit reports them per epoch, in training and validation, and those of sums while it runs", async () => {
  const { predictions, labels } = golden.fourClasses;
  const data = dataset(predictions, Int32Array.from(labels));
  const model = sequential([dense(4)], { inputShape: [4], seed: 1 });
  model.compile({ loss: "softmaxCrossEntropy", metrics: ["f1", "auc", precision({ class: 2 })] });
  const running = new Set<string>();
  const callback: Callback = { onProgress: (_, logs) => Object.keys(logs).forEach((name) => running.add(name)) };
  const { curves } = await model.fit(data, { epochs: 3, validationData: data, callbacks: [callback] });
  expect(Object.keys(curves)).toEqual(
    ["loss", "f1", "auc", "precision[2]", "valLoss", "valF1", "valAuc", "valPrecision[2]", "learningRate"], // prettier-ignore
  );
  const found = await model.evaluate(data);
  expect(curves.valF1!.at(-1)).toBe(found.f1);
  expect(curves.valAuc!.at(-1)).toBe(found.auc);
  expect(running).toEqual(new Set(["loss", "f1", "precision[2]"]));
});

test("are saved with their options", async () => {
  const folder = await mkdtemp(join(tmpdir(), "simdnn-metrics-"));
  try {
    const path = join(folder, "a.safetensors");
    const { predictions, labels } = golden.fourClasses;
    const data = dataset(predictions, Int32Array.from(labels));
    const model = sequential([dense(4)], { inputShape: [4], seed: 1 });
    model.compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy", topK({ k: 2 }), recall({ average: "micro" })] }); // prettier-ignore
    await model.save(path);
    expect(await (await loadModel(path)).evaluate(data)).toEqual(await model.evaluate(data));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("rocAuc counts ties half, and is NaN without both kinds", () => {
  expect(rocAuc([0.5, 0.5, 0.5], [1, 0, 0])).toBe(0.5);
  expect(rocAuc([3, 2, 2, 1], [1, 1, 0, 0])).toBe(0.875);
  expect(rocAuc([1, 2], [1, 1])).toBeNaN();
});

describe("refusals", () => {
  // prettier-ignore
  test.each([
    [() => topK({ k: 0 }), /^topK: expected a positive integer for k/],
    [() => precision({ average: "mean" as never }), /^precision: expected one of "binary", /],
    [() => recall({ class: -1 }), /^recall: expected an integer >= 0 for class/],
    [() => f1({ class: 1, average: "macro" }), /^f1: expected either average or class/],
    [() => f1({ threshold: 2 }), /^f1: expected a number from 0 to 1 for threshold/],
    [() => auc({ clas: 1 } as never), 'auc: unknown option "clas"; did you mean "class"?'],
    [() => rocAuc([1], [1, 0]), /^rocAuc: expected 1 labels, one per score, for labels but received 2/],
    [() => echo(2, ["f1", f1()]), 'compile: expected a name of its own for each metric for metrics but received "f1" (string)'],
    [() => echo(2, [{ name: "loss", call: ({ outputs }) => outputs }]), /received "loss" \(string\)$/],
  ])("%#", (make, message) => {
    expect(make).toThrow(failure("OptionError", message));
  });

  test("classes that do not exist, and an average of two where there are more", async () => {
    const data = dataset([[0.2, 0.3, 0.5]], Int32Array.of(1));
    await expect(echo(3, [precision({ class: 3 })]).evaluate(data)).rejects.toThrow("a class below 3");
    await expect(echo(3, [auc({ class: 3 })]).evaluate(data)).rejects.toThrow("a class below 3");
    await expect(echo(3, [f1({ average: "binary" })]).evaluate(data)).rejects.toThrow('"micro" with 3 classes');
    await expect(echo(3, []).confusionMatrix(dataset([[1, 2, 3]], Int32Array.of(3)))).rejects.toMatchObject({ code: "IndexError" }); // prettier-ignore
  });
});
