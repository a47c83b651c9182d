// The strict parser against JSON.parse, and where it is stricter.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Json, parseStrictJson } from "#lib/data/strict-json.js";

/** The same value with objects in place of Maps. */
function plain(value: Json): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

describe("parseStrictJson", () => {
  test("agrees with JSON.parse on every value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t\r\n "), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(plain(parseStrictJson(text, 20))).toEqual(JSON.parse(text));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  test("refuses what JSON.parse refuses", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      '"',
      ",",
      ":",
      "\\",
      "u0019",
      "-",
      "+",
      ".",
      "e",
      "1",
      "0",
      " ",
      "t",
      "\n",
      "null",
      "true",
      '"a"',
      "\u0001",
      "\u00a0",
    ];
    const characters = fc.constantFrom(...pieces);
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        const accepted = (parse: () => unknown): boolean => {
          try {
            parse();
            return true;
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxError);
            return (error as Error).message.includes("second time");
          }
        };
        expect(accepted(() => parseStrictJson(text, 20))).toBe(accepted(() => JSON.parse(text)));
      }),
      { seed: 1, numRuns: 5_000 },
    );
  });

  test.each(['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"x":{"":1,"":1}}'])("refuses the repeated key in %s", (text) => {
    expect(() => parseStrictJson(text, 9)).toThrow(/the key ".?" a second time/);
  });

  test("refuses to go deeper than it is told", () => {
    expect(parseStrictJson("[[1]]", 2)).toEqual([[1]]);
    expect(() => parseStrictJson("[[1]]", 1)).toThrow(SyntaxError);
    expect(() => parseStrictJson('{"a":[]}', 1)).toThrow(SyntaxError);
  });

  test("reads strings of megabytes and of many escapes", () => {
    const text = '\\"'.repeat(500_000) + "\\".repeat(500_000);
    expect(parseStrictJson(JSON.stringify(text), 0)).toBe(text);
  });
});
