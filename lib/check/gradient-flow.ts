// How signals get through the layers of a network: a report on the norms that fit() was told to watch, with a remedy where they vanish or explode.
import type { Dataset } from "../data/dataset.js";
import { Model } from "../model.js";
import { gradients } from "../ops/gradient.js";
import { checkOptions, isObject, positiveInteger, wrongValue } from "../options.js";
import { textTable } from "../text-table.js";
import { Batches } from "../train/batches.js";
import { rowRuns } from "../train/runs.js";
import { checkData } from "../train/check-data.js";
import { checkWork } from "../train/check-work.js";
import { costAndFigures } from "../train/cost.js";
import type { EvaluateOptions } from "../train/evaluate.js";
import type { History } from "../train/fit.js";
import { watchable, Watcher, type Watched } from "../train/watch.js";

/** What can go wrong on the way through the layers. */
export type FlowProblem = "vanishing" | "exploding" | "dead";

/** A layer in which something goes wrong. */
export interface FlowFinding {
  readonly problem: FlowProblem;
  readonly layer: string;
  readonly of: Watched;
  /** The epoch in which it is worst, from 0. */
  readonly epoch: number;
  /** The norm there. */
  readonly norm: number;
  /** What it was compared with: the norm of the last layer, that of the first epoch, or 1. */
  readonly against: number;
  readonly message: string;
  readonly remedy: string;
}

/** A layer's norms, one number per epoch. */
export interface LayerFlow {
  readonly layer: string;
  /** Root of the mean square of its outputs. */
  readonly activations?: readonly number[];
  /** Norm of the gradient of its parameters. */
  readonly gradients?: readonly number[];
}

export interface FlowOptions extends Pick<EvaluateOptions, "threads" | "signal"> {
  /** Examples of the data, from the first on. Default: 32. */
  readonly batchSize?: number;
}

const where = "gradientFlow";
/** How far norms may be apart before something is wrong; what is healthy is within a factor of ten or so. */
const most = 1e3;
/** By how much gradients may grow in the course of a training. */
const mostGrowth = 100;

const remedies: Readonly<Record<FlowProblem, string>> = {
  vanishing:
    'initialize by the activation ("heNormal" for relu, "glorotNormal" for tanh), put batchNorm() between the layers, use relu instead of sigmoid or tanh, or fewer layers',
  exploding:
    'lower the learning rate, clip (globalClipNorm: 1), normalize the inputs, initialize by the activation ("heNormal", "glorotNormal"), or put batchNorm() between the layers',
  dead: "lower the learning rate, use leakyRelu, or start from smaller weights and biases of 0",
};

/** The outcome of {@link gradientFlow}: plain data, and as a string a table with what is wrong. */
export class GradientFlow {
  /** Whether nothing was found. */
  readonly healthy: boolean;

  /** @internal */
  constructor(
    readonly layers: readonly LayerFlow[],
    readonly findings: readonly FlowFinding[],
  ) {
    this.healthy = findings.length === 0;
  }

  toString(): string {
    const problems = [...new Set(this.findings.map(({ problem }) => problem))];
    const watched = watchable.filter((of) => this.layers.some((layer) => layer[of] !== undefined));
    const epochs = Math.max(...this.layers.map((layer) => (layer.activations ?? layer.gradients)!.length));
    const ends = (norms: readonly number[] = []): (number | undefined)[] => (epochs > 1 ? [norms[0], norms.at(-1)] : [norms[0]]); // prettier-ignore
    const rows = this.layers.map((layer) => [
      layer.layer,
      ...watched.flatMap((of) => ends(layer[of]).map((norm) => norm?.toExponential(1) ?? "–")),
      [...new Set(this.findings.filter((found) => found.layer === layer.layer).map(({ problem }) => problem))].join(", "),
    ]); // prettier-ignore
    const header = ["layer", ...watched.flatMap((of) => (epochs > 1 ? [`${of} at first`, "at last"] : [of])), ""];
    return [
      `gradient flow: ${this.healthy ? "healthy" : problems.join(" and ")}`,
      ...problems.flatMap((problem) => [
        ...watched.flatMap((of) =>
          summary(this.findings.filter((found) => found.problem === problem && found.of === of)),
        ),
        `remedy: ${remedies[problem]}`,
      ]),
      "",
      ...textTable([header, ...rows], [0, header.length - 1]),
    ].join("\n");
  }
}

/** One line for findings of a kind: the table marks them all. */
function summary(findings: readonly FlowFinding[]): string[] {
  const [first, ...others] = findings.toSorted((a, b) => severity(b) - severity(a));
  if (!first) return [];
  return [others.length === 0 ? first.message : `${first.message} (and ${others.length} more such layers)`];
}

/**
 * Looks for layers in which activations or gradients vanish, explode or die, in a training with `watch: ["activations", "gradients"]`.
 *
 * Gradients are compared with those of the last layer: a thousandth of it is vanishing, a thousand times as much exploding; so is growth by a hundred
 * in the course of the training. Activations of hidden layers should be around 1: below a thousandth they vanish, above a thousand they explode. A
 * layer whose outputs or gradients are all 0 is dead. (Glorot and Bengio, 2010.)
 *
 * @throws OptionError for a history without watched norms
 *
 * @example
 * ```ts
 * const history = await model.fit(train, { epochs: 2, watch: ["activations", "gradients"] });
 * const flow = gradientFlow(history);
 * if (!flow.healthy) console.log(String(flow));
 * ```
 */
export function gradientFlow(history: Pick<History, "curves">): GradientFlow;
/**
 * The same for a model as it is, over one batch and without training it: at its first weights, say, or where a training breaks off with NaN.
 *
 * @param data - where the batch is taken from
 * @throws StateError before compile(); OptionError for a wrong option
 *
 * @example
 * ```ts
 * console.log(String(await gradientFlow(model, train, { batchSize: 64 })));
 * ```
 */
export function gradientFlow(model: Model, data: Dataset, options?: FlowOptions): Promise<GradientFlow>;
export function gradientFlow(
  subject: Model | Pick<History, "curves">,
  data?: Dataset,
  options?: FlowOptions,
): GradientFlow | Promise<GradientFlow> {
  return subject instanceof Model ? ofModel(subject, data!, options) : ofHistory(subject);
}

async function ofModel(model: Model, data: Dataset, options: FlowOptions = {}): Promise<GradientFlow> {
  checkOptions(where, options, ["batchSize", "threads", "signal"]);
  checkWork(where, options);
  checkData(where, model, data);
  const { batchSize = Math.min(32, data.size), ...work } = options;
  positiveInteger(where, "batchSize", batchSize);
  const compiled = model.ready(where);
  const copy = model.clone(); // batch norm's running averages move in training mode
  const batches = new Batches(copy.dtype, (batch) => {
    const watcher = new Watcher(watchable);
    const { cost } = costAndFigures(copy, { loss: compiled.loss, metrics: [] }, batch, true, watcher);
    watcher.gradients(copy.parameters, gradients(cost, copy.parameters));
    return watcher.figures;
  });
  const figures = await batches.pass(rowRuns(data, data.take(batchSize).rows, batchSize), work);
  return ofHistory({ curves: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, [value]])) });
}

function ofHistory(history: Pick<History, "curves">): GradientFlow {
  const layers = new Map<string, LayerFlow>();
  for (const [name, curve] of Object.entries(isObject(history) && isObject(history.curves) ? history.curves : {})) {
    const of = watchable.find((watched) => name.startsWith(`${watched}.`));
    if (of === undefined) continue;
    const layer = name.slice(of.length + 1);
    layers.set(layer, { ...(layers.get(layer) ?? { layer }), [of]: curve });
  }
  if (layers.size === 0)
    throw wrongValue(where, "history", 'that of a fit with watch: ["activations", "gradients"]', history);
  const flows = [...layers.values()];
  return new GradientFlow(flows, [...inActivations(flows), ...inGradients(flows)]);
}

interface Norm {
  readonly epoch: number;
  readonly norm: number;
  readonly against: number;
}

function inActivations(flows: readonly LayerFlow[]): FlowFinding[] {
  // The last layer gives logits or values, whose size is the data's business.
  return flows.slice(0, -1).flatMap(({ layer, activations }) => {
    const norms = (activations ?? []).map((norm, epoch) => ({ epoch, norm, against: 1 }));
    return judged(layer, "activations", norms, ({ norm }) => `its outputs are around ${short(norm)} instead of 1`);
  });
}

function inGradients(flows: readonly LayerFlow[]): FlowFinding[] {
  const trained = flows.filter(({ gradients }) => gradients !== undefined);
  const last = trained.at(-1);
  return trained.flatMap(({ layer, gradients }) => {
    const norms = gradients!.map((norm, epoch) => ({ epoch, norm, against: last!.gradients![epoch]! }));
    const found = judged(layer, "gradients", norms, ({ norm, against }) => `its gradient is ${short(norm)}, that of ${last!.layer} ${short(against)}`); // prettier-ignore
    if (found.length > 0) return found;
    const [first] = gradients!;
    const grown = norms.map(({ epoch, norm }) => ({ epoch, norm, against: first! })).reduce((a, b) => (b.norm > a.norm ? b : a)); // prettier-ignore
    if (!(grown.norm > mostGrowth * first!)) return [];
    return [finding("exploding", layer, "gradients", grown, `its gradient grew from ${short(first!)} to ${short(grown.norm)}`)]; // prettier-ignore
  });
}

/** How many times too large or too small, on a logarithmic scale. */
function severity({ norm, against }: Pick<Norm, "norm" | "against">): number {
  return Math.abs(Math.log(norm / against));
}

/** The worst epoch of a layer, if it is too bad. */
function judged(layer: string, of: Watched, norms: readonly Norm[], say: (worst: Norm) => string): FlowFinding[] {
  // Where there is nothing to compare with, as for a net that fits its data perfectly, nothing can be said.
  const comparable = norms.filter(({ against }) => against > 0);
  if (comparable.length === 0) return [];
  const worst = comparable.reduce((a, b) => (severity(b) > severity(a) ? b : a));
  if (worst.norm === 0) return [finding("dead", layer, of, worst, `all of its ${of} are 0`)];
  if (severity(worst) <= Math.log(most)) return [];
  return [finding(worst.norm > worst.against ? "exploding" : "vanishing", layer, of, worst, say(worst))];
}

function finding(problem: FlowProblem, layer: string, of: Watched, norm: Norm, said: string): FlowFinding {
  const message = `${layer}: ${problem} ${of} in epoch ${norm.epoch}: ${said}`;
  return { problem, layer, of, ...norm, message, remedy: remedies[problem] };
}

function short(norm: number): string {
  return norm > 0 && (norm < 1e-2 || norm >= 1e4) ? norm.toExponential(1) : String(Number(norm.toPrecision(2)));
}
