// Conversion between element types.
import { apply1, defineOp } from "../op.js";
import { oneOf } from "../options.js";
import { checkTensor, dtypes, type DType, type Tensor } from "../tensor.js";

const record = defineOp<{ readonly dtype: DType }>({
  name: "cast",
  operands: ["input"],
  attrs: { dtype: dtypes },
  shape: ([input], { dtype }) => [{ shape: input!.shape, dtype }],
  vjp: ({ operands: [x] }, [dout]) => [cast(dout!, x!.dtype)],
  samples: () =>
    dtypes.flatMap((from) =>
      dtypes.flatMap((dtype) =>
        [[], [0], [1], [2, 33]].map((shape) => ({
          operands: [{ shape, dtype: from, range: [0, 250] as const, below: 250 }],
          attrs: { dtype },
        })),
      ),
    ),
});

/**
 * `x` as another dtype. To integers numbers are rounded towards 0 and kept within the range; NaN becomes 0. Gradients flow between
 * floating-point types.
 *
 * @throws OptionError for an unknown dtype
 *
 * @example
 * ```ts
 * cast(tensor([1.7, -300]), "uint8").data(); // [1, 0]
 * ```
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  oneOf("cast", "dtype", dtype, dtypes);
  checkTensor("cast", "x", x);
  return dtype === x.dtype ? x : apply1(record, [x], { dtype });
}
