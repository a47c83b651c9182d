// What a client is told of an error: its own mistakes in full, faults of the server without the names of its files.
import { isSimdnnError, type ErrorCode } from "simdnn";

/** An error whose message is for the client. */
export class HttpError extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** What is wrong with the data that a client sent. */
export class DataError extends HttpError {
  constructor(message: string) {
    super(400, message);
  }
}

/** Those of the library that numbers from a client can cause. */
const mistakes: readonly ErrorCode[] = ["ShapeError", "DTypeError", "OptionError", "IndexError", "NonFiniteError"];

export function statusOf(error: unknown): number {
  if (isSimdnnError(error, "OutOfMemoryError") || isSimdnnError(error, "BusyError")) return 503;
  if (isSimdnnError(error)) return mistakes.includes(error.code) ? 400 : 500;
  const statusCode = (error as { readonly statusCode?: unknown } | undefined)?.statusCode; // Fastify's have one, too
  return typeof statusCode === "number" ? statusCode : 500;
}

export function messageOf(error: unknown): string {
  const status = statusOf(error);
  if (status < 500) return (error as Error).message;
  if (isSimdnnError(error, "OutOfMemoryError")) return "there is not enough memory now; try again later";
  return status === 503 ? "this is in use now; try again later" : "a fault of the server's own; its log says more";
}
