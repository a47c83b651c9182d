// Op: the record that says everything about one operation, and apply(), which runs or records one.
import { SimdnnError } from "./errors.js";
import { bool, integers, isObject, oneOf, wrongValue } from "./options.js";
import { execute } from "./program.js";
import type { Activation } from "./ops/activation.js";
import { currentScope, currentTape, Entry, type Scaled } from "./tape.js";
import { bytesOf, checkTensor, isFloat, Tensor, type Spec } from "./tensor.js";

/** How attributes reach the kernel: as doubles, in the order of the record. */
export type AttrType = "number" | "boolean" | "integers" | readonly string[];
export type AttrValue = number | boolean | string | readonly number[];
export type Attrs = Readonly<Record<string, AttrValue>>;

/** One way to call an op, from which tests and benchmarks are made. Values are drawn from `range` (default [-2, 2]), integers from [0, below). */
export interface Sample<A extends Attrs = Attrs> {
  readonly operands: readonly (Spec & { readonly range?: readonly [number, number]; readonly below?: number })[];
  readonly attrs: A;
}

/** What a gradient rule sees. `needs[i]`: whether operand i wants a gradient at all. */
export interface VjpContext<A extends Attrs> {
  readonly operands: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attrs: A;
  readonly needs: readonly boolean[];
}

/** From the gradients of the outputs (undefined where nothing depends on one) to those of the operands. */
export type Vjp<A extends Attrs> = (
  context: VjpContext<A>,
  douts: readonly (Tensor | undefined)[],
) => readonly (Tensor | Scaled | undefined)[];

/** What is done to each feature of a result: `scale · (x - center) + shift`, one number per feature each, or an activation function. */
export type Epilogue =
  | { readonly center: Tensor; readonly scale: Tensor; readonly shift: Tensor }
  | { readonly activation: Activation; readonly slope: number };

/** Everything there is to know of one operation, apart from its kernel of the same name in native/. */
export interface Op<A extends Attrs = Attrs> {
  readonly name: string;
  /** Names of the operands, for messages; the last may begin with "..." and stand for any number. */
  readonly operands: readonly string[];
  readonly attrs: { readonly [K in keyof A]: AttrType };
  /** Shapes and dtypes of the outputs. Throws a ShapeError or DTypeError when the operands do not fit. */
  readonly shape: (operands: readonly Spec[], attrs: A) => readonly Spec[];
  /** The gradient rule. "none": the outputs do not vary smoothly with the operands, so no gradient flows. "missing": there is one, but the library has not got it. */
  readonly vjp: Vjp<A> | "none" | "missing";
  /** Operands whose memory the first output may take over. */
  readonly inPlace?: readonly number[];
  /** Operands that the op writes to. An op with effects is never dead code, even if the list is empty. */
  readonly effects?: readonly number[];
  /** It stops a run whose numbers are not fit to go on with. */
  readonly guard?: true;
  /** An optimizer's step: it writes neither NaN nor infinity, and stops a run in which it would have to. */
  readonly update?: true;
  /** Outputs that are there for the gradient rule only: no gradient flows through them. */
  readonly saved?: readonly number[];
  /** The output is the first operand under another shape; there is no kernel. */
  readonly alias?: true;
  /** What it does to its first operand, in words that an op in front of it may understand. */
  readonly epilogue?: (operands: readonly Tensor[], attrs: A) => Epilogue;
  /** With what operands and attributes it does an epilogue as well; undefined for one that it cannot do. */
  readonly absorb?: (
    operands: readonly Tensor[],
    attrs: A,
    epilogue: Epilogue,
  ) => { readonly operands: readonly Tensor[]; readonly attrs: A } | undefined;
  /** Words for an index out of range: the operand that holds indices, and what they count. */
  readonly indexes?: {
    readonly operand: number;
    readonly kind: string | ((operands: readonly Tensor[]) => string);
    readonly count: (operands: readonly Spec[], attrs: A) => number;
  };
  /** Floating-point operations, where they rather than bytes are what takes the time. */
  readonly flops?: (operands: readonly Spec[], outputs: readonly Spec[]) => number;
  /** Bytes of the operands that are read, where an op does not look at all of them. */
  readonly bytesRead?: (operands: readonly Spec[], outputs: readonly Spec[]) => number;
  readonly samples: () => readonly Sample<A>[];
}

const records = new Map<string, Op>();

/** Registers a record. Every room that works on all ops (tests, benchmarks, docs) reads them from `allOps()`. */
export function defineOp<A extends Attrs>(op: Op<A>): Op<A> {
  if (records.has(op.name))
    throw new SimdnnError("StateError", `defineOp: there is already an op "${op.name}"`, { where: "defineOp" });
  records.set(op.name, op as unknown as Op);
  return op;
}

/** Bytes that an application of an op reads and writes. */
export function bytesMoved(op: Op, operands: readonly Spec[], outputs: readonly Spec[]): number {
  const sum = (specs: readonly Spec[]): number => specs.reduce((bytes, spec) => bytes + bytesOf(spec), 0);
  const read = op.bytesRead?.(operands, outputs) ?? sum(operands);
  return read + sum(outputs) + sum((op.effects ?? []).map((index) => operands[index]!));
}

export function allOps(): readonly Op[] {
  return [...records.values()];
}

export function opNamed(name: string): Op {
  const op = records.get(name);
  if (!op) throw new SimdnnError("StateError", `there is no op "${name}"`, { where: name });
  return op;
}

/** Runs an op at once or, while capturing, records it. Shape errors appear here, before any work. */
export function apply<A extends Attrs>(op: Op<A>, operands: readonly Tensor[], attrs: NoInfer<A>): Tensor[] {
  operands.forEach((operand, i) => checkTensor(op.name, op.operands[i] ?? `operand ${i}`, operand));
  if (!isObject(attrs)) throw wrongValue(op.name, "options", "an object", attrs);
  for (const name of Object.keys(op.attrs)) checkAttr(op.name, name, op.attrs[name]!, attrs[name]);
  const specs = op.shape(operands, attrs);
  const grad = op.vjp !== "none" && operands.some((operand) => operand.requiresGrad);
  const scope = currentScope();
  const name = scope && `${scope}.${op.name}`;
  const outputs = specs.map(
    (spec, i) => new Tensor(spec, { requiresGrad: grad && isFloat(spec.dtype) && !op.saved?.includes(i), name }),
  );
  if (op.alias) outputs[0]!.users = operands[0]!.users;
  const entry = new Entry(op as unknown as Op, operands, outputs, attrs, scope);
  const tape = currentTape();
  if (tape) tape.push(entry);
  else execute(entry);
  entry.touch();
  for (const output of outputs) if (output.requiresGrad) output.producer = entry;
  return outputs;
}

function checkAttr(where: string, name: string, type: AttrType, value: unknown): void {
  if (type === "boolean") bool(where, name, value);
  else if (type === "integers") integers(where, name, value);
  else if (type !== "number") oneOf(where, name, value, type);
  else if (typeof value !== "number") throw wrongValue(where, name, "a number", value);
}

/** As apply(), for the many ops with one output. */
export function apply1<A extends Attrs>(op: Op<A>, operands: readonly Tensor[], attrs: NoInfer<A>): Tensor {
  return apply(op, operands, attrs)[0]!;
}
