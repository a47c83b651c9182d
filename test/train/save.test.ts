import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  batchNorm,
  constant,
  dataset,
  dense,
  dropout,
  isSimdnnError,
  loadModel,
  relu,
  sequential,
  type Layer,
  type Model,
  type Tensor,
} from "simdnn";
import { readSafetensors, writeSafetensors } from "#lib/data/safetensors.js";
import { failure } from "../failure.js";
import { withoutChecksum } from "../without-checksum.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-save-"));
});
afterAll(() => rm(folder, { recursive: true }));

const data = dataset([[1, 2], [3, 4], [5, 6]], Int32Array.of(0, 1, 1)); // prettier-ignore

async function trained(): Promise<Model> {
  const model = sequential(
    [dense(4, { bias: false }), batchNorm(), relu(), dropout(0.5), dense(2, { activation: "tanh" })],
    { inputShape: [2], seed: 1 },
  );
  model.compile({ loss: "softmaxCrossEntropy", metrics: ["accuracy"] });
  await model.fit(data, { epochs: 2 });
  return model;
}

describe("save and loadModel", () => {
  it("give the same predictions and figures", async () => {
    const model = await trained();
    const path = join(folder, "a.safetensors");
    await model.save(path);
    const loaded = await loadModel(path);
    expect((await loaded.predict([[1, 2]])).data()).toEqual((await model.predict([[1, 2]])).data());
    expect(await loaded.evaluate(data)).toEqual(await model.evaluate(data));
    expect(await loadModel(await readFile(path))).toMatchObject({ seed: 1, outputShape: [2] });
    expect(await readdir(folder)).toEqual(["a.safetensors"]);
  });

  it("bring back layers of one's own through their makers", async () => {
    const scale = (): Layer<{ factor: Tensor }> => ({
      type: "scale",
      options: {},
      build: ({ inputShape, parameter }) => ({ factor: parameter("factor", inputShape, constant(3)) }),
      call: (input, { factor }) => input.mul(factor),
    });
    const model = sequential([scale()], { inputShape: [2] });
    const path = join(folder, "own.safetensors");
    await model.save(path);
    await expect(loadModel(path)).rejects.toThrow(/unknown type "scale"/);
    const loaded = await loadModel(path, { layers: { scale: scale } });
    expect((await loaded.predict([[1, 2]])).data()).toEqual(Float32Array.of(3, 6));
  });

  it("say what is wrong with a file", async () => {
    const path = join(folder, "b.safetensors");
    await (await trained()).save(path);
    const { tensors, metadata } = await readSafetensors(path);
    const wrong = async (
      change: (t: Map<string, never>, m: Map<string, string>) => void,
      text: string,
    ): Promise<void> => {
      const [t, m] = [new Map(tensors), new Map(metadata)];
      change(t as Map<string, never>, m);
      await writeSafetensors(join(folder, "c.safetensors"), t, m);
      await expect(loadModel(join(folder, "c.safetensors"))).rejects.toThrow(text);
    };
    await wrong((_, m) => m.delete("format"), 'expected a model in its metadata (format "simdnn"), but there is none');
    await wrong((_, m) => m.set("model", "{"), "expected an architecture in JSON, but it has Expected property name");
    await wrong((_, m) => m.set("model", "[".repeat(100_000)), "it has more than 64 levels of JSON");
    await wrong((_, m) => m.set("model", `"${" ".repeat(2 ** 20)}"`), "it has 1048578 characters of JSON");
    await wrong((_, m) => m.set("model", '{"version":9}'), "expected format version 1, but it is 9");
    await wrong((_, m) => m.set("model", '{"version":1}'), "one is missing or of the wrong kind");
    await wrong((t) => t.delete("dense1.weight"), "expected dense1.weight as F32 [2, 4], but it has none");
    await wrong((t) => t.delete("batchNorm1.gamma"), "expected batchNorm1.gamma as F32 [4], but it has none");
    await wrong(
      (t) => t.set("extra", { dtype: "F32", shape: [1], data: Float32Array.of(1) } as never),
      'it also holds "extra"',
    );
    await wrong(
      (_, m) => m.set("model", m.get("model")!.replace('"units":4', '"units":400000000')),
      "weights for its dense layers",
    );
    await expect(loadModel(join(folder, "none"))).rejects.toMatchObject({ code: "FileError" });
  });

  it("notice a flipped bit of a weight", async () => {
    const path = join(folder, "flipped.safetensors");
    await (await trained()).save(path);
    const bytes = await readFile(path);
    bytes[bytes.length - 3]! ^= 1;
    await expect(loadModel(bytes)).rejects.toThrow(failure("FileError", /content with the checksum/));
    await loadModel(withoutChecksum(bytes)); // nobody can tell
  });

  it("survive damaged files with errors of their own", async () => {
    const path = join(folder, "d.safetensors");
    await (await trained()).save(path);
    const whole = withoutChecksum(await readFile(path));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(whole.length),
        async (edits, length) => {
          const damaged = Uint8Array.from(whole);
          for (const [at, byte] of edits) damaged[at] = byte;
          const error = await loadModel(length % 5 === 0 ? damaged.subarray(0, length) : damaged).then(() => undefined, (e: unknown) => e); // prettier-ignore
          expect(error === undefined || isSimdnnError(error)).toBe(true);
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });

  it("leave the old file as it was when saving fails", async () => {
    const model = await trained();
    const path = join(folder, "file");
    await writeFile(path, "old");
    await expect(model.save(join(path, "below.safetensors"))).rejects.toMatchObject({ code: "FileError" });
    expect(await readFile(path, "utf8")).toBe("old");
  });
});
