// capture(): records what a function does once per shape of its arguments, then replays it natively. Planning and running are program.ts.
import { types } from "node:util";
import { SimdnnError } from "./errors.js";
import { isFunction, wrongValue } from "./options.js";
import { Program } from "./program.js";
import { Recent } from "./recent.js";
import { currentTape, Tape, withTape } from "./tape.js";
import { allocate, tensor, Tensor, zeros, type TensorData } from "./tensor.js";

/** What a captured function may return: nothing, a tensor, or an array or record of them. */
export type Outputs = void | Tensor | readonly Tensor[] | { readonly [name: string]: Tensor };

/** A captured function: call it like the original, or on the engine thread through `async`. */
export interface Captured<A extends readonly unknown[], R extends Outputs> {
  (...args: A): R;
  /** As the call itself, but off the JavaScript thread; what it changes is locked until the promise settles. */
  async(...args: A): Promise<R>;
}

/** As many tensors as the function has parameters, given as tensors or as their values. */
export type Arguments<P extends readonly Tensor[]> = { readonly [K in keyof P]: Tensor | TensorData };

interface Recording<R> {
  readonly program: Program;
  readonly inputs: readonly Tensor[];
  readonly result: R;
  /** The tensors of the result that differ from call to call; others, such as parameters, are handed back as they are. */
  readonly outputs: readonly Tensor[];
}

/**
 * Records `fn` on its first call for each combination of argument shapes, plans its memory, and from then on replays it natively.
 *
 * Everything that `fn` computes with ops is replayed; other side effects happen only while recording. What differs from call to call must be
 * an argument, a parameter, or made by an op such as `tick`: a number read in JavaScript is frozen at its first value.
 *
 * The 16 combinations of shapes used last are kept; another one takes the place of the oldest, and is recorded again should it come back.
 *
 * @returns a function with the same parameters, whose results are fresh copies
 * @throws CaptureError when `fn` reads the value of something it computes
 *
 * @example
 * ```ts
 * const w = parameter(0), optimizer = sgd({ learningRate: 0.01 });
 * const step = capture(() => {
 *   const cost = w.square().sub(w.mul(10)).add(25);
 *   optimizer.minimize(cost, [w]);
 *   return cost;
 * });
 * for (let i = 0; i < 1000; i++) step();
 * w.item(); // 4.9999…: the cost is smallest at 5
 * ```
 */
export function capture<P extends readonly Tensor[], R extends Outputs>(
  fn: (...args: P) => R,
): Captured<Arguments<P>, R> {
  if (!isFunction(fn)) throw wrongValue("capture", "fn", "a function", fn);
  const recordings = new Recent<Recording<R>>();

  const prepare = (args: Arguments<P>): [Recording<R>, Tensor[]] => {
    if (currentTape())
      throw new SimdnnError(
        "CaptureError",
        "capture: a captured function cannot be called while another is being recorded; call the plain function",
        { where: "capture" },
      );
    const values = args.map((arg) => (arg instanceof Tensor ? arg : tensor(arg)));
    const key = values.map(({ shape, dtype }) => `${dtype}[${shape.join()}]`).join();
    return [recordings.get(key, () => record(fn, values)), values];
  };

  const captured = (...args: Arguments<P>): R => {
    const [recording, values] = prepare(args);
    recording.inputs.forEach((input, i) => input.write().set(values[i]!.read()));
    recording.program.run();
    return mapOutputs(recording.result, (output) =>
      recording.outputs.includes(output) ? recording.program.copy(output) : output,
    );
  };

  const runAsync = async (...args: Arguments<P>): Promise<R> => {
    const [{ program, inputs, result, outputs }, values] = prepare(args);
    const feeds = inputs.map((tensor, i) => ({ tensor, values: values[i]!.data() }));
    const results = new Map(outputs.map((output) => [output, zeros(output, { name: output.name })]));
    await program.submit(1, {
      feeds,
      fetches: outputs.map((output) => ({ tensor: output, values: results.get(output)!.read() })),
    });
    return mapOutputs(result, (output) => results.get(output) ?? output);
  };

  return Object.assign(captured, { async: runAsync });
}

function record<P extends readonly Tensor[], R extends Outputs>(
  fn: (...args: P) => R,
  values: readonly Tensor[],
): Recording<R> {
  if (values.length < fn.length) throw wrongValue("captured function", "arguments", `${fn.length}`, values.length);
  const inputs = values.map((value, i) => new Tensor(value, { name: value.name ?? `argument ${i + 1}` }));
  const tape = new Tape();
  const result = withTape(tape, () => fn(...(inputs as unknown as P)));
  if (types.isPromise(result))
    throw new SimdnnError("CaptureError", "capture: the function must not be async; await outside of it", {
      where: "capture",
    });
  const known = tensorsOf(result).every((output: unknown) => output instanceof Tensor);
  if (!known || (result !== undefined && typeof result !== "object"))
    throw wrongValue("captured function", "its result", "nothing, a tensor, or an array or record of tensors", result);
  // Not before: what is read while recording would be the same in every call.
  for (const input of inputs) input.storage = allocate(input);
  const changing = new Set([...inputs, ...tape.entries.flatMap((entry) => entry.outputs)]);
  const outputs = tensorsOf(result).filter((output) => changing.has(output));
  return { program: new Program(tape, outputs), inputs, result, outputs };
}

function tensorsOf(result: Outputs): readonly Tensor[] {
  if (!result) return [];
  return result instanceof Tensor ? [result] : Object.values(result as Record<string, Tensor>);
}

function mapOutputs<R extends Outputs>(result: R, change: (output: Tensor) => Tensor): R {
  if (!result) return result;
  if (result instanceof Tensor) return change(result) as R;
  if (Array.isArray(result)) return (result as readonly Tensor[]).map(change) as unknown as R;
  return Object.fromEntries(Object.entries(result).map(([name, output]) => [name, change(output)])) as unknown as R;
}
