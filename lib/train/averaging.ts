// Callbacks that average weights over a training, and that keep its snapshots.
import type { Model } from "../model.js";
import { lerp } from "../ops/update.js";
import { bool, checkOptions, fraction, nonNegativeInteger, positiveInteger } from "../options.js";
import { tensor, zeros, type Tensor, type TypedArray } from "../tensor.js";
import type { Callback } from "./callbacks.js";

export interface AverageWeightsOptions {
  /** Share of the old average in each step, β in [0, 1); default 0.999. */
  readonly beta?: number;
  /**
   * Start from 0 and divide by `1 - βᵗ` in the end, so that every step's weights count by their age alone. Default: true. With false the average
   * starts from the weights before the training, as in Keras, which count for long.
   */
  readonly correctBias?: boolean;
}

/**
 * Averages the trained parameters over all steps, `v = β v + (1 - β) θ`, and gives the model the average when the training ends (Polyak and
 * Juditsky, 1992, exponentially weighted). Runs natively, in every step; training itself and its validation go on with the weights as they are.
 *
 * Running averages of batch norm are not parameters and stay as they are, an average over the last steps already.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * await model.fit(train, { epochs: 2, callbacks: [averageWeights({ beta: 0.99 })] });
 * ```
 */
export function averageWeights(options: AverageWeightsOptions = {}): Callback {
  const where = "averageWeights";
  checkOptions(where, options, ["beta", "correctBias"]);
  const beta = fraction(where, "beta", options.beta ?? 0.999);
  const correctBias = bool(where, "correctBias", options.correctBias ?? true);
  const averages = new Map<Tensor, Tensor>();
  const share = tensor(1 - beta, { dtype: "float64" });
  const averageOf = (parameter: Tensor): Tensor => {
    const average = averages.get(parameter) ?? zeros(parameter, { name: `${parameter.label}.average` });
    averages.set(parameter, average);
    return average;
  };
  let before: number | undefined; // undefined where no training has begun
  return {
    recordStep: ({ parameters }) => {
      for (const parameter of parameters) lerp(averageOf(parameter), parameter, share);
    },
    onTrainBegin: ({ model }) => {
      before = model.optimizer.iterations.item();
      for (const parameter of model.parameters) {
        const average = averageOf(parameter).write();
        if (correctBias) average.fill(0);
        else average.set(parameter.read());
      }
    },
    onTrainEnd: ({ model }) => {
      if (before === undefined) return;
      const steps = model.optimizer.iterations.item() - before;
      before = undefined;
      if (steps === 0) return;
      const correction = correctBias ? 1 - beta ** steps : 1;
      for (const parameter of model.parameters) {
        const [values, average] = [parameter.write(), averages.get(parameter)!.read()];
        for (let i = 0; i < values.length; i++) values[i] = average[i]! / correction;
      }
    },
    getState: () => ({
      before: before!,
      averages: Object.fromEntries([...averages].map(([{ label }, average]) => [label, average])),
    }),
    setState: (state) => {
      before = Number(state.before);
      for (const [{ label }, average] of averages)
        average.write().set((state.averages as Record<string, TypedArray>)[label]!);
    },
  };
}

export interface StochasticWeightAverageOptions {
  /** The first epoch, from 0, whose weights count; usually when about three quarters are over. */
  readonly from: number;
  /** Take the weights after every so many epochs from then on; default 1. */
  readonly every?: number;
}

/**
 * Stochastic weight averaging: gives the model, when the training ends, the plain mean of its weights after some of the last epochs (Izmailov et
 * al., 2018), for which the learning rate should stay high or go in cycles. Running averages of batch norm are averaged like weights, which is close
 * to what the averaged weights would give but not the same.
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * await model.fit(train, { epochs: 4, callbacks: [stochasticWeightAverage({ from: 2 })] });
 * ```
 */
export function stochasticWeightAverage(options: StochasticWeightAverageOptions): Callback {
  const where = "stochasticWeightAverage";
  checkOptions(where, options, ["from", "every"]);
  const from = nonNegativeInteger(where, "from", options?.from);
  const every = positiveInteger(where, "every", options.every ?? 1);
  let sums: Map<string, Float64Array> | undefined;
  let count = 0;
  return {
    onTrainBegin: () => {
      [sums, count] = [undefined, 0];
    },
    onEpochEnd: (epoch, _, { model }) => {
      if (epoch < from || (epoch - from) % every !== 0) return;
      const weights = model.getWeights();
      sums ??= new Map([...weights].map(([name, values]) => [name, new Float64Array(values.length)]));
      for (const [name, sum] of sums) weights.get(name)!.forEach((value, i) => (sum[i]! += value));
      count++;
    },
    onTrainEnd: ({ model }) => {
      if (sums) model.setWeights(new Map([...sums].map(([name, sum]) => [name, sum.map((value) => value / count)])));
    },
    getState: () => ({
      count,
      sums: sums ? Object.fromEntries([...sums].map(([name, sum]) => [name, sum.slice()])) : null,
    }),
    setState: (state) => {
      count = Number(state.count);
      sums = state.sums ? new Map(Object.entries(state.sums as Record<string, Float64Array>)) : undefined;
    },
  };
}

/** What {@link snapshots} makes. */
export interface Snapshots extends Callback {
  /** Copies of the model, the oldest first. */
  readonly models: readonly Model[];
}

/**
 * Keeps a copy of the model after every so many epochs, for an {@link ensemble} from one training run. With a rate that goes down and up again in
 * cycles of as many epochs, `cosineRestarts({ initial, over: every, per: "epoch" })`, each copy is of another valley (Huang et al., 2017).
 *
 * @throws OptionError for an unknown option or a wrong value
 *
 * @example
 * ```ts
 * const kept = snapshots({ every: 2 });
 * await model.fit(train, { epochs: 6, callbacks: [kept] });
 * const { accuracy } = await ensemble(kept.models).evaluate(test);
 * ```
 */
export function snapshots(options: { readonly every: number }): Snapshots {
  checkOptions("snapshots", options, ["every"]);
  const every = positiveInteger("snapshots", "every", options?.every);
  const models: Model[] = [];
  return {
    models,
    onTrainBegin: () => void models.splice(0),
    onEpochEnd: (epoch, _, { model }) => {
      if ((epoch + 1) % every === 0) models.push(model.clone());
    },
    getState: () => ({ models: models.map((model) => Object.fromEntries(model.getWeights())) }),
    setState: (state, { model }) => {
      const kept = (state.models as readonly Record<string, TypedArray>[]).map((weights) => {
        const copy = model.clone();
        copy.setWeights(new Map(Object.entries(weights)));
        return copy;
      });
      models.splice(0, models.length, ...kept);
    },
  };
}
