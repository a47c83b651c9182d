// A JSON parser for headers of files from anywhere: objects become Maps, so no key can reach a prototype, and a key that comes
// twice, which JSON.parse lets pass, is an error. Not for configuration or for writing.

/** A JSON value whose objects are Maps. */
export type Json = null | boolean | number | string | Json[] | Map<string, Json>;

/**
 * The value of `text`.
 * @param deepest how many levels of arrays and objects may be nested
 * @param most how many values there may be, those in others counted
 * @throws SyntaxError when the text is not JSON, nests deeper, has more or repeats a key
 */
export function parseStrictJson(text: string, deepest: number, most = Infinity): Json {
  const parser = new Parser(text, most);
  const value = parser.value(deepest);
  parser.end();
  return value;
}

class Parser {
  #at = 0;

  constructor(
    readonly text: string,
    private left: number,
  ) {}

  value(levels: number): Json {
    if (this.left-- <= 0) throw this.#error("too many values");
    const first = this.#peek();
    if (first === '"') return this.#string();
    if ((first === "[" || first === "{") && levels === 0) throw this.#error("too deep a nesting");
    if (first === "[") return this.#list(levels - 1);
    if (first === "{") return this.#object(levels - 1);
    scalar.lastIndex = this.#at;
    const token = scalar.exec(this.text)?.[0];
    if (token === undefined) throw this.#error("no value");
    this.#at += token.length;
    return JSON.parse(token) as null | boolean | number;
  }

  end(): void {
    if (this.#peek() !== "") throw this.#error("more after the value");
  }

  #list(levels: number): Json[] {
    const list: Json[] = [];
    this.#items("[", "]", () => list.push(this.value(levels)));
    return list;
  }

  #object(levels: number): Map<string, Json> {
    const object = new Map<string, Json>();
    this.#items("{", "}", () => {
      if (this.#peek() !== '"') throw this.#error("no key");
      const key = this.#string();
      if (object.has(key)) throw this.#error(`the key ${JSON.stringify(key.slice(0, 60))} a second time`);
      this.#expect(":");
      object.set(key, this.value(levels));
    });
    return object;
  }

  #items(open: string, close: string, item: () => void): void {
    this.#expect(open);
    if (this.#peek() !== close) {
      item();
      while (this.#peek() === ",") {
        this.#at++;
        item();
      }
    }
    this.#expect(close);
  }

  // Finds the closing quote by hand: a regular expression could overflow its stack on a string of megabytes.
  #string(): string {
    let close = this.#at;
    do close = this.text.indexOf('"', close + 1);
    while (close > 0 && isEscaped(this.text, close));
    if (close < 0) throw this.#error("a string without end");
    const token = this.text.slice(this.#at, close + 1);
    this.#at = close + 1;
    return JSON.parse(token) as string;
  }

  #expect(character: string): void {
    if (this.#peek() !== character) throw this.#error(`no "${character}"`);
    this.#at++;
  }

  #peek(): string {
    blanks.lastIndex = this.#at;
    blanks.test(this.text);
    this.#at = Math.max(this.#at, blanks.lastIndex);
    return this.text.charAt(this.#at);
  }

  #error(found: string): SyntaxError {
    return new SyntaxError(`${found} at character ${this.#at}`);
  }
}

const blanks = /[ \t\n\r]*/y;
const scalar = /null|true|false|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}
