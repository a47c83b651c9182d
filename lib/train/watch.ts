// Norms of activations and gradients, layer by layer, as figures of a training step. What they mean is check/gradient-flow.ts.
import { add, mul } from "../ops/binary.js";
import { squaredNorm } from "../ops/reduce.js";
import type { Tensor } from "../tensor.js";
import type { Figure } from "./figures.js";

/** What `watch` follows through the layers. */
export type Watched = "activations" | "gradients";
/** @internal */
export const watchable: readonly Watched[] = ["activations", "gradients"];

/** Records the norms of one step while it is being recorded itself. */
export class Watcher {
  readonly figures: Record<string, Figure> = {};
  /** Undefined where no activations are watched. */
  readonly onLayer: ((layer: string, output: Tensor) => void) | undefined;

  constructor(private readonly watch: readonly Watched[] = []) {
    // At once, while an output is in the cache and before another may take its place.
    if (watch.includes("activations"))
      this.onLayer = (layer, output) => this.keep("activations", layer, mul(squaredNorm(output), 1 / output.size));
  }

  /** Sums the squares of the gradients of each layer's parameters, whose names begin with the layer's. */
  gradients(parameters: readonly Tensor[], gradients: readonly Tensor[]): void {
    if (!this.watch.includes("gradients")) return;
    const sums = new Map<string, Tensor>();
    gradients.forEach((gradient, i) => {
      const layer = parameters[i]!.label.split(".")[0]!;
      const [sum, square] = [sums.get(layer), squaredNorm(gradient)];
      sums.set(layer, sum ? add(sum, square) : square);
    });
    for (const [layer, sum] of sums) this.keep("gradients", layer, sum);
  }

  private keep(watched: Watched, layer: string, square: Tensor): void {
    this.figures[`${watched}.${layer}`] = { values: square, over: "mean", finish: ([mean]) => Math.sqrt(mean!) };
  }
}
