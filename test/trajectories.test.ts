// Ten training steps of each golden network, with our layers, losses and optimizers, against PyTorch in float64: eager and captured, float32 and float64.
//
// The error of a tensor is its largest deviation over its largest expected magnitude. In float32 it stays within 1e-5 after one step and 1e-3
// after ten; in float64 within 1e-10 throughout, which leaves no room for a formula that is slightly another.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { capture } from "#lib/capture.js";
import { dropout } from "#lib/layers/dropout.js";
import type { Layer } from "#lib/layers/layer.js";
import { layerFromConfig } from "#lib/layers/registry.js";
import { resolveLoss, type LossName } from "#lib/losses/registry.js";
import { cast } from "#lib/ops/cast.js";
import { tick } from "#lib/ops/random.js";
import { mean } from "#lib/ops/reduce.js";
import type { Optimizer } from "#lib/optimizers/optimizer.js";
import { resolveOptimizer, type OptimizerName } from "#lib/optimizers/registry.js";
import { sizeOf, tensor, type Shape, type Tensor, type TypedArray } from "#lib/tensor.js";
import { stack, type Random } from "./stack.js";

interface Packed {
  readonly shape: Shape;
  readonly dtype: "float32" | "float64" | "int32";
  readonly data: string;
}
type Option = string | number | boolean;

interface Trajectory {
  readonly name: string;
  readonly inputShape: Shape;
  readonly layers: readonly ({ readonly type: string } & Readonly<Record<string, Option>>)[];
  readonly loss: LossName;
  readonly optimizer: { readonly type: string } & Readonly<Record<string, Option>>;
  readonly initial: Readonly<Record<string, Packed>>;
  readonly inputs: Packed;
  readonly targets: Packed;
  readonly losses: readonly number[];
  readonly afterStep1: Readonly<Record<string, Packed>>;
  readonly afterStep10: Readonly<Record<string, Packed>>;
  readonly inference: { readonly outputs: Packed; readonly loss: number };
}

const folder = new URL("golden/trajectories/", import.meta.url);
const trajectories = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Trajectory,
);

function unpack({ dtype, data }: Packed): TypedArray {
  const { buffer, byteOffset, length } = Buffer.from(data, "base64");
  const bytes = buffer.slice(byteOffset, byteOffset + length); // a copy, aligned
  return dtype === "float32"
    ? new Float32Array(bytes)
    : dtype === "float64"
      ? new Float64Array(bytes)
      : new Int32Array(bytes);
}

/** Row `step` of the inputs or targets; floating-point ones in `dtype`. */
function row(packed: Packed, step: number, dtype: "float32" | "float64"): Tensor {
  const shape = packed.shape.slice(1);
  const size = sizeOf(shape);
  const whole = tensor(unpack(packed).subarray(step * size, (step + 1) * size), { shape });
  return whole.dtype === "int32" ? whole : cast(whole, dtype);
}

function layerOf({ type, useBias, ...rest }: Trajectory["layers"][number]): Layer {
  if (type === "dropout") return dropout(rest.rate as number); // its seed and stream are the model's to give
  return layerFromConfig({ type, options: useBias === undefined ? rest : { ...rest, bias: useBias } });
}

function optimizerOf({ type, nesterov, clipGlobalNorm, ...rest }: Trajectory["optimizer"]): Optimizer {
  const options = clipGlobalNorm === undefined ? rest : { ...rest, globalClipNorm: clipGlobalNorm };
  return resolveOptimizer("golden", {
    name: nesterov === true ? "nesterov" : (type as OptimizerName),
    options,
  } as never);
}

function deviation(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  const largest = (list: number[]): number => Math.max(...list.map(Math.abs));
  return largest(Array.from(expected, (x, i) => x - actual[i]!)) / largest(Array.from(expected));
}

/** Trains the network and returns everything there is to compare. */
function train(golden: Trajectory, dtype: "float32" | "float64", captured: boolean) {
  const random = (layer: number): Random => golden.layers[layer] as unknown as Random;
  const { weights, parameters, forward } = stack(golden.layers.map(layerOf), golden.inputShape, { dtype, random });
  for (const [name, packed] of Object.entries(golden.initial)) weights.get(name)!.write().set(unpack(packed));
  expect([...weights.keys()]).toEqual(Object.keys(golden.initial));
  const [loss, optimizer, counter] = [
    resolveLoss("golden", golden.loss),
    optimizerOf(golden.optimizer),
    tensor(0, { dtype: "int32" }),
  ];

  const trainStep = (inputs: Tensor, targets: Tensor): Tensor => {
    const cost = mean(loss.call(forward(inputs, tick(counter)), targets));
    optimizer.minimize(cost, parameters);
    return cost;
  };
  const evaluate = (inputs: Tensor, targets: Tensor): [Tensor, Tensor] => {
    const outputs = forward(inputs);
    return [outputs, mean(loss.call(outputs, targets))];
  };
  const [step, test] = captured ? [capture(trainStep), capture(evaluate)] : [trainStep, evaluate];
  const batch = (i: number): [Tensor, Tensor] => [row(golden.inputs, i, dtype), row(golden.targets, i, dtype)];
  const snapshot = () => Object.fromEntries([...weights].map(([name, weight]) => [name, weight.data()]));

  const losses = [step(...batch(0)).item()];
  const afterStep1 = snapshot();
  for (let i = 1; i < golden.losses.length; i++) losses.push(step(...batch(i)).item());
  const afterStep10 = snapshot();
  const [outputs, cost] = test(...batch(0));
  return { losses, afterStep1, afterStep10, inference: { outputs: outputs.data(), cost: cost.item() } };
}

test("there are networks to compare with", () => {
  expect(trajectories.length).toBeGreaterThanOrEqual(10);
});

describe.each(trajectories)("$name", (golden) => {
  test.each([
    ["float32", 1e-5, 1e-3],
    ["float64", 1e-10, 1e-10],
  ] as const)("%s", (dtype, afterOne, afterTen) => {
    const actual = train(golden, dtype, false);
    for (const [name, packed] of Object.entries(golden.afterStep1))
      expect(deviation(actual.afterStep1[name]!, unpack(packed)), `${name} after step 1`).toBeLessThan(afterOne);
    for (const [name, packed] of Object.entries(golden.afterStep10))
      expect(deviation(actual.afterStep10[name]!, unpack(packed)), `${name} after step 10`).toBeLessThan(afterTen);
    actual.losses.forEach((loss, i) =>
      expect(deviation([loss], [golden.losses[i]!]), `loss of step ${i + 1}`).toBeLessThan(
        i === 0 ? afterOne : afterTen,
      ),
    );
    expect(deviation(actual.inference.outputs, unpack(golden.inference.outputs)), "outputs").toBeLessThan(afterTen);
    expect(deviation([actual.inference.cost], [golden.inference.loss]), "loss of inference").toBeLessThan(afterTen);

    expect(train(golden, dtype, true)).toEqual(actual);
  });
});
