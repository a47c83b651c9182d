// What tensors are made of, and what is refused.
import { totalmem } from "node:os";
import { describe, expect, test } from "vitest";
import { parameter, tensor, type TensorData } from "simdnn";
import { allocate } from "#lib/tensor.js";
import { failure } from "./failure.js";

const row = Float32Array.of(1, 2);

describe("values", () => {
  test.each<[TensorData, number[], number[]]>([
    [5, [], [5]],
    [[], [0], []],
    [[[], []], [2, 0], []],
    [[[1, 2], [3, 4]], [2, 2], [1, 2, 3, 4]], // prettier-ignore
    [
      [row, [3, 4], Int32Array.of(5, 6)],
      [3, 2],
      [1, 2, 3, 4, 5, 6],
    ],
    [[[[[[[7]]]]]], [1, 1, 1, 1, 1, 1], [7]],
    [new Float32Array(new SharedArrayBuffer(8)), [2], [0, 0]],
  ])("%j", (values, shape, data) => {
    const made = tensor(values);
    expect(made.shape).toEqual(shape);
    expect([...made.data()]).toEqual(data);
  });

  test("are copied", () => {
    const own = Float32Array.of(1, 2);
    const made = tensor(own);
    own.fill(9);
    made.data().fill(9);
    expect([...made.data()]).toEqual([1, 2]);
  });

  const holed: number[] = [1];
  holed[2] = 3;
  test.each<[unknown, string, string | RegExp]>([
    [null, "DTypeError", "tensor: expected numbers, arrays of them or a typed array but found null"],
    ["12", "DTypeError", /found "12" \(string\)/],
    [[1, "2"], "DTypeError", /found "2" \(string\)/],
    [holed, "DTypeError", /found undefined/],
    [[[1, 2], [3]], "ShapeError", "tensor: row 1 has shape [1] but row 0 has [2]; all rows must be alike"], // prettier-ignore
    [[row, 3], "ShapeError", /row 1 has shape \[\]/],
    [new Uint16Array(1), "DTypeError", /a Float32Array, Float64Array, Int32Array or Uint8Array/],
  ])("%o is refused", (values, code, message) => {
    expect(() => tensor(values as TensorData)).toThrow(failure(code as "DTypeError", message));
  });

  test("that contain themselves are refused", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(() => tensor(cyclic as TensorData)).toThrow(failure("ShapeError", /nested at most 6 deep/));
  });

  test("in a buffer that was transferred are refused", () => {
    const gone = new Float32Array(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(() => tensor(gone)).toThrow(failure("OptionError", /has lost its memory/));
    expect(() => tensor([gone, gone])).toThrow(failure("OptionError", /has lost its memory/));
  });

  test.each([
    [300, "uint8", "tensor: 300 is no uint8, an integer from 0 to 255; cast() rounds and clips"],
    [[0, -1], "uint8", /-1 is no uint8/],
    [Float32Array.of(0.5), "int32", /0.5 is no int32/],
    [2 ** 31, "int32", /2147483648 is no int32/],
    [NaN, "int32", /NaN is no int32/],
  ] as const)("%j as %s is refused instead of wrapped around", (values, dtype, message) => {
    expect(() => tensor(values, { dtype })).toThrow(failure("DTypeError", message));
  });
});

describe("options", () => {
  test.each([
    [{ shape: 5 }, /an array such as \[2, 3\] for shape/],
    [{ dtype: "float16" }, /did you mean "float32"/],
    [{ shap: [1] }, /did you mean "shape"/],
  ])("%o is refused", (options, message) => {
    expect(() => tensor(1, options as object)).toThrow(failure("OptionError", message));
    expect(() => parameter(1, options as object)).toThrow(failure("OptionError", /^parameter: /));
  });

  test("shapes of anything else are refused by what they hold", () => {
    const dims = [2, Object.create(null), Symbol("3"), 4n, "5"] as number[];
    const message =
      /but received \[2, \[Object: null prototype\] \{\} \(object\), Symbol\(3\) \(symbol\), 4n \(bigint\), "5" \(string\)\]/;
    expect(() => tensor(new Float32Array(1), { shape: dims })).toThrow(failure("ShapeError", message));
  });

  test.each([[[-1]], [[NaN]], [[0.5]], [[2 ** 31]], [[1, 1, 1, 1, 1, 1, 1]]])("shape %j is refused", (shape) => {
    expect(() => tensor(new Float32Array(1), { shape })).toThrow(failure("ShapeError", /up to 6 dimensions/));
  });
});

test("more memory than there is is refused, not promised", () => {
  const rows = Math.ceil(totalmem() / 2 ** 20) + 1;
  expect(() => allocate({ shape: [rows, 2 ** 20], dtype: "uint8" })).toThrow(
    failure("OutOfMemoryError", /no memory for an array, uint8/),
  );
});
