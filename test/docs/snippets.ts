// Finds the pieces of code in documentation and runs them the way a reader would. Not a test.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import ts from "typescript";
import { expect } from "vitest";
import * as kernels from "#lib/kernels.js";
import * as simdnn from "#lib/index.js";
import * as plot from "#lib/plot.js";

export const root = resolve(import.meta.dirname, "../..").replaceAll("\\", "/");

/** What a snippet may import. */
const modules: Readonly<Record<string, object>> = { simdnn, "simdnn/kernels": kernels, "simdnn/plot": plot };

/** The `@example` blocks of a source file. */
export function examplesIn(source: string): string[] {
  const blocks = source.matchAll(/^( *)\* @example\n\1\* ```ts\n([^]*?)^\1\* ```/gm);
  return [...blocks].map(([, indent, code]) => code!.replaceAll(new RegExp(`^${indent}\\* ?`, "gm"), ""));
}

/** The blocks of a Markdown file that are fenced as `language`. */
export function blocksIn(file: string, language: string): string[] {
  const blocks = readFileSync(file, "utf8").matchAll(/^```(\w+)\n([^]*?)^```$/gm);
  return [...blocks].filter(([, fence]) => fence === language).map(([, , code]) => code!);
}

/** `add(a, b).data(); // [1, 2]`: an expression and what it gives. Indented lines are parts of something else. */
const claim = /^(?!const |let |import |for |if |throw )([^\s}].*);\s*\/\/ (.+)$/gm;

/**
 * Runs TypeScript that may `import` from simdnn and `await`, and checks what the comments behind expressions say they give.
 *
 * @param scope - names that are there without being imported
 * @returns the number of expressions that were checked
 */
export async function runSnippet(code: string, scope: Readonly<Record<string, unknown>> = {}): Promise<number> {
  let claims = 0;
  const check = async (compute: () => unknown, said: string): Promise<void> => {
    if (/^\w+Error: /.test(said))
      await expect(Promise.resolve().then(compute)).rejects.toThrow(said.replace(/^\w+: /, ""));
    else if (said.startsWith('"')) expect(await compute()).toBe(JSON.parse(/^"[^"]*"/.exec(said)![0]));
    else if (/^[[\d-]/.test(said)) expectNumbers(await compute(), /^\[.*?\]|^-?[\d.]+…?/.exec(said)![0]);
    else await compute();
    claims++;
  };
  const checked = code.replace(claim, (_, expression: string, said: string) => `await check(async () => ${expression}, ${JSON.stringify(said)});`); // prettier-ignore
  const { outputText } = ts.transpileModule(checked, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 },
  });
  const given = { ...scope, check, exports: {}, require: (name: string) => modules[name] };
  // The braces let a snippet declare a name that it was given.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the library's own documentation
  const run = new Function(...Object.keys(given), `return (async () => {\n${outputText}\n})();`) as (...values: unknown[]) => Promise<void>; // prettier-ignore
  await run(...Object.values(given));
  return claims;
}

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

/** What a strict compiler says about snippets that stand for themselves, by file name. */
export function compileErrors(snippets: Readonly<Record<string, string>>): string[] {
  const { config } = ts.readConfigFile(`${root}/tsconfig.json`, (name) => ts.sys.readFile(name)) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const files = new Map(Object.entries(snippets).map(([name, code]) => [`${root}/${name}.ts`, `${code}\nexport {};`]));
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    getCurrentDirectory: () => root,
    fileExists: (name) => files.has(name) || disk.fileExists(name),
    readFile: (name) => files.get(name) ?? disk.readFile(name),
    getSourceFile: (name, target, ...rest) => {
      const code = files.get(name);
      return code === undefined ? disk.getSourceFile(name, target, ...rest) : ts.createSourceFile(name, code, target);
    },
  };
  const program = ts.createProgram([...files.keys()], { ...options, noUnusedLocals: false }, host);
  return [...files.keys()]
    .map((name) => program.getSourceFile(name))
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
}
