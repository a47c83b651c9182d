// The best value of a curve so far: what callbacks that watch one have in common.
import { oneOf, wrongValue } from "../options.js";
import type { Logs, StateValue, Training } from "./callbacks.js";
import { checkMonitor } from "./curve-names.js";

export interface BestOptions {
  /** The curve to watch. Default: "valLoss". */
  readonly monitor?: string;
  /** Whether small or large is good. Default: "max" for accuracies, precision, recall, F1, AUC, R² and top-k, else "min". */
  readonly mode?: "min" | "max";
}

/** @internal Their names. */
export const bestOptions = ["monitor", "mode"];

const largeIsGood = /accuracy|precision|recall|f1|auc|r2|top\d/i;

/** @internal Whether small or large values of a curve are good, by its name. */
export function modeOf(monitor: string): "min" | "max" {
  return largeIsGood.test(monitor) ? "max" : "min";
}

/** @internal */
export class Best {
  /** The epoch it was seen in; -1 at first. */
  epoch = -1;
  private value = NaN;
  private readonly monitor: string;
  private readonly mode: "min" | "max";

  constructor(
    private readonly where: string,
    { monitor = "valLoss", mode }: BestOptions,
    private readonly minDelta = 0,
  ) {
    if (mode !== undefined) oneOf(where, "mode", mode, ["min", "max"]);
    if (typeof monitor !== "string") throw wrongValue(where, "monitor", "the name of a curve", monitor);
    this.monitor = monitor;
    this.mode = mode ?? modeOf(monitor);
  }

  /**
   * Forgets what it has seen, at the beginning of a training.
   * @throws OptionError when it will not have the curve
   */
  begin({ curves }: Training): void {
    checkMonitor(this.where, this.monitor, curves);
    this.epoch = -1;
    this.value = NaN;
  }

  get state(): { readonly epoch: number; readonly value: number } {
    return { epoch: this.epoch, value: this.value };
  }

  /** @param state - what `state` was */
  resume(state: StateValue | undefined): void {
    const { epoch, value } = (state ?? {}) as Partial<Record<string, unknown>>;
    this.epoch = Number(epoch);
    this.value = Number(value);
  }

  /** Whether this epoch is better than all before it, by more than minDelta. */
  update(epoch: number, logs: Logs): boolean {
    const value = logs[this.monitor]!;
    const sign = this.mode === "max" ? -1 : 1;
    const first = this.epoch < 0 || (Number.isNaN(this.value) && !Number.isNaN(value));
    if (!first && !(sign * value < sign * this.value - this.minDelta)) return false;
    this.epoch = epoch;
    this.value = value;
    return true;
  }
}
