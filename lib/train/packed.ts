// State as JSON with its arrays beside it, so that a file can hold them as they are. What the state means is its users' business.
import { boundedJson, parseBoundedJson } from "../data/bounded-json.js";
import { wrongValue } from "../options.js";
import { Tensor, type TypedArray } from "../tensor.js";
import type { StateValue } from "./callbacks.js";

// Keys of what JSON cannot say.
const array = "$array";
const number = "$number";

/**
 * @param add - is given each array, and returns the name under which it is kept
 * @throws OptionError for what cannot be kept
 */
export function pack(where: string, state: StateValue, add: (values: TypedArray | Tensor) => string): string {
  const reduce = (value: unknown): unknown => {
    if (typeof value === "number" && !Number.isFinite(value)) return { [number]: String(value) };
    if (value === null || ["number", "string", "boolean"].includes(typeof value)) return value;
    if (value instanceof Tensor || ArrayBuffer.isView(value)) return { [array]: add(value as TypedArray | Tensor) };
    if (Array.isArray(value)) return value.map(reduce);
    if (typeof value !== "object") throw wrongValue(where, "state", "numbers, text, arrays and records of them", value);
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    const strange = entries.find(([key]) => key.startsWith("$"));
    if (strange) throw wrongValue(where, "state", 'keys that do not begin with "$"', strange[0]);
    return Object.fromEntries(entries.map(([key, member]) => [key, reduce(member)]));
  };
  return boundedJson(where, "state", reduce(state));
}

/**
 * @param arrayOf - the array that was kept under a name
 * @throws SyntaxError, RangeError for text that pack() did not write; what `arrayOf` throws
 */
export function unpack(text: string, arrayOf: (name: string) => TypedArray): StateValue {
  const revive = (value: unknown): StateValue => {
    if (Array.isArray(value)) return value.map(revive);
    if (typeof value !== "object" || value === null) return value as StateValue;
    const { [array]: name, [number]: text } = value as Record<string, unknown>;
    if (typeof name === "string") return arrayOf(name);
    if (typeof text === "string") return Number(text);
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, revive(member)]));
  };
  return revive(parseBoundedJson(text));
}
