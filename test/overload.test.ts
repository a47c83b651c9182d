// One name for two things: the first argument decides, and the types follow it.
import { expect, expectTypeOf, test } from "vitest";
import { overload } from "#lib/overload.js";
import { tensor, type Tensor } from "#lib/tensor.js";

const either = overload(
  (x: Tensor, label: string) => tensor(x.size, { name: label }),
  (options: { readonly width?: number } = {}) => ({ made: options.width ?? 1 }),
);

test("a tensor first means the computation", () => {
  const result = either(tensor([1, 2, 3]), "size");
  expectTypeOf(result).toEqualTypeOf<Tensor>();
  expect(result.item()).toBe(3);
  expect(result.name).toBe("size");
});

test("anything else means the thing made", () => {
  expectTypeOf(either({ width: 3 })).toEqualTypeOf<{ made: number }>();
  expect([either(), either({ width: 3 })]).toEqual([{ made: 1 }, { made: 3 }]);
  // @ts-expect-error: the computation's operands and the options do not mix
  either({ depth: 3 });
});
