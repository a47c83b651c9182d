// The examples in the documentation of ops: they run, and give what the comments behind them say.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { capture } from "#lib/capture.js";
import * as ops from "#lib/ops/index.js";
import { parameter, tensor } from "#lib/tensor.js";

const folder = new URL("../../lib/ops/", import.meta.url);
const scope = { ...ops, capture, parameter, tensor };

/** `add(a, b).data(); // [1, 2]`: an expression and what it gives. */
const claim = /^(?!const )(.+);\s*\/\/ (.+)$/;

/** Numbers that are cut off end in "…" and hold up to their last digit; float32 cuts the others off after seven. */
function expectNumbers(actual: unknown, said: string): void {
  const numbers = [...said.matchAll(/-?[\d.]+…?/g)].map(([text]) => text);
  const values = typeof actual === "number" ? [actual] : Array.from(actual as ArrayLike<number>);
  expect(values.length).toBe(numbers.length);
  numbers.forEach((text, i) => {
    const digits = text.endsWith("…") ? text.replace("…", "").split(".")[1]!.length : 6;
    expect(Math.abs(values[i]! - parseFloat(text)), said).toBeLessThanOrEqual(10 ** -digits);
  });
}

function run(code: string): number {
  let claims = 0;
  const check = (compute: () => unknown, said: string): void => {
    claims++;
    const error = /^\w+Error: /.test(said);
    if (error) expect(compute).toThrow(said.replace(/^\w+: /, ""));
    else if (/^[[\d-]/.test(said)) expectNumbers(compute(), /^\[.*?\]|^-?[\d.]+…?/.exec(said)![0]);
    else compute();
  };
  const body = code.split("\n").map((line) => line.replace(claim, (_, expression: string, said: string) => `check(() => ${expression}, ${JSON.stringify(said)});`)); // prettier-ignore
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- the library's own documentation
  new Function("check", ...Object.keys(scope), body.join("\n"))(check, ...Object.values(scope));
  return claims;
}

describe.each(readdirSync(folder))("%s", (file) => {
  const source = readFileSync(new URL(file, folder), "utf8");
  const examples = [...source.matchAll(/@example\n \* ```ts\n([^]*?) \* ```/g)].map(([, code]) => code!.replace(/^ \* /gm, "")); // prettier-ignore
  const functions = [...source.matchAll(/^ \*\/\nexport function (\w+)/gm)].map(([, name]) => name!);

  test("each documented function has an example, which holds", () => {
    expect(examples.length).toBe(functions.length);
    for (const example of examples) expect(run(example), example).toBeGreaterThan(0);
  });
});
