// The library's one error class, the fields of each kind of error, and the functions that word them. Knows no tensors and no files.
import { describe } from "./values.js";

/** What an error message says about one operand: its role, its shape or dtype, and the name it has in the model. */
export interface OperandNote {
  readonly label: string;
  readonly shape?: readonly number[];
  readonly dtype?: string;
  readonly name?: string | undefined;
}

/** The fields from which each kind of error makes its text. */
export interface ErrorDetails {
  /** Shapes that do not fit together. */
  ShapeError: { readonly where: string; readonly operands: readonly OperandNote[] };
  /** An element type the operation does not take. */
  DTypeError: { readonly where: string; readonly operands: readonly OperandNote[] };
  /** An unknown option, or a known one with an unusable value. */
  OptionError: {
    readonly where: string;
    readonly option?: string;
    readonly expected?: string;
    readonly received?: unknown;
    readonly suggestion?: string | undefined;
  };
  /** Something is in use by work that is still running. */
  BusyError: { readonly what: string };
  /** NaN or infinity where training cannot go on. */
  NonFiniteError: {
    readonly where?: string | undefined;
    readonly what: string;
    readonly value: number;
    readonly epoch?: number | undefined;
    readonly step?: number | undefined;
    readonly tensor?: string | undefined;
  };
  /** A label or index outside the range it indexes: `what[position] = index`, while there are `count` of `kind`. */
  IndexError: {
    readonly where: string;
    readonly what: string;
    readonly position: number;
    readonly index: number;
    readonly count: number;
    readonly kind: string;
  };
  /** A file that cannot be read or written, or does not hold what its format promises. */
  FileError: { readonly file: string; readonly expected: string; readonly received: string; readonly remedy: string };
  /** Something that cannot be recorded or replayed. */
  CaptureError: { readonly where: string };
  /** A gradient that does not exist, or that failed its check. */
  GradientError: { readonly where: string };
  /** A call that comes too early or too late, such as `fit` before `compile`. */
  StateError: { readonly where: string };
  /** Memory that is not there: `bytes` were wanted, array buffers take `inUse`, and `available` are free. */
  OutOfMemoryError: {
    readonly where: string;
    readonly bytes: number;
    readonly inUse: number;
    readonly available: number;
  };
  /** The native part is missing, or refused a program. */
  NativeError: { readonly where: string };
}

/** The kinds of error; also the `name` of each. */
export type ErrorCode = keyof ErrorDetails;

/**
 * Every error the library throws on purpose. `code` says which kind, `details` holds the fields of the text.
 *
 * @example
 * ```ts
 * try {
 *   adam({ learningrate: 0.1 });
 * } catch (error) {
 *   if (isSimdnnError(error, "OptionError")) error.details.suggestion; // "learningRate"
 * }
 * ```
 */
export class SimdnnError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name: Code;
  readonly code: Code;
  readonly details: ErrorDetails[Code];

  constructor(code: Code, message: string, details: ErrorDetails[Code], options?: ErrorOptions) {
    super(message, options);
    this.name = code;
    this.code = code;
    this.details = details;
    Error.captureStackTrace(this, new.target); // again: the stack's first line was written before the name was known
  }
}

/** Whether `error` is one of the library's errors, and of kind `code` where one is given. */
export function isSimdnnError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is SimdnnError<Code> {
  return error instanceof SimdnnError && (code === undefined || error.code === code);
}

/** `[32, 784]`, the way every message writes a shape; of what is no number it says what it is. */
export function formatShape(shape: readonly unknown[]): string {
  return `[${shape.map((dim) => (typeof dim === "number" ? dim : describe(dim))).join(", ")}]`;
}

/** An error about shapes: the sentence, then one line per operand. */
export function shapeError(
  where: string,
  message: string,
  operands: readonly OperandNote[] = [],
): SimdnnError<"ShapeError"> {
  return new SimdnnError("ShapeError", `${where}: ${message}${table(operands)}`, { where, operands });
}

/** An error about element types: the sentence, then one line per operand. */
export function dtypeError(
  where: string,
  message: string,
  operands: readonly OperandNote[] = [],
): SimdnnError<"DTypeError"> {
  return new SimdnnError("DTypeError", `${where}: ${message}${table(operands)}`, { where, operands });
}

/** `"dense1.weight" is being trained; await the fit() promise first` */
export function busyError(
  what: string,
  doing = "being trained",
  remedy = "await the fit() promise first",
): SimdnnError<"BusyError"> {
  return new SimdnnError("BusyError", `"${what}" is ${doing}; ${remedy}`, { what });
}

/** `loss became NaN at epoch 3, step 41; first non-finite tensor: dense2.output` */
export function nonFiniteError(details: ErrorDetails["NonFiniteError"]): SimdnnError<"NonFiniteError"> {
  const { where, what, value, epoch, step, tensor } = details;
  const place = [epoch === undefined ? [] : [`epoch ${epoch}`], step === undefined ? [] : [`step ${step}`]]
    .flat()
    .join(", ");
  const text = `${where === undefined ? "" : `${where}: `}${what} became ${value}${place && ` at ${place}`}${tensor === undefined ? "" : `; first non-finite tensor: ${tensor}`}`;
  return new SimdnnError("NonFiniteError", text, details);
}

/** `softmaxCrossEntropy: labels[17] is 12, but there are 10 classes: expected an integer from 0 to 9` */
export function indexError(details: ErrorDetails["IndexError"]): SimdnnError<"IndexError"> {
  const { where, what, position, index, count, kind } = details;
  const range = count === 0 ? "" : `: expected an integer from 0 to ${count - 1}`;
  return new SimdnnError(
    "IndexError",
    `${where}: ${what}[${position}] is ${index}, but there are ${count} ${kind}${range}`,
    details,
  );
}

/** `train-images.gz: expected 47040016 bytes, but it ends after 1200; download it again` */
export function fileError(
  file: string,
  expected: string,
  received: string,
  remedy: string,
  cause?: unknown,
): SimdnnError<"FileError"> {
  const text = `${file}: expected ${expected}, but ${received}; ${remedy}`;
  return new SimdnnError(
    "FileError",
    text,
    { file, expected, received, remedy },
    cause === undefined ? undefined : { cause },
  );
}

function table(operands: readonly OperandNote[]): string {
  const rows = operands.map(({ label, shape, dtype, name }) => ({
    label,
    type: [dtype ?? [], shape ? formatShape(shape) : []].flat().join(" "),
    name,
  }));
  const labelWidth = Math.max(...rows.map((row) => row.label.length));
  const typeWidth = Math.max(...rows.map((row) => row.type.length));
  return rows
    .map(({ label, type, name }) =>
      name === undefined
        ? `\n  ${label.padEnd(labelWidth)}   ${type}`
        : `\n  ${label.padEnd(labelWidth)}   ${type.padEnd(typeWidth)}   ← ${name}`,
    )
    .join("");
}
