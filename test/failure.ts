// What tests expect an error of the library to be: its kind and its text, whole or by pattern.
import { expect } from "vitest";
import type { ErrorCode } from "#lib/errors.js";

export function failure(code: ErrorCode, message: string | RegExp): unknown {
  return expect.objectContaining({
    code,
    message: typeof message === "string" ? message : (expect.stringMatching(message) as string),
  });
}
