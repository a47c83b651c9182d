// Layers run one after the other, with weights of their own: what the tests of layers and training need of a model. Not the library's model.
import "#lib/ops/methods.js";
import { deriveSeed } from "#lib/random.js";
import type { Layer, Weights } from "#lib/layers/layer.js";
import type { Initializer, WeightSpec } from "#lib/initializers.js";
import { parameter, tensor, zeros, type Shape, type Tensor } from "#lib/tensor.js";

export interface Random {
  readonly seed: number;
  readonly stream: number;
}

export interface Stack {
  /** By "layers.0.weight" and so on, as golden files name them. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly parameters: readonly Tensor[];
  /** `step` counts the passes for dropout; it is given in training only. */
  readonly forward: (input: Tensor, step?: Tensor) => Tensor;
}

/** Builds `layers`; `random` says where a layer draws from, by its index. */
export function stack(
  layers: readonly Layer[],
  inputShape: Shape,
  options: { readonly dtype?: WeightSpec["dtype"]; readonly random?: (layer: number) => Random } = {},
): Stack {
  const { dtype = "float32", random = (stream: number): Random => ({ seed: 1, stream }) } = options;
  const weights = new Map<string, Tensor>();
  const parameters: Tensor[] = [];
  const idle = { training: false, random: { seed: 0, stream: 0, counter: tensor(0, { dtype: "int32" }) } };
  const own: Weights[] = [];
  let example = zeros({ shape: [1, ...inputShape], dtype });
  layers.forEach((layer, i) => {
    const make = (trained: boolean) => (name: string, shape: Shape, initializer: Initializer) => {
      const key = `layers.${i}.${name}`;
      const first = initializer.make({ shape, dtype }, deriveSeed(1, weights.size));
      const made = trained ? parameter(first.data(), { shape, name: key }) : tensor(first.data(), { shape, name: key });
      weights.set(key, made);
      if (trained) parameters.push(made);
      return made;
    };
    own.push(layer.build?.({ inputShape: example.shape.slice(1), parameter: make(true), state: make(false) }) ?? {});
    example = layer.call(example, own[i]!, idle);
  });
  const forward = (input: Tensor, step?: Tensor): Tensor =>
    layers.reduce((values, layer, i) => {
      const context = step ? { training: true, random: { ...random(i), counter: step } } : idle;
      return layer.call(values, own[i]!, context);
    }, input);
  return { weights, parameters, forward };
}
