// Tape: the ops of a computation in the order in which they were applied, and backward() over it. Does not run anything.
import { SimdnnError } from "./errors.js";
import type { Attrs, Op } from "./op.js";
import type { Tensor } from "./tensor.js";

let entries = 0;

/** One application of an op. */
export class Entry {
  /** Order of application, over all tapes. */
  readonly id = entries++;
  private versions: readonly number[] = [];

  constructor(
    readonly op: Op,
    readonly operands: readonly Tensor[],
    readonly outputs: readonly Tensor[],
    readonly attrs: Attrs,
    /** Path of the layer that applied it, such as `model.dense2`. */
    readonly scope: string | undefined,
  ) {}

  /** Notes the op's effects and the versions of its operands as they are after it. */
  touch(): void {
    for (const index of this.op.effects ?? []) this.operands[index]!.version++;
    this.versions = this.operands.map((operand) => operand.version);
  }

  /** An operand that was changed in place after this entry used it; one that it changed itself can be of no use to its gradient rule. */
  get stale(): Tensor | undefined {
    return this.operands.find((operand, i) => operand.version !== this.versions[i] && !this.op.effects?.includes(i));
  }
}

/** A scalar that is set before each run of what was recorded, such as a scheduled learning rate. */
export interface Fed {
  readonly tensor: Tensor;
  /** Its value `ahead` runs from now; undefined leaves it as it is. */
  readonly value: (ahead: number) => number | undefined;
}

/** What a capture records. */
export class Tape {
  readonly entries: Entry[] = [];
  readonly fed: Fed[] = [];

  feed(tensor: Tensor, value: Fed["value"]): void {
    if (!this.fed.some((other) => other.tensor === tensor)) this.fed.push({ tensor, value });
  }

  push(entry: Entry): void {
    this.entries.push(entry);
  }
}

let current: Tape | undefined;
let scopes: readonly string[] = [];

/** The tape that ops are recorded on, undefined while they run at once. */
export function currentTape(): Tape | undefined {
  return current;
}

/** Runs `fn` with its ops recorded on `tape`, or run at once where `tape` is undefined. */
export function withTape<R>(tape: Tape | undefined, fn: () => R): R {
  const before = current;
  current = tape;
  try {
    return fn();
  } finally {
    current = before;
  }
}

export function currentScope(): string | undefined {
  return scopes.length === 0 ? undefined : scopes.join(".");
}

/** Runs `fn` with `name` added to the path that messages and profiles give its tensors. */
export function withScope<R>(name: string, fn: () => R): R {
  const before = scopes;
  scopes = [...scopes, name];
  try {
    return fn();
  } finally {
    scopes = before;
  }
}

/** The entries that `root` depends on through tensors with a gradient, last first. */
function history(root: Tensor): Entry[] {
  const found = new Set<Entry>();
  const open = [root];
  for (let tensor = open.pop(); tensor; tensor = open.pop()) {
    const { producer } = tensor;
    if (!producer || found.has(producer)) continue;
    found.add(producer);
    open.push(...producer.operands);
  }
  return [...found].sort((a, b) => b.id - a.id);
}

/** A gradient `scale · of`, left as a product so that adding it to another takes one pass. */
export class Scaled {
  constructor(
    readonly of: Tensor,
    /** A scalar. */
    readonly scale: Tensor,
  ) {}
}

/** What backward() computes with: ops, which this file does not know. */
export interface GradientArithmetic {
  readonly add: (a: Tensor, b: Tensor) => Tensor;
  readonly mul: (a: Tensor, scale: Tensor) => Tensor;
  readonly addScaled: (a: Tensor, b: Tensor, scale: Tensor) => Tensor;
}

/**
 * Reverse-mode differentiation: from the gradient of `root` with respect to itself to those with respect to `wrt`.
 *
 * @returns one gradient per tensor of `wrt`; undefined where `root` does not depend on it
 */
export function backward(
  root: Tensor,
  seed: Tensor,
  wrt: readonly Tensor[],
  { add, mul, addScaled }: GradientArithmetic,
): (Tensor | undefined)[] {
  const gradients = new Map<Tensor, Tensor | Scaled>([[root, seed]]);
  const whole = (a: Tensor | Scaled): Tensor => (a instanceof Scaled ? mul(a.of, a.scale) : a);
  const sum = (a: Tensor | Scaled, b: Tensor | Scaled): Tensor => {
    if (b instanceof Scaled) return addScaled(whole(a), b.of, b.scale);
    return a instanceof Scaled ? sum(b, a) : add(a, b);
  };
  const gradientOf = (tensor: Tensor): Tensor | undefined => {
    const gradient = gradients.get(tensor);
    return gradient && whole(gradient);
  };
  for (const entry of history(root)) {
    const { op, operands, outputs, attrs, scope } = entry;
    const douts = outputs.map(gradientOf);
    if (douts.every((dout) => dout === undefined)) continue;
    if (op.vjp === "missing")
      throw new SimdnnError(
        "GradientError",
        `${op.name}: has no gradient of its own; second derivatives are not supported`,
        { where: op.name },
      );
    if (op.vjp === "none") continue;
    const { stale } = entry;
    if (stale)
      throw new SimdnnError(
        "GradientError",
        `${stale.label} was changed in place after ${op.name} used it; take gradients before updating it`,
        { where: op.name },
      );
    const { vjp } = op;
    const needs = operands.map((operand) => operand.requiresGrad);
    const dins =
      scope === undefined
        ? vjp({ operands, outputs, attrs, needs }, douts)
        : withScope(`${scope}.backward`, () => vjp({ operands, outputs, attrs, needs }, douts));
    dins.forEach((din, i) => {
      const operand = operands[i]!;
      if (!din || !operand.requiresGrad) return;
      const before = gradients.get(operand);
      gradients.set(operand, before ? sum(before, din) : din);
    });
  }
  return wrt.map(gradientOf);
}
