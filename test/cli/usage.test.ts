// Help, and wrong words and values: what a person reads who does not know the command yet.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, simdnn } from "./command.js";

describe("help", () => {
  test.each([
    { line: "--help", words: ["Usage: simdnn", "train", "predict", "Examples:"] },
    { line: "help train", words: ["Usage: simdnn train", "--learning-rate", "Examples:"] },
    { line: "train --help", words: ["Usage: simdnn train", "--data", "(default: 512,256)", "Examples:"] },
    { line: "predict --help", words: ["Usage: simdnn predict", "--labels", "Examples:"] },
  ])("$line", async ({ line, words }) => {
    const { code, stdout, stderr } = await simdnn(line);
    for (const word of words) expect(stdout).toContain(word);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  test("--version", async () => {
    expect((await simdnn("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

// Each message is one line, without a stack.
async function refusal(line: string, code: number): Promise<string> {
  const ended = await simdnn(line);
  expect(ended).toMatchObject({ code, stdout: "" });
  expect(ended.stderr).toMatch(/^simdnn: .*\n$/);
  return ended.stderr.trimEnd();
}

describe("wrong usage", () => {
  test.each([
    ["trian", "simdnn: unknown command 'trian' (Did you mean train?)"],
    ["train --epoch 3", "simdnn: unknown option '--epoch' (Did you mean --epochs?)"],
    [
      "train --epochs zero",
      "simdnn: option '-e, --epochs <n>' argument 'zero' is invalid. Expected an integer of at least 1.",
    ],
    [
      "train --threads -1",
      "simdnn: option '-t, --threads <n>' argument '-1' is invalid. Expected an integer from 1 to 256.",
    ],
    ["train --dropout 1", "Expected a number from 0 up to, but not including, 1."],
    ["train --learning-rate 0", "Expected a number above 0."],
    ["train --hidden 64,,32", 'Expected positive integers such as "512,256", or "none".'],
    ["train --optimizer adma", "Expected one of adam, adamw, momentum, nesterov, rmsprop, sgd. (Did you mean adam?)"],
    ["train data", "too many arguments for 'train'"],
    ["predict", "missing required argument 'model'"],
    ["predict model a b --labels c", "expected --labels once per file of images, but there are 1 for 2"],
  ])("simdnn %s", async (line, message) => {
    expect(await refusal(line, 2)).toContain(message);
  });
});

describe("files that cannot be used", () => {
  test("no such data", async () => {
    expect(await refusal("train --data nowhere", 1)).toContain(join("nowhere", "train-images-idx3-ubyte"));
  });

  test("an output that cannot be written is refused before anything is read", async () => {
    await mkdir(join(folder, "folder"));
    expect(await refusal("train --data nowhere --output folder", 1)).toBe(
      "simdnn: folder: expected a writable path, but it is a directory; name a file in it",
    );
    await writeFile(join(folder, "file"), "");
    expect(await refusal("train --data nowhere --output file/model", 1)).toContain("expected a writable path");
  });

  test("no model", async () => {
    await writeFile(join(folder, "not-a-model"), "12345678 and no header");
    expect(await refusal("predict not-a-model images", 1)).toContain("simdnn: not-a-model: expected");
    expect(await refusal("predict no-model images", 1)).toContain(
      "simdnn: no-model: expected a readable file, but there is none",
    );
  });
});
