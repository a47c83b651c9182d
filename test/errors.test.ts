// The texts and fields of SimdnnError.
import { describe, expect, test } from "vitest";
import {
  busyError,
  dtypeError,
  fileError,
  indexError,
  isSimdnnError,
  nonFiniteError,
  shapeError,
  SimdnnError,
} from "#lib/errors.js";

describe("SimdnnError", () => {
  test("is an Error whose name is its code, also on the first line of the stack", () => {
    const error = new SimdnnError("StateError", "model.fit: call compile() first", { where: "model.fit" });
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe("StateError: model.fit: call compile() first");
    expect(error.stack?.split("\n")[0]).toBe("StateError: model.fit: call compile() first");
    expect(error.stack).toContain("errors.test");
    expect(error).toMatchObject({ code: "StateError", name: "StateError", details: { where: "model.fit" } });
  });

  test("isSimdnnError tells kinds apart", () => {
    const error: unknown = busyError("w");
    expect(isSimdnnError(error)).toBe(true);
    expect(isSimdnnError(error, "BusyError")).toBe(true);
    expect(isSimdnnError(error, "ShapeError")).toBe(false);
    expect(isSimdnnError(new Error("BusyError"))).toBe(false);
  });
});

describe("texts", () => {
  test("a shape error lists its operands in columns", () => {
    const error = shapeError("dense", "input's last dimension must equal weight's first, but 784 ≠ 100", [
      { label: "input", shape: [32, 784], name: "model.input" },
      { label: "weight", shape: [100, 10], name: "model.layers[4].weight" },
      { label: "bias", shape: [10] },
    ]);
    expect(String(error)).toBe(
      [
        "ShapeError: dense: input's last dimension must equal weight's first, but 784 ≠ 100",
        "  input    [32, 784]   ← model.input",
        "  weight   [100, 10]   ← model.layers[4].weight",
        "  bias     [10]",
      ].join("\n"),
    );
    expect(error.details.operands[1]?.shape).toEqual([100, 10]);
  });

  test("a dtype error, with and without operands", () => {
    expect(dtypeError("exp", "expected floats", [{ label: "x", dtype: "int32", shape: [] }]).message).toBe(
      "exp: expected floats\n  x   int32 []",
    );
    expect(dtypeError("exp", "expected floats").message).toBe("exp: expected floats");
  });

  test("busy", () => {
    expect(String(busyError("dense1.weight"))).toBe(
      'BusyError: "dense1.weight" is being trained; await the fit() promise first',
    );
  });

  test("non-finite, with what is known", () => {
    expect(String(nonFiniteError({ what: "loss", value: NaN, epoch: 3, step: 41, tensor: "dense2.output" }))).toBe(
      "NonFiniteError: loss became NaN at epoch 3, step 41; first non-finite tensor: dense2.output",
    );
    expect(nonFiniteError({ what: "loss", value: -Infinity, step: 0 }).message).toBe("loss became -Infinity at step 0");
    expect(nonFiniteError({ what: "loss", value: NaN }).message).toBe("loss became NaN");
  });

  test("index", () => {
    const error = indexError({
      where: "softmaxCrossEntropy",
      what: "labels",
      position: 17,
      index: 12,
      count: 10,
      kind: "classes",
    });
    expect(error.message).toBe(
      "softmaxCrossEntropy: labels[17] is 12, but there are 10 classes: expected an integer from 0 to 9",
    );
    expect(error.details.index).toBe(12);
  });

  test("file", () => {
    const cause = new Error("disk");
    const error = fileError("a.gz", "100 bytes", "it ends after 7", "download it again", cause);
    expect(error.message).toBe("a.gz: expected 100 bytes, but it ends after 7; download it again");
    expect(error.cause).toBe(cause);
    expect("cause" in fileError("a", "b", "c", "d")).toBe(false);
  });
});
