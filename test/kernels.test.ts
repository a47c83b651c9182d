// Raw kernels: values against sums written out in float64, what they refuse, and what they leave alone.
import fc from "fast-check";
import * as kernels from "simdnn/kernels";
import { describe, expect, it } from "vitest";
import { opNamed } from "#lib/op.js";

const { gemm, relu, adam, isSimdnnError } = kernels;

type Floats = Float32Array | Float64Array;
const types = [Float32Array, Float64Array] as const;

function close(actual: ArrayLike<number>, expected: readonly number[], type: (typeof types)[number]): void {
  const unit = type === Float32Array ? 1e-6 : 1e-13;
  const scale = Math.max(1, ...expected.map(Math.abs));
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) =>
    expect(Math.abs(actual[i]! - value), `element ${i}`).toBeLessThanOrEqual(unit * scale),
  );
}

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isSimdnnError(error)) return error.code;
    throw error;
  }
  return "nothing thrown";
}

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing thrown";
}

function wave(length: number, type: (typeof types)[number], phase = 1): Floats {
  const values = new type(length);
  for (let i = 0; i < length; i++) values[i] = Math.sin(phase + 1.7 * i);
  return values;
}

describe.each(types)("%o", (type) => {
  const of = (...values: number[]): Floats => type.from(values);

  it.each([
    [1, 1, 1],
    [3, 5, 7],
    [17, 33, 9],
    [0, 3, 2],
    [2, 3, 0],
    [70, 65, 130],
  ])("gemm %d×%d×%d in all four forms, with alpha and beta", (m, n, k) => {
    for (const transposeA of [false, true])
      for (const transposeB of [false, true]) {
        const [a, b, before] = [wave(m * k, type), wave(k * n, type, 2), wave(m * n, type, 3)];
        const expected = Array.from(before, (value, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          let sum = 0;
          for (let p = 0; p < k; p++)
            sum += a[transposeA ? p * m + i : i * k + p]! * b[transposeB ? j * k + p : p * n + j]!;
          return 0.5 * sum - 2 * value;
        });
        const c = before.slice() as Floats;
        expect(gemm({ m, n, k, a, b, c, transposeA, transposeB, alpha: 0.5, beta: -2, threads: 2 })).toBe(c);
        close(c, expected, type);
      }
  });

  it("gemm of any small size is the sum of products", () => {
    const size = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(size, size, size, (m, n, k) => {
        const [a, b] = [wave(m * k, type), wave(k * n, type, 2)];
        const expected = Array.from({ length: m * n }, (_, at) => {
          let sum = 0;
          for (let p = 0; p < k; p++) sum += a[Math.floor(at / n) * k + p]! * b[p * n + (at % n)]!;
          return sum;
        });
        close(gemm({ m, n, k, a, b }), expected, type);
      }),
      { seed: 1 },
    );
  });

  it("gemm makes c, and does not read one that beta 0 drops", () => {
    expect(gemm({ m: 2, n: 1, k: 2, a: of(1, 2, 3, 4), b: of(5, 6) })).toEqual(of(17, 39));
    expect(gemm({ m: 1, n: 1, k: 1, a: of(2), b: of(3), c: of(NaN) })).toEqual(of(6));
  });

  it("goes element by element", () => {
    const x = wave(67, type);
    const positive = kernels.add(kernels.abs(x), 0.5);
    const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
    const cases: [Floats, Floats, (z: number) => number][] = [
      [kernels.neg(x), x, (z) => -z],
      [kernels.exp(x), x, Math.exp],
      [kernels.log(positive), positive, Math.log],
      [kernels.sqrt(positive), positive, Math.sqrt],
      [kernels.square(x), x, (z) => z * z],
      [kernels.abs(x), x, Math.abs],
      [kernels.sign(x), x, Math.sign],
      [kernels.clip(x, -0.25, Infinity), x, (z) => Math.max(-0.25, z)],
      [relu(x), x, (z) => Math.max(0, z)],
      [kernels.leakyRelu(x, { slope: 0.3 }), x, (z) => (z > 0 ? z : 0.3 * z)],
      [kernels.leakyRelu(x), x, (z) => (z > 0 ? z : 0.01 * z)],
      [kernels.elu(x, { alpha: 2 }), x, (z) => (z > 0 ? z : 2 * Math.expm1(z))],
      [kernels.sigmoid(x), x, sigmoid],
      [kernels.tanh(x), x, Math.tanh],
      [kernels.softplus(x), x, (z) => Math.log1p(Math.exp(z))],
      [kernels.swish(x), x, (z) => z * sigmoid(z)],
      [kernels.add(x, positive), x, (z) => z + Math.abs(z) + 0.5],
      [kernels.sub(x, 3), x, (z) => z - 3],
      [kernels.mul(x, x), x, (z) => z * z],
      [kernels.div(x, 4), x, (z) => z / 4],
      [kernels.pow(positive, 3), positive, (z) => z ** 3],
      [kernels.maximum(x, 0.5), x, (z) => Math.max(z, 0.5)],
      [kernels.minimum(x, NaN), x, () => NaN],
    ];
    cases.slice(0, -1).forEach(([actual, from, f]) => close(actual, Array.from(from, f), type));
    expect(cases.at(-1)![0].every(Number.isNaN)).toBe(true);
    // Φ(1) from tables.
    close(kernels.gelu(of(0, 1)), [0, 0.841344746068543], type);
  });

  it("sums, averages and compares", () => {
    const x = wave(1000, type);
    const expected = Array.from(x).reduce((sum, value) => sum + value, 0);
    close([kernels.sum(x), kernels.mean(x), kernels.max(x)], [expected, expected / 1000, Math.max(...x)], type);
    expect(kernels.sum(of())).toBe(0);
    expect(code(() => kernels.max(of()))).toBe("ShapeError");
  });

  it("passes gradients through activations", () => {
    const [dout, x] = [wave(33, type, 2), wave(33, type)];
    const y = kernels.tanh(x);
    close(kernels.activationGrad({ activation: "tanh", dout, saved: y }), Array.from(y, (v, i) => dout[i]! * (1 - v * v)), type); // prettier-ignore
    const { dz, dbias } = kernels.denseGrad({ rows: 11, units: 3, dout, output: relu(x), activation: "relu" });
    const expected = Array.from(x, (v, i) => (v > 0 ? dout[i]! : 0));
    close(dz, expected, type);
    close(dbias, [0, 1, 2].map((j) => expected.filter((_, i) => i % 3 === j).reduce((a, b) => a + b)), type); // prettier-ignore
  });

  it("dense adds the bias and bends", () => {
    const [input, weight] = [of(1, 2), of(1, -1, 1, -1)];
    expect(kernels.dense({ rows: 1, inputs: 2, units: 2, input, weight, bias: of(1, 1), activation: "relu" })).toEqual(
      of(4, 0),
    );
    expect(kernels.dense({ rows: 1, inputs: 2, units: 2, input, weight })).toEqual(of(3, -3));
  });

  it("softmax, its logarithm, the loss on it and that one's gradient", () => {
    const logits = of(1, 2, 3, -1000, 0, 1000);
    const rows = 2;
    const e = [1, 2, 3].map((z) => Math.exp(z - 3));
    const total = e[0]! + e[1]! + e[2]!;
    const p = e.map((value) => value / total);
    close(kernels.softmax({ rows, columns: 3, input: logits }), [...p, 0, 0, 1], type);
    close(kernels.logSoftmax({ rows, columns: 3, input: logits }).subarray(0, 3), p.map(Math.log), type);
    const labels = Int32Array.of(1, 2);
    const { loss, probabilities } = kernels.softmaxCrossEntropy({ rows, classes: 3, logits, labels });
    close(loss, [-Math.log(p[1]!), 0], type);
    close(probabilities, [...p, 0, 0, 1], type);
    const gradient = kernels.softmaxCrossEntropyGrad({
      rows,
      classes: 3,
      dloss: of(2, 2),
      probabilities,
      labels,
      out: probabilities,
    });
    close(gradient, [2 * p[0]!, 2 * p[1]! - 2, 2 * p[2]!, 0, 0, 0], type);
    const soft = kernels.softmaxCrossEntropy({
      rows: 1,
      classes: 3,
      logits: logits.subarray(0, 3),
      labels: of(0.5, 0.5, 0),
    });
    close(soft.loss, [-(Math.log(p[0]!) + Math.log(p[1]!)) / 2], type);
    expect(
      message(() => kernels.softmaxCrossEntropy({ rows, classes: 3, logits, labels: Int32Array.of(0, 3) })),
    ).toContain("labels[1] is 3");
  });

  it("batchNorm with its running averages, its inference and its gradient", () => {
    const input = of(1, 10, 3, 30);
    const [gamma, beta] = [of(2, 1), of(0, 5)];
    const [runningMean, runningVariance] = [of(0, 0), of(1, 1)];
    const sizes = { rows: 2, columns: 2 };
    const forward = kernels.batchNorm({
      ...sizes,
      input,
      gamma,
      beta,
      runningMean,
      runningVariance,
      epsilon: 1e-15,
      momentum: 0.5,
    });
    close(forward.output, [-2, 4, 2, 6], type);
    close(forward.mean, [2, 20], type);
    close(forward.inverseDeviation, [1, 0.1], type);
    close(runningMean, [1, 10], type);
    close(runningVariance, [1.5, 100.5], type);
    close(
      kernels.batchNormInference({
        ...sizes,
        input,
        gamma,
        beta,
        mean: of(1, 10),
        variance: of(4, 25),
        epsilon: 1e-15,
      }),
      [0, 5, 2, 9],
      type,
    );
    // Of two rows, x̂ is ±1, so that what is left of dout after its mean and its slope along x̂ are taken off is nothing.
    const { mean, inverseDeviation } = forward;
    const back = kernels.batchNormGrad({ ...sizes, dout: of(1, 2, 3, 5), input, gamma, mean, inverseDeviation });
    close(back.dbeta, [4, 7], type);
    close(back.dgamma, [2, 3], type);
    close(back.dinput, [0, 0, 0, 0], type);
  });

  it("dropout scales what it keeps and repeats itself", () => {
    const input = wave(4096, type);
    const arguments_ = { input, rate: 0.25, seed: 7, stream: 1, step: 3 };
    const output = kernels.dropout(arguments_);
    let kept = 0;
    output.forEach((value, i) => {
      if (value === 0) return;
      kept++;
      expect(value).toBeCloseTo(input[i]! / 0.75, 5);
    });
    expect(Math.abs(kept / 4096 - 0.75)).toBeLessThan(0.04); // six standard deviations
    expect(kernels.dropout(arguments_)).toEqual(output);
    expect(kernels.dropout({ ...arguments_, step: 4 })).not.toEqual(output);
  });

  it("steps of optimizers, in place", () => {
    const gradient = of(2);
    const parameter = of(1);
    expect(kernels.sgd({ parameter, gradient, learningRate: 0.25 })).toBe(parameter);
    close(parameter, [0.5], type);
    const velocity = of(1);
    close(kernels.momentum({ parameter: of(1), gradient, velocity, learningRate: 0.5, beta: 0.5 }), [0.25], type);
    close(velocity, [1.5], type);
    close(kernels.momentum({ parameter: of(1), gradient, velocity: of(1), learningRate: 0.5, beta: 0.5, damped: false, nesterov: true }), [-0.625], type); // prettier-ignore
    const meanSquare = of(4);
    close(
      kernels.rmsprop({ parameter: of(1), gradient, meanSquare, learningRate: 0.5, rho: 0.5, epsilon: 0 }),
      [0.5],
      type,
    );
    close(meanSquare, [4], type);
    const [firstMoment, secondMoment] = [of(0), of(0)];
    close(
      adam({
        parameter: of(1),
        gradient,
        firstMoment,
        secondMoment,
        learningRate: 0.25,
        step: 0,
        weightDecay: 1,
        epsilon: 0,
      }),
      [0.5],
      type,
    );
    close(firstMoment, [0.2], type);
    close(secondMoment, [0.004], type);
  });

  it("writes to out, also in place, and to nothing beside it", () => {
    const memory = wave(64, type);
    const before = memory.slice();
    const part = memory.subarray(3, 40);
    expect(relu(part, part)).toBe(part);
    before.forEach((value, i) => expect(memory[i]).toBe(i >= 3 && i < 40 ? Math.max(0, value) : value));
    const out = new type(37);
    expect(kernels.add(part, part, out)).toBe(out);
    close(out, Array.from(part, (value) => 2 * value), type); // prettier-ignore
  });
});

const detached = new Float32Array(4);
structuredClone(detached.buffer, { transfer: [detached.buffer] });

describe("arguments", () => {
  const f = (...values: number[]): Float32Array => Float32Array.from(values);
  const square = { m: 2, n: 2, k: 2, a: f(1, 2, 3, 4), b: f(1, 2, 3, 4) };

  it("names what is wrong", () => {
    expect(message(() => gemm({ ...square, m: -1 }))).toBe(
      "gemm: expected an integer >= 0 and below 2^31 for m but received -1 (number)",
    );
    expect(message(() => gemm({ ...square, transposea: true } as never))).toContain(
      'unknown option "transposea"; did you mean "transposeA"?',
    );
    expect(message(() => gemm({ ...square, a: f(1, 2, 3) }))).toBe(
      "gemm: a must have 4 elements but has 3\n  a   [2, 2]",
    );
    expect(message(() => gemm({ ...square, a: [1, 2, 3, 4] } as never))).toContain(
      "expected a Float32Array or Float64Array for a but received",
    );
    expect(message(() => relu("x" as never))).toBe(
      'relu: expected a Float32Array or Float64Array for x but received "x" (string)',
    );
    expect(code(() => gemm<Floats>({ ...square, b: Float64Array.of(1, 2, 3, 4) }))).toBe("DTypeError");
    expect(code(() => relu(f(1), new Float64Array(1) as never))).toBe("OptionError");
    expect(code(() => relu(f(1), new Float32Array(2)))).toBe("ShapeError");
    expect(code(() => gemm(undefined as never))).toBe("OptionError");
    expect(code(() => kernels.add(f(1, 2, 3), f(1, 2)))).toBe("ShapeError");
    expect(
      code(() =>
        kernels.batchNorm({
          rows: 1,
          columns: 1,
          input: f(1),
          gamma: f(1),
          beta: f(1),
          runningMean: f(1),
          runningVariance: f(1),
        }),
      ),
    ).toBe("ShapeError");
    expect(code(() => kernels.softmax({ rows: 1, columns: 0, input: f() }))).toBe("ShapeError");
    expect(code(() => gemm({ m: 2 ** 31 - 1, n: 2 ** 31 - 1, k: 0, a: f(), b: f() }))).toBe("OutOfMemoryError");
  });

  it("refuses memory that is gone or may move", () => {
    expect(message(() => gemm({ ...square, a: detached }))).toContain("a has lost its memory");
    const resizable = new Float32Array(
      new (ArrayBuffer as never as new (bytes: number, options: object) => ArrayBuffer)(16, { maxByteLength: 32 }),
    );
    expect(message(() => gemm({ ...square, a: resizable }))).toContain("resizable");
    const growable = new Float32Array(
      new (SharedArrayBuffer as never as new (bytes: number, options: object) => ArrayBuffer)(16, {
        maxByteLength: 32,
      }),
    );
    expect(message(() => gemm({ ...square, a: growable }))).toContain("resizable");
    expect(code(() => relu(Object.create(Float32Array.prototype) as never))).toBe("OptionError");
  });

  it("takes shared memory, except for indices", () => {
    const shared = (values: ArrayLike<number>): Float32Array => {
      const array = new Float32Array(new SharedArrayBuffer(4 * values.length));
      array.set(values);
      return array;
    };
    const c = shared(f(0, 0, 0, 0));
    gemm({ ...square, a: shared(square.a), c });
    expect([...c]).toEqual([7, 10, 15, 22]);
    const labels = new Int32Array(new SharedArrayBuffer(4));
    expect(message(() => kernels.softmaxCrossEntropy({ rows: 1, classes: 1, logits: f(1), labels }))).toContain(
      "shared memory",
    );
  });

  it("refuses overlaps that a kernel would trip over", () => {
    const memory = new Float32Array(16);
    const at = (begin: number): Float32Array => memory.subarray(begin, begin + 4);
    expect(message(() => gemm({ ...square, a: at(0), c: at(2) }))).toBe(
      "gemm: c shares memory with a; give it an array of its own",
    );
    expect(code(() => relu(at(0), at(1)))).toBe("OptionError");
    expect(code(() => relu(at(0), at(4)))).toBe("nothing thrown");
    expect(code(() => kernels.sgd({ parameter: at(0), gradient: at(0), learningRate: 1 }))).toBe("OptionError");
    expect(
      code(() =>
        kernels.softmaxCrossEntropy({
          rows: 4,
          classes: 1,
          logits: at(0),
          labels: new Int32Array(4),
          loss: at(4),
          probabilities: at(6),
        }),
      ),
    ).toBe("OptionError");
    expect(code(() => kernels.dense({ rows: 2, inputs: 2, units: 2, input: at(0), weight: at(4), out: at(0) }))).toBe(
      opNamed("dense").inPlace?.includes(0) ? "nothing thrown" : "OptionError",
    );
  });
});

const arena = new Float32Array(64);

/** Anything a careless or hostile caller may pass. */
const anything = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<unknown>(0, 1, 2, 3, 4) },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.integer({ min: 0, max: 8 }), fc.constantFrom(1, 2, 4, 6, 8)).map(([begin, length]) => arena.subarray(4 * begin, 4 * begin + length)),
  },
  { weight: 3, arbitrary: fc.constantFrom(1, 2, 4, 6, 8).map((length) => new Float32Array(length).fill(1)) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(true, false, "relu", "tanh", undefined, 0.5, new Int32Array(4), Int32Array.of(0, 1), Int32Array.of(9)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(
      null, NaN, -1, 1.5, Infinity, 2 ** 31, 2 ** 53, 1e308, 4n, "x", Symbol("s"), [], {}, () => 1, detached, new Float64Array(4), new Uint8Array(16),
      new BigInt64Array(4), new DataView(new ArrayBuffer(16)), new ArrayBuffer(16), Object.create(Float32Array.prototype), new Proxy(new Float32Array(4), {}),
      new Int32Array(new SharedArrayBuffer(16)), new Float32Array(new SharedArrayBuffer(16)),
    ),
  },
); // prettier-ignore

const names = {
  gemm: ["m", "n", "k", "a", "b", "c", "transposeA", "transposeB", "alpha", "beta", "threads"],
  dense: ["rows", "inputs", "units", "input", "weight", "bias", "activation", "slope", "out"],
  denseGrad: ["rows", "units", "dout", "output", "activation", "slope", "dz", "dbias"],
  activationGrad: ["activation", "dout", "saved", "slope", "out"],
  softmax: ["rows", "columns", "input", "out"],
  logSoftmax: ["rows", "columns", "input", "out"],
  batchNorm: ["rows", "columns", "input", "gamma", "beta", "runningMean", "runningVariance", "momentum", "epsilon", "output", "mean", "inverseDeviation"],
  batchNormInference: ["rows", "columns", "input", "gamma", "beta", "mean", "variance", "epsilon", "out"],
  batchNormGrad: ["rows", "columns", "dout", "input", "gamma", "mean", "inverseDeviation", "dinput", "dgamma", "dbeta"],
  dropout: ["input", "rate", "seed", "stream", "step", "out"],
  softmaxCrossEntropy: ["rows", "classes", "logits", "labels", "loss", "probabilities"],
  softmaxCrossEntropyGrad: ["rows", "classes", "dloss", "probabilities", "labels", "out"],
  sgd: ["parameter", "gradient", "learningRate"],
  momentum: ["parameter", "gradient", "velocity", "learningRate", "beta", "damped", "nesterov"],
  rmsprop: ["parameter", "gradient", "meanSquare", "learningRate", "rho", "epsilon"],
  adam: ["parameter", "gradient", "firstMoment", "secondMoment", "learningRate", "step", "beta1", "beta2", "epsilon", "weightDecay"],
} as const; // prettier-ignore
const positional = ["relu", "leakyRelu", "elu", "sigmoid", "tanh", "softplus", "swish", "gelu", "neg", "exp", "log", "sqrt", "square", "abs", "sign", "clip",
  "add", "sub", "mul", "div", "pow", "maximum", "minimum", "sum", "mean", "max"] as const; // prettier-ignore
const others = ["isSimdnnError", "setThreads"];

describe("hostile arguments", () => {
  /** Nothing but our own errors, and nothing written between the pieces that were handed out. */
  function survives(run: () => unknown): void {
    arena.fill(1);
    const guard = arena.slice();
    try {
      run();
    } catch (error) {
      if (!isSimdnnError(error)) throw error;
    }
    for (let i = 40; i < 64; i++) expect(arena[i]).toBe(guard[i]);
  }

  it("covers every kernel", () => {
    const functions = Object.entries(kernels).filter(
      ([name, value]) => typeof value === "function" && name !== "SimdnnError",
    );
    expect(functions.map(([name]) => name).sort()).toEqual([...Object.keys(names), ...positional, ...others].sort());
  });

  it.each(Object.entries(names))("%s", (name, keys) => {
    const kernel = kernels[name as keyof typeof names] as (options: unknown) => unknown;
    fc.assert(
      fc.property(fc.record(Object.fromEntries(keys.map((key) => [key, anything])), { requiredKeys: [] }), (options) =>
        survives(() => kernel(options)),
      ),
      { seed: 1, numRuns: 300 },
    );
    fc.assert(
      fc.property(anything, (options) => survives(() => kernel(options))),
      { seed: 1 },
    );
  });

  it.each(positional)("%s", (name) => {
    const kernel = kernels[name] as (...values: unknown[]) => unknown;
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 4 }), (values) => survives(() => kernel(...values))),
      { seed: 1, numRuns: 100 },
    );
  });
});
