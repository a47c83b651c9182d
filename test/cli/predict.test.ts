// From IDX files through `simdnn train` and a saved model to the labels of `simdnn predict`.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { loadModel } from "simdnn";
import { writeIdx } from "#lib/data/idx.js";
import { folder, simdnn } from "./command.js";
import { stripes, writeStripes } from "./stripes.js";

interface Result {
  readonly files: readonly {
    readonly file: string;
    readonly images: readonly { readonly label: number; readonly probability: number }[];
    readonly accuracy?: number;
  }[];
}

const images = "data/t10k-images-idx3-ubyte.gz";
const labels = "data/t10k-labels-idx1-ubyte.gz";

beforeAll(async () => {
  await writeStripes("data", { train: 200, test: 41 });
  const line =
    "train --data data --dev 0 --epochs 12 --hidden 16 --batch-size 20 --learning-rate 0.01 --output stripes";
  const { code, stdout } = await simdnn(line);
  expect(code).toBe(0);
  expect(stdout).toContain("data      data\nexamples  200 to fit, 0 dev, 41 test; 4 classes");
  expect(stdout).toContain("accuracy 100.00 % (41 of 41)");
});

test("labels every image, and gives the accuracy where the labels are known", async () => {
  const { stdout, stderr } = await simdnn(`predict stripes ${images} --labels ${labels}`);
  expect(stderr).toBe("");
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(42);
  lines
    .slice(0, 41)
    .forEach((line, i) => expect(line).toMatch(new RegExp(`^ *${i} {2}label ${i % 4} +\\d+\\.\\d\\d %$`)));
  expect(lines[41]).toBe("accuracy 100.00 % (41 of 41) on t10k-images-idx3-ubyte.gz");
});

test("marks mistakes, stops at the limit, draws", async () => {
  await writeIdx(join(folder, "zeros"), { shape: [41], data: new Uint8Array(41) });
  const { stdout } = await simdnn(`predict stripes ${images} --labels zeros --limit 2 --show`);
  expect(stdout).toMatch(/\n +1 {2}label 1 +[\d.]+ % {3}wrong: it is 0\naccuracy 50.00 % \(1 of 2\)/);
  // Rows two by two: image 0 is bright in the first of five, image 1 in the second.
  expect(stdout.split("\n").filter((line) => /^[-=+*#%@]{4}$/.test(line))).toHaveLength(2);
});

test("--json gives the model's own probabilities, file by file", async () => {
  const { stdout } = await simdnn(`predict stripes data/train-images-idx3-ubyte ${images} --json --limit 3`);
  const { files } = JSON.parse(stdout) as Result;
  const model = await loadModel(join(folder, "stripes"));
  const probabilities = (await model.predict(stripes(3).images)).data();
  expect(files.map(({ file }) => file)).toEqual(["data/train-images-idx3-ubyte", images]);
  expect(files[0]!.images).toEqual(
    [0, 1, 2].map((label) => ({ label, probability: probabilities[4 * label + label] })),
  );
  expect(files[0]).not.toHaveProperty("accuracy");
});

test("images of another size and labels of another number are refused", async () => {
  // As many pixels as some stripes together have, so that only their shape tells.
  await writeIdx(join(folder, "large"), { shape: [5, 6, 6], data: new Uint8Array(180) });
  const large = await simdnn("predict stripes large");
  expect(large).toMatchObject({ code: 1, stdout: "" });
  expect(large.stderr).toMatch(/^simdnn: predict: large: its images have another size than those the model/);

  const few = await simdnn(`predict stripes ${images} --labels data/train-labels-idx1-ubyte`);
  expect(few).toMatchObject({ code: 1, stdout: "" });
  expect(few.stderr).toContain("data/train-labels-idx1-ubyte: expected one label per image");
});

test("a truncated file ends training before it begins", async () => {
  await writeStripes("damaged", { train: 40, test: 40 });
  const path = join(folder, "damaged/train-images-idx3-ubyte");
  await writeFile(path, (await readFile(path)).subarray(0, 300));
  const { code, stdout, stderr } = await simdnn("train --data damaged --output never");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^simdnn: .*train-images-idx3-ubyte: expected 816 bytes .* but it ends after 300; .*\n$/);
  await expect(readFile(join(folder, "never"))).rejects.toThrow("ENOENT");
});
