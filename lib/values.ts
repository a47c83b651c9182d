// What a value is, asked and told so that no value makes that throw: no symbol, no revoked proxy, no class. Checks with errors are options.ts.
import { inspect } from "node:util";

/** A value as messages show it. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const text = typeof value === "string" ? JSON.stringify(value) : shown(value);
  return `${text.length > 60 ? `${text.slice(0, 60)}…` : text} (${!isRevoked(value) && Array.isArray(value) ? "array" : typeof value})`;
}

function shown(value: unknown): string {
  try {
    return inspect(value, { depth: 0, maxArrayLength: 4 }).replace(/\s+/g, " ");
  } catch {
    return "what cannot be shown"; // its own way to be shown throws
  }
}

/** Whether it is an array without holes, which the array's own methods would pass over. Keeps the declared type. */
export function isArray<T>(value: readonly T[]): value is readonly T[];
export function isArray(value: unknown): value is readonly unknown[];
export function isArray(value: unknown): boolean {
  if (isRevoked(value) || !Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) if (value[i] === undefined && !(i in value)) return false;
  return true;
}

/** Whether it has properties that can be read: no array, and no proxy that was revoked. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !isRevoked(value) && !Array.isArray(value);
}

/** Whether it can be called, which a class cannot, without `new`. */
export function isFunction<T>(value: T): value is Extract<T, (...args: never[]) => unknown>;
export function isFunction(value: unknown): boolean {
  return typeof value === "function" && !isRevoked(value) && Object.getOwnPropertyDescriptor(value, "prototype")?.writable !== false; // prettier-ignore
}

/** Whether it is an object with such a method. */
export function hasMethod<T, Name extends string>(value: T, name: Name): value is Extract<T, Record<Name, unknown>> {
  return isObject(value) && isFunction((value as Record<string, unknown>)[name]);
}

/** Of a revoked proxy nothing can be asked, not even whether it is an array. */
export function isRevoked(value: unknown): boolean {
  try {
    Array.isArray(value);
    return false;
  } catch {
    return true;
  }
}
