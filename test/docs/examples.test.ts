// The examples in the documentation of lib/: they run, and give what the comments behind them say.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeIdx } from "#lib/data/idx.js";
import { adam, datasets, dense, sequential, type Dataset, type Model } from "#lib/index.js";
import * as plot from "#lib/plot.js";
import { examplesIn, root, runSnippet } from "./snippets.js";

const sources = readdirSync(join(root, "lib"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.replaceAll("\\", "/"))
  .sort();

// What an example may take for granted: a data set, a model that fits it, and files of both.
interface Surroundings {
  readonly [name: string]: unknown;
  readonly model: Model;
  readonly train: Dataset;
}
let surroundings: Surroundings;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "simdnn examples "));
  process.chdir(folder);
  const [train, dev, testing] = (await datasets.digits({ count: 300, seed: 1 })).split([0.8, 0.1, 0.1]);
  const model = sequential([dense(16, { activation: "relu" }), dense(10)], { inputShape: [784], seed: 1 });
  model.compile({ loss: "softmaxCrossEntropy", optimizer: adam(), metrics: ["accuracy"] });
  await model.save("digits.safetensors");
  mkdirSync("data/mnist", { recursive: true });
  const images = new Uint8Array(4 * 784);
  const labels = Uint8Array.of(1, 2, 3, 4);
  for (const part of ["train", "t10k"]) {
    await writeIdx(`data/mnist/${part}-images-idx3-ubyte.gz`, { shape: [4, 28, 28], data: images });
    await writeIdx(`data/mnist/${part}-labels-idx1-ubyte.gz`, { shape: [4], data: labels });
  }
  surroundings = { model, train, dev, test: testing, images, plot };
});

afterAll(() => {
  process.chdir(root);
  rmSync(folder, { recursive: true });
});

describe.each(sources)("%s", (file) => {
  const source = readFileSync(join(root, "lib", file), "utf8");
  const examples = examplesIn(source);

  test("no example is overlooked", () => {
    expect(examples.length).toBe(source.split("@example").length - 1);
  });

  test.each(examples)("%s", async (code) => {
    const entry = file.startsWith("kernels/") ? "kernels.ts" : file.startsWith("ops/") ? "ops/index.ts" : "index.ts";
    const modules = [await load("index.ts"), await load(entry), await load(file)];
    const scope = Object.assign({}, ...modules, surroundings) as Record<string, unknown>;
    const claims = await runSnippet(code, scope);
    if (file.startsWith("ops/")) expect(claims).toBeGreaterThan(0);
  });

  if (file.startsWith("ops/"))
    test("each documented function has an example", () => {
      expect(examples.length).toBe([...source.matchAll(/^ \*\/\nexport function \w+/gm)].length);
    });
});

async function load(file: string): Promise<object> {
  return (await import(/* @vite-ignore */ join(root, "lib", file))) as object;
}
