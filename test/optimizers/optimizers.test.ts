// Optimizers against their formulas written out in plain numbers; clipping, guards, lookup by name, and what options are refused.
import { describe, expect, test } from "vitest";
import { capture } from "#lib/capture.js";
import "#lib/ops/methods.js";
import { assign } from "#lib/ops/update.js";
import { adam, adamw } from "#lib/optimizers/adam.js";
import { adagrad } from "#lib/optimizers/adagrad.js";
import { lion } from "#lib/optimizers/lion.js";
import { nadam } from "#lib/optimizers/nadam.js";
import { momentum, nesterov } from "#lib/optimizers/momentum.js";
import type { Optimizer } from "#lib/optimizers/optimizer.js";
import { resolveOptimizer, type OptimizerConfig, type OptimizerName } from "#lib/optimizers/registry.js";
import { rmsprop } from "#lib/optimizers/rmsprop.js";
import { sgd } from "#lib/optimizers/sgd.js";
import { parameter, tensor, type Tensor } from "#lib/tensor.js";
import { failure } from "../failure.js";

interface State {
  a: number;
  b: number;
}
type Rule = (p: number, g: number, state: State, t: number) => number;

// prettier-ignore
const rules: [string, () => Optimizer, Rule][] = [
  ["sgd", () => sgd(), (p, g) => p - 0.01 * g],
  ["momentum", () => momentum(), (p, g, s) => p - 0.01 * (s.a = 0.9 * s.a + 0.1 * g)],
  ["momentum, undamped", () => momentum({ damped: false }), (p, g, s) => p - 0.01 * (s.a = 0.9 * s.a + g)],
  ["nesterov", () => nesterov({ beta: 0.8 }), (p, g, s) => p - 0.01 * (g + 0.8 * (s.a = 0.8 * s.a + g))],
  ["nesterov, damped", () => nesterov({ damped: true }), (p, g, s) => p - 0.01 * (0.1 * g + 0.9 * (s.a = 0.9 * s.a + 0.1 * g))],
  ["rmsprop", () => rmsprop({ epsilon: 1e-3 }), (p, g, s) => p - (0.001 * g) / (Math.sqrt((s.a = 0.9 * s.a + 0.1 * g * g)) + 1e-3)],
  ["adam", () => adam({ epsilon: 1e-3 }), (p, g, s, t) => p - adamStep(g, s, t)],
  ["adamw", () => adamw({ epsilon: 1e-3 }), (p, g, s, t) => p - 0.001 * 0.01 * p - adamStep(g, s, t)],
  ["adagrad", () => adagrad({ epsilon: 1e-3 }), (p, g, s) => p - (0.01 * g) / (Math.sqrt((s.a += g * g)) + 1e-3)],
  ["nadam", () => nadam({ epsilon: 1e-3 }), (p, g, s, t) => p - nadamStep(g, s, t, 0.004)],
  ["nadam, momentum soon full", () => nadam({ epsilon: 1e-3, momentumDecay: 20 }), (p, g, s, t) => p - nadamStep(g, s, t, 20)],
  ["lion", () => lion({ weightDecay: 0.5 }), (p, g, s) => {
    const direction = Math.sign(0.9 * s.a + 0.1 * g);
    s.a = 0.99 * s.a + 0.01 * g;
    return p - 1e-4 * (direction + 0.5 * p);
  }],
];

function adamStep(g: number, s: State, t: number): number {
  s.a = 0.9 * s.a + 0.1 * g;
  s.b = 0.999 * s.b + 0.001 * g * g;
  return (0.001 * (s.a / (1 - 0.9 ** t))) / (Math.sqrt(s.b / (1 - 0.999 ** t)) + 1e-3);
}

function nadamStep(g: number, s: State, t: number, psi: number): number {
  s.a = 0.9 * s.a + 0.1 * g;
  s.b = 0.999 * s.b + 0.001 * g * g;
  const mu = (i: number): number => 0.9 * (1 - 0.5 * 0.96 ** (psi * i));
  const product = (upTo: number): number => Array.from({ length: upTo }, (_, i) => mu(i + 1)).reduce((a, b) => a * b);
  const sum = ((1 - mu(t)) * g) / (1 - product(t)) + (mu(t + 1) * s.a) / (1 - product(t + 1));
  return (0.002 * sum) / (Math.sqrt(s.b / (1 - 0.999 ** t)) + 1e-3);
}

describe("rules, with their default learning rates", () => {
  const gradients = [[2, -0.3], [-1, 0], [0.5, 4], [0.25, -1e-4]]; // prettier-ignore

  test.each(rules)("%s", (_, make, rule) => {
    const run = (captured: boolean): number[] => {
      const [p, optimizer] = [parameter([1, -2], { dtype: "float64" }), make()];
      const apply = (g: Tensor): void => optimizer.apply([p], [g]);
      const step = captured ? capture(apply) : apply;
      for (const g of gradients) step(tensor(g, { dtype: "float64" }));
      expect(optimizer.iterations.item()).toBe(4);
      return [...p.data()];
    };
    const actual = run(false);
    [1, -2].forEach((first, i) => {
      const state = { a: 0, b: 0 };
      const expected = gradients.reduce((p, g, t) => rule(p, g[i]!, state, t + 1), first);
      expect(Math.abs(actual[i]! - expected)).toBeLessThan(1e-14);
    });
    expect(run(true)).toEqual(actual);
  });
});

describe("minimize", () => {
  test.each(["eager", "captured"])("w² - 10w + 25 comes to 5 in 1000 steps, %s", (way) => {
    for (const dtype of ["float32", "float64"] as const) {
      const [w, optimizer] = [parameter(0, { dtype }), sgd({ learningRate: 0.01 })];
      const forward = (): Tensor => {
        const cost = w.square().sub(w.mul(10)).add(25);
        optimizer.minimize(cost, [w]);
        return cost;
      };
      const step = way === "captured" ? capture(forward) : forward;
      expect(step().item()).toBe(25);
      for (let i = 1; i < 1000; i++) step();
      // Exactly 5 (1 - 0.98¹⁰⁰⁰). In float32 steps of 0.02 (5 - w) end when they are less than half of 2⁻²¹, the distance of numbers there.
      if (dtype === "float64") expect(Math.abs(w.item() - 5 * (1 - 0.98 ** 1000))).toBeLessThan(1e-12);
      else expect(Math.abs(w.item() - 5)).toBeLessThan(2 ** -22 / 0.02 + 2 ** -21);
    }
  });

  test("takes coefficients as an input", () => {
    const [w, optimizer] = [parameter(0, { dtype: "float64" }), sgd({ learningRate: 0.01 })];
    const step = capture((x: Tensor) => {
      const [a, b, c] = [0, 1, 2].map((i) => x.slice([i], [1]).reshape([])) as [Tensor, Tensor, Tensor];
      optimizer.minimize(w.square().mul(a).add(w.mul(b)).add(c), [w]);
    });
    for (let i = 0; i < 1000; i++) step(Float64Array.of(1, -10, 25));
    expect(Math.abs(w.item() - 5)).toBeLessThan(1e-8);
    for (let i = 0; i < 1000; i++) step(Float64Array.of(1, -20, 100));
    expect(Math.abs(w.item() - 10)).toBeLessThan(2e-8);
  });

  test.each(["eager", "captured"])("stops at a cost that is not finite, before it changes anything, %s", (way) => {
    const [w, optimizer] = [parameter([4, 9]), adam()];
    const forward = (x: Tensor): void => optimizer.minimize(w.mul(x).log().sum(), [w]);
    const step = way === "captured" ? capture(forward) : forward;
    const kept = (): number[][] => [w, optimizer.iterations, ...optimizer.slotsOf(w)].map((value) => [...value.data()]);
    step(tensor([1, 1]));
    const before = kept();
    expect(() => step(tensor([1, -1]))).toThrow(failure("NonFiniteError", /NaN/));
    expect(kept()).toEqual(before);
  });

  test("refuses a parameter that the cost does not depend on", () => {
    const [w, other] = [parameter(1), parameter(1, { name: "other" })];
    expect(() => sgd().minimize(w.square(), [w, other])).toThrow(failure("GradientError", /"other"/));
  });

  test("follows a learning rate that changes after the capture", () => {
    const [w, optimizer] = [parameter(0), sgd({ learningRate: 1 })];
    const step = capture(() => optimizer.minimize(w.mul(-1), [w]));
    step();
    assign(optimizer.learningRate, tensor(0.25, { dtype: "float64" }));
    step();
    expect(w.item()).toBe(1.25);
  });
});

describe("clipping", () => {
  /** How far parameters went down after one step with learning rate 1. */
  const descent = (optimizer: Optimizer, gradients: number[][]): number[][] => {
    const given = gradients.map((gradient) => tensor(gradient, { dtype: "float64" }));
    const parameters = gradients.map((gradient) => parameter(new Float64Array(gradient.length)));
    optimizer.apply(parameters, given);
    return parameters.map((p) => [...p.data()].map((x) => 0 - x));
  };
  const close = (actual: number[][], expected: number[][]): void =>
    actual.flat().forEach((x, i) => expect(Math.abs(x - expected.flat()[i]!)).toBeLessThan(1e-15));

  test("by global norm scales all gradients together, and only if they are too long", () => {
    const gradients = [[3], [0, 4], [12]]; // norm 13
    close(descent(sgd({ learningRate: 1, globalClipNorm: 6.5 }), gradients), [[1.5], [0, 2], [6]]);
    expect(descent(sgd({ learningRate: 1, globalClipNorm: 13.5 }), gradients)).toEqual(gradients);
    expect(descent(sgd({ learningRate: 1, globalClipNorm: 1 }), [[0], [0]])).toEqual([[0], [0]]);
  });

  test("by value cuts each element, before the norm is taken", () => {
    expect(descent(sgd({ learningRate: 1, clipValue: 3 }), [[3], [-0.5, 4, -7]])).toEqual([[3], [-0.5, 3, -3]]);
    close(descent(sgd({ learningRate: 1, clipValue: 4, globalClipNorm: 2.5 }), [[3], [9]]), [[1.5], [2]]);
  });
});

describe("options", () => {
  test("have their defaults filled in, and make the optimizer again", () => {
    const defaults: Record<OptimizerName, object> = {
      sgd: { learningRate: 0.01 },
      momentum: { learningRate: 0.01, beta: 0.9, damped: true },
      nesterov: { learningRate: 0.01, beta: 0.9, damped: false },
      rmsprop: { learningRate: 1e-3, rho: 0.9, epsilon: 1e-8 },
      adam: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      adamw: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
      adagrad: { learningRate: 0.01, epsilon: 1e-10 },
      nadam: { learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentumDecay: 0.004 },
      lion: { learningRate: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0 },
    };
    for (const [name, options] of Object.entries(defaults)) {
      const made = resolveOptimizer("compile", name as OptimizerName);
      expect({ name: made.name, options: made.options }).toEqual({ name, options });
      const changed = { ...made.options, learningRate: 0.5, clipValue: 2 };
      const config = JSON.parse(JSON.stringify({ name, options: changed })) as OptimizerConfig;
      expect(resolveOptimizer("compile", config).options).toEqual(changed);
    }
  });

  test("an optimizer is taken as it is; a name makes a new one each time", () => {
    const made = adam();
    expect(resolveOptimizer("compile", made)).toBe(made);
    expect(resolveOptimizer("compile", "adam")).not.toBe(resolveOptimizer("compile", "adam"));
  });

  // prettier-ignore
  test.each([
    [() => adam({ learningrate: 0.1 } as object), 'adam: unknown option "learningrate"; did you mean "learningRate"?'],
    [() => adam({ weightDecay: 0.1 } as object), /^adam: unknown option "weightDecay"; its options are learningRate, clipValue, /],
    [() => sgd({ learningRate: -1 }), "sgd: expected a positive number for learningRate but received -1 (number)"],
    [() => sgd({ globalClipNorm: 0 }), "sgd: expected a positive number for globalClipNorm but received 0 (number)"],
    [() => momentum({ beta: 1 }), /^momentum: expected a number from 0 up to, but not including, 1 for beta/],
    [() => nesterov({ damped: 1 as never }), "nesterov: expected true or false for damped but received 1 (number)"],
    [() => rmsprop({ rho: NaN }), /^rmsprop: .* for rho but received NaN \(number\)$/],
    [() => lion({ beta1: 1 }), /^lion: .* for beta1 but received 1 \(number\)$/],
    [() => nadam({ momentumDecay: -1 }), /^nadam: expected a number >= 0 for momentumDecay/],
    [() => adagrad({ initial: 0.1 } as object), /^adagrad: unknown option "initial"/],
    [() => adamw({ weightDecay: -0.1 }), "adamw: expected a number >= 0 for weightDecay but received -0.1 (number)"],
    [() => resolveOptimizer("compile", "Adam" as OptimizerName), /^compile: expected one of "sgd", .* for optimizer but received "Adam" \(string\); did you mean "adam"\?$/],
    [() => resolveOptimizer("compile", undefined as never), /for optimizer but received undefined$/],
  ])("refuses %#", (make, message) => {
    expect(make).toThrow(failure("OptionError", message));
  });
});

test("averages of gradients that have vanished end at 0, not among the slow floats below the smallest normal one", async () => {
  for (const way of ["eager", "captured", "async"]) {
    const p = parameter(new Float32Array(100_000).fill(1), { name: "p" });
    const optimizer = momentum({ learningRate: 1e-3 });
    const step = (gradient: Tensor): void => optimizer.apply([p], [gradient]);
    const captured = capture(step);
    const run = (gradient: Tensor): unknown =>
      way === "eager" ? step(gradient) : way === "captured" ? captured(gradient) : captured.async(gradient);
    await run(tensor(new Float32Array(100_000).fill(1e-35)));
    const none = tensor(new Float32Array(100_000));
    for (let i = 0; i < 100; i++) await run(none); // 0.9¹⁰⁰ · 1e-36 is below the smallest normal float, 1.2e-38
    expect(new Set(optimizer.slotsOf(p)[0]!.data()), way).toEqual(new Set([0]));
  }
});
