// JSON inside files from anywhere: bounded before it is parsed, since a short text can stand for very much. The bounds hold for writing, too.
import { wrongValue } from "../options.js";

const mostCharacters = 1 << 20; // a model of ten thousand layers
const deepest = 64;

/**
 * The value of `text`.
 * @throws SyntaxError when it is not JSON, or beyond the bounds
 */
export function parseBoundedJson(text: string): unknown {
  const excess = excessOf(text);
  if (excess !== undefined) throw new SyntaxError(excess);
  return JSON.parse(text);
}

/**
 * The text of `value`, which parseBoundedJson() reads.
 * @param what - what messages call it
 * @throws OptionError when it is beyond the bounds
 */
export function boundedJson(where: string, what: string, value: unknown): string {
  const text = JSON.stringify(value);
  const excess = excessOf(text);
  if (excess === undefined) return text;
  throw wrongValue(where, what, `at most ${mostCharacters} characters of JSON in ${deepest} levels`, excess);
}

function excessOf(text: string): string | undefined {
  if (text.length > mostCharacters) return `${text.length} characters of JSON`;
  let [levels, inString] = [0, false];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inString) {
      if (character === "\\") i++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "]" || character === "}") levels--;
    else if ((character === "[" || character === "{") && ++levels > deepest)
      return `more than ${deepest} levels of JSON`;
  }
  return undefined;
}
