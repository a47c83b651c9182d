// `simdnn train`: what it prints and what it leaves behind.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadModel } from "simdnn";
import { folder, simdnn } from "./command.js";
import { writeStripes } from "./stripes.js";

interface Result {
  readonly data: { readonly fit: number; readonly dev: number; readonly test: number };
  readonly epochs: readonly Record<string, number>[];
  readonly best: number | null;
  readonly test: { readonly accuracy: number; readonly confusion: readonly (readonly number[])[] };
}

const quick = "--examples 150 --epochs 2 --hidden 16 --batch-size 20";
const widest = (text: string): number => Math.max(...text.split("\n").map(({ length }) => length));

test("prints a line per epoch and a confusion matrix, and saves", async () => {
  const { code, stdout, stderr } = await simdnn(`train ${quick}`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^data {6}built-in digits\nexamples {2}\d+ to fit, \d+ dev, \d+ test; 10 classes$/m);
  expect(stdout).toContain("network   784-16-10, batch norm, ReLU, dropout 0.2; 12,746 parameters");
  const numbers = " +[\\d.]+ +[\\d.]+ % +[\\d.]+ +[\\d.]+ % +[\\d.]+ s\n";
  const heading = " +epoch +loss +accuracy +dev loss +dev accuracy +time\n";
  expect(stdout).toMatch(new RegExp(`^${heading} +1/2${numbers} +2/2${numbers}\n`, "m"));
  expect(stdout).toMatch(/^kept {6}epoch [12], the best on dev: accuracy [\d.]+ %$/m);
  expect(stdout).toMatch(/^test {6}loss [\d.]+, accuracy [\d.]+ % \(\d+ of \d+\)$/m);
  expect(stdout).toMatch(/^true +0 +1 +2 +3 +4 +5 +6 +7 +8 +9 +recall$/m);
  expect(stdout).toContain("saved     simdnn-digits.safetensors (");
  expect(stdout).not.toContain("\u001b");
  expect(widest(stdout)).toBeLessThanOrEqual(80);
  expect((await loadModel(join(folder, "simdnn-digits.safetensors"))).outputShape).toEqual([10]);
  expect(await readdir(folder)).toEqual(["simdnn-digits.safetensors"]);
});

test("the same seed gives the same model on any number of threads, another seed another one", async () => {
  const run = async (options: string): Promise<Buffer> => {
    expect((await simdnn(`train ${quick} --quiet --output model ${options}`)).code).toBe(0);
    return readFile(join(folder, "model"));
  };
  const first = await run("--seed 7 --threads 1");
  expect((await run("--seed 7 --threads 2")).equals(first)).toBe(true);
  expect((await run("--seed 8 --threads 2")).equals(first)).toBe(false);
});

test("--quiet prints the result only", async () => {
  const { stdout } = await simdnn(`train ${quick} --quiet`);
  expect(stdout).not.toMatch(/^data|^ *epoch/m);
  expect(stdout).toMatch(/^test /m);
});

test("--json prints one object, in which everything adds up", async () => {
  const { stdout } = await simdnn(`train ${quick} --json --output new/folder/model`);
  const { data, epochs, best, test, ...rest } = JSON.parse(stdout) as Result;
  expect(rest).toEqual({ parameters: 12746, seed: 1, interrupted: false, output: "new/folder/model", report: null });
  expect(data).toMatchObject({ name: "built-in digits", classes: 10 });
  expect(data.fit + data.dev + data.test).toBe(150);
  expect(epochs.map((logs) => Object.keys(logs))).toEqual(
    Array(2).fill(["loss", "accuracy", "valLoss", "valAccuracy", "learningRate"]),
  );
  expect(epochs[best! - 1]!.valAccuracy).toBe(Math.max(...epochs.map(({ valAccuracy }) => valAccuracy!)));
  const right = test.confusion.reduce((sum, counts, label) => sum + counts[label]!, 0);
  expect(test.confusion.flat().reduce((sum, value) => sum + value, 0)).toBe(data.test);
  expect(test.accuracy).toBeCloseTo(right / data.test, 6);
});

test("--profile prints the instructions of a training step, and leaves nothing behind", async () => {
  const before = await readdir(folder);
  const { code, stdout, stderr } = await simdnn(`train ${quick} --profile --threads 1 --output never`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^machine +\w+, 1 thread$/m);
  expect(stdout).toMatch(/^op +layer or tensor +shape +µs +share +rate +of peak$/m);
  expect(stdout).toMatch(/^dense +model\.dense1 +\[20, 16\] +[\d.]+ +[\d.]+ % +[\d.]+ {2}GFLOP\/s +\d+ %$/m);
  expect(stdout).toMatch(/^batchNormGrad +model\.batchNorm1\.backward +\[20, 16\] .* GB\/s +\d+ %$/m);
  expect(stdout).toMatch(/^adam +dense1\.weight +\[784, 16\] /m);
  expect(stdout).toMatch(/^[\d.]+ µs per step$/m);
  const json = JSON.parse((await simdnn(`train ${quick} --profile --json`)).stdout) as { rows: { share: number }[] };
  expect(json.rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
  expect(await readdir(folder)).toEqual(before);
});

test("--dev 0 holds nothing out; a last batch of one, which batch norm cannot take, is left out", async () => {
  await writeStripes("odd", { train: 25, test: 8 });
  const { code, stdout, stderr } = await simdnn("train --data odd --dev 0 --epochs 1 --hidden 8 --batch-size 24");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("data      odd\nexamples  25 to fit, 0 dev, 8 test; 4 classes");
  expect(stdout).toMatch(/^ +epoch +loss +accuracy +time$/m);
  expect(stdout).not.toContain("kept");
});

test("an interrupt saves the best model so far and ends with 130", async () => {
  const line = "train --examples 400 --epochs 100000 --hidden 16 --output stopped";
  const { code, stdout, stderr } = await simdnn(line, /^ +2\/100000 /m);
  expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
  const said =
    /^stopped {3}after (\d+) of 100,000 epochs\nkept {6}epoch (\d+), the best on dev: accuracy ([\d.]+ %)\n/m;
  const [, epochs, best, accuracy] = said.exec(stdout)!;
  const devAccuracies = [...stdout.matchAll(/^ *\d+\/100000 .* ([\d.]+ %) +\S+ s$/gm)].map((match) => match[1]);
  expect(devAccuracies).toHaveLength(Number(epochs));
  expect(devAccuracies[Number(best) - 1]).toBe(accuracy);
  expect((await loadModel(join(folder, "stopped"))).outputShape).toEqual([10]);
});

test("an interrupt while there is no best epoch keeps the weights of the last step", async () => {
  const line = "train --examples 400 --epochs 100000 --hidden 16 --dev 0 --output stopped-early";
  const { code, stdout } = await simdnn(line, /^ +1\/100000 /m);
  expect(code).toBe(130);
  expect(stdout).toMatch(/^kept {6}the weights of the last step\nsaved {5}stopped-early /m);
});
