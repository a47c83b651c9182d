// Program images that are not what lib/program.ts writes: the addon refuses them with an error, or runs them within their own memory.
import fc from "fast-check";
import { expect, test } from "vitest";
import { info, native, opcodes, type ProgramImage } from "#lib/native.js";
import { allOps, type Op } from "#lib/op.js";
import { draw } from "./ops/support.js";
import { dtypes, maxRank } from "#lib/tensor.js";
import "#lib/ops/index.js";

/** Loads, and runs what could be loaded. Returns what was wrong with it. */
function attempt(image: ProgramImage): string | undefined {
  let program;
  try {
    program = native.load(...image);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  native.run(program, 1);
  return undefined;
}

const word = fc.oneof(fc.integer({ min: -2, max: 12 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
const number = fc.oneof(fc.integer({ min: -2, max: 12 }), fc.double());

test("random words are refused", () => {
  const images = fc.tuple(fc.array(word, { maxLength: 40 }), fc.array(word, { maxLength: 20 }), fc.array(number, { maxLength: 6 }), fc.array(word, { maxLength: 3 }), fc.nat(2)); // prettier-ignore
  fc.assert(
    fc.property(images, ([tensors, instructions, attrs, restored, storages]) => {
      const memory = Array.from({ length: storages }, () => new Float32Array(64));
      attempt([Int32Array.from(tensors), Int32Array.from(instructions), Float64Array.from(attrs), Int32Array.from(restored), memory]); // prettier-ignore
    }),
    { seed: 1, numRuns: 3000 },
  );
});

/** A valid image of one instruction, with every tensor in its own memory. */
function imageOf(op: Op, sampleIndex: number): [number[], number[], number[], number[], ArrayBufferView[]] {
  const samples = op.samples();
  const sample = samples[sampleIndex % samples.length]!;
  const operands = draw(sample);
  const outputs = op.shape(operands, sample.attrs);
  const specs = [...operands, ...outputs];
  const tensors = specs.flatMap(({ shape, dtype }, i) => [i, 0, dtypes.indexOf(dtype), shape.length, ...Array.from({ length: maxRank }, (_, d) => shape[d] ?? 0)]); // prettier-ignore
  const attrs = Object.entries(op.attrs).flatMap(([key, type]) => {
    const value = sample.attrs[key];
    if (type === "integers") return [(value as number[]).length, ...(value as number[])];
    return typeof type === "string" ? Number(value) : type.indexOf(value as string);
  });
  const instructions = [opcodes.get(op.name)!, operands.length, outputs.length, attrs.length, ...specs.keys()];
  // As many bytes as the tensor needs and not one more: sanitized runs would see the next one touched.
  const sizes = specs.map(({ shape, dtype }) => shape.reduce((n, dim) => n * dim, { float32: 4, float64: 8, int32: 4, uint8: 1 }[dtype])); // prettier-ignore
  return [tensors, instructions, attrs, [], sizes.map((size) => new Uint8Array(size))];
}

const kernels = allOps().filter((op) => !op.alias);

test("valid images run", () => {
  for (const op of kernels) {
    const [tensors, instructions, attrs, restored, memory] = imageOf(op, 0);
    const image = [Int32Array.from(tensors), Int32Array.from(instructions), Float64Array.from(attrs), Int32Array.from(restored), memory] as const; // prettier-ignore
    expect(attempt(image), op.name).toBeUndefined();
  }
});

test("valid images with some words changed are refused or run within their memory", () => {
  const changes = fc.array(fc.tuple(fc.nat(2), fc.nat(), word, number), { minLength: 1, maxLength: 3 });
  let refused = 0;
  fc.assert(
    fc.property(fc.nat(kernels.length - 1), fc.nat(), changes, (op, sample, changed) => {
      const image = imageOf(kernels[op]!, sample);
      for (const [part, at, integer, double] of changed) {
        const words = image[part] as number[];
        if (words.length > 0) words[at % words.length] = part === 2 ? double : integer;
      }
      const [tensors, instructions, attrs, restored, memory] = image;
      const problem = attempt([Int32Array.from(tensors), Int32Array.from(instructions), Float64Array.from(attrs), Int32Array.from(restored), memory]); // prettier-ignore
      if (problem !== undefined) refused++;
    }),
    { seed: 1, numRuns: 4000 },
  );
  expect(refused).toBeGreaterThan(1000);
  expect(info.ops.length).toBe(kernels.length);
});
