// The log of a search: what is in it, going on from it after any cut, and files that are none.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { space, tune, type Trial, type TuneResult } from "simdnn";
import { failure } from "../failure.js";
import { root } from "../docs/snippets.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdnn-tune-"));
});
afterAll(() => rm(folder, { recursive: true }));

const plane = { x: space.linear(0, 1), kind: space.choice(["a", "b"]) };
type Plane = { readonly x: number; readonly kind: "a" | "b" };
const rated = async ({ x, kind }: Plane, { index, report }: Trial): Promise<number> => {
  if (index === 4) throw new Error("four");
  for (let step = 1; step <= 9; step++) await report(step, x / step);
  return kind === "a" ? x : 1 + x;
};
const told = ({ trials }: TuneResult<Plane>): unknown =>
  trials.map(({ index, config, seed, status, score, reports, error }) => ({ index, config, seed, status, score, reports, error })); // prettier-ignore

describe.each(["random", "coarseToFine", "halving"] as const)("%s", (strategy) => {
  const options = { strategy, trials: 12, seed: 7 };

  test("goes on from any cut of its log and finds the same, without running again what has ended", async () => {
    const path = join(folder, `${strategy}.jsonl`);
    const whole = told(await tune(plane, rated, { ...options, parallel: 3, log: path }));
    const text = await readFile(path, "utf8");
    const cut = join(folder, `${strategy} cut.jsonl`);
    for (let length = 0; length <= text.length; length += 97) {
      await writeFile(cut, text.slice(0, length));
      const ended = new Set([...text.slice(0, length).matchAll(/^\{"trial":\{"index":(\d+).*\n/gm)].map(([, index]) => Number(index))); // prettier-ignore
      const begun: number[] = [];
      const counted = (config: Plane, trial: Trial): Promise<number> => {
        begun.push(trial.index);
        return rated(config, trial);
      };
      expect(told(await tune(plane, counted, { ...options, parallel: 2, log: cut }))).toEqual(whole);
      expect(begun.filter((index) => ended.has(index))).toEqual([]);
      expect(begun.length + ended.size).toBe(12);
      for (const line of (await readFile(cut, "utf8")).split("\n").slice(0, -1)) JSON.parse(line);
    }
  });
});

test("takes the seed from the log, tells of what is in it, and counts attempts", async () => {
  const path = join(folder, "new", "folder", "search.jsonl");
  const first = await tune(plane, rated, { trials: 6, log: path });
  const text = await readFile(path, "utf8");
  expect(JSON.parse(text.split("\n")[0]!)).toEqual({
    search: { version: 1, space: { x: { type: "linear", low: 0, high: 1 }, kind: { type: "choice", values: ["a", "b"] } }, strategy: "random", mode: "min", seed: first.seed, trials: 6 }, // prettier-ignore
  });
  // Trial 5 had begun when the process ended.
  await writeFile(path, text.slice(0, text.indexOf('{"trial":{"index":5')));
  const heard: number[] = [];
  const again = await tune(plane, rated, { trials: 8, log: path, onTrial: ({ index }) => void heard.push(index) });
  expect(again.seed).toBe(first.seed);
  expect(heard.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(again.trials.filter(({ index }) => index < 6).map(({ index, config, score }) => [index, config, score])).toEqual(first.trials.map(({ index, config, score }) => [index, config, score])); // prettier-ignore
  expect(again.trials.filter(({ attempts }) => attempts > 1).map(({ index, attempts }) => [index, attempts])).toEqual([[5, 2]]); // prettier-ignore
  expect(String(first)).toMatch(/^trial +status +score +x/);
  expect(String(again)).toMatch(/^trial +status +attempts +score +x/);
  expect(String(again)).toMatch(/^5 +done +2 /m);
});

test("an aborted search goes on", async () => {
  const path = join(folder, "aborted.jsonl");
  const controller = new AbortController();
  const stopping = (config: Plane, trial: Trial): Promise<number> => {
    if (trial.index === 3) controller.abort("enough");
    return rated(config, trial);
  };
  await expect(tune(plane, stopping, { trials: 6, seed: 7, log: path, signal: controller.signal })).rejects.toBe("enough"); // prettier-ignore
  expect(await readFile(path, "utf8")).toMatch(/"index":3.*"status":"aborted"/);
  const { trials } = await tune(plane, rated, { trials: 6, seed: 7, log: path });
  expect(trials.find(({ index }) => index === 3)).toMatchObject({ status: "done", attempts: 2 });
  expect(trials.length).toBe(6);
});

test("a killed process loses nothing that had ended", async () => {
  const path = join(folder, "killed.jsonl");
  const script = join(folder, "killed.mjs");
  const library = pathToFileURL(join(root, "dist/index.js")).href;
  await writeFile(
    script,
    `import { space, tune } from ${JSON.stringify(library)};
     const { trials } = await tune({ x: space.linear(0, 1) }, async ({ x }, { index }) => {
       if (index === 5 && process.argv[2] === "die") process.kill(process.pid, "SIGKILL");
       return x;
     }, { trials: 9, seed: 1, log: ${JSON.stringify(path)} });
     console.log(JSON.stringify(trials.map(({ index, attempts }) => [index, attempts]).sort()));`,
  );
  const [, signal] = (await once(spawn(process.execPath, [script, "die"]), "exit")) as [number, string];
  expect(signal).toBe("SIGKILL");
  expect((await readFile(path, "utf8")).match(/"trial"/g)?.length).toBe(5);
  const output = execFileSync(process.execPath, [script], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8].map((index) => [index, index === 5 ? 2 : 1]));
});

test("one search at a time writes to a log, by whatever name", async () => {
  const path = join(folder, "shared.jsonl");
  const alias = join(folder, "alias.jsonl");
  await writeFile(path, "");
  await symlink(path, alias);
  const run = (log: string, objective = rated): Promise<unknown> => tune(plane, objective, { trials: 2, seed: 1, log });
  await run(path, async (config, trial) => {
    if (trial.index === 1) {
      const refused = failure("FileError", /alias\.jsonl: expected a file that nobody else writes, but this process does; wait until it has ended, or choose another file/); // prettier-ignore
      await expect(run(alias)).rejects.toThrow(refused);
    }
    return rated(config, trial);
  });
  await run(alias);
  expect((await readdir(folder)).filter((name) => name.endsWith(".lock"))).toEqual([]);
});

describe("refuses", () => {
  const search = (path: string, given: object = plane, options: object = {}): Promise<unknown> =>
    tune(given as typeof plane, rated, { trials: 3, seed: 1, log: path, ...options });

  test.each<[string, object, object, RegExp]>([
    ["another scale", { ...plane, x: space.log(0.1, 1) }, {}, /whose space is \{"x":\{"type":"log","low":0\.1,"high":1\}\}, but it is of one whose space is \{"x":\{"type":"linear","low":0,"high":1\}\}; log to another file/], // prettier-ignore
    ["another name", { kind: plane.kind }, {}, /whose space is \{\}, but .* whose space is \{"x"/],
    ["another seed", plane, { seed: 2 }, /whose seed is 2, but it is of one whose seed is 1;/],
    ["another mode", plane, { mode: "max" }, /whose mode is "max"/],
    ["another strategy", plane, { strategy: "halving" }, /whose strategy is "halving"/],
  ])("a log of a search with %s", async (_, given, options, message) => {
    const path = join(folder, "other.jsonl");
    await rm(path, { force: true });
    await search(path);
    const before = await readFile(path, "utf8");
    await expect(search(path, given, options)).rejects.toThrow(failure("FileError", message));
    expect(await readFile(path, "utf8")).toBe(before);
  });

  test("other trials of a strategy in which they depend on their number", async () => {
    const path = join(folder, "number.jsonl");
    await search(path, plane, { strategy: "coarseToFine" });
    await expect(search(path, plane, { strategy: "coarseToFine", trials: 4 })).rejects.toThrow(failure("FileError", /whose trials is 4, but/)); // prettier-ignore
  });

  test.each<[string, string, RegExp]>([
    ["a table", "a,b\n1,2\n3,", /line 1 is none; log to another file/],
    ["a text without an end", "Dear Sir or Madam", /line 1 is none/],
    ["a log with a damaged line", "cut", /line 3 is none/],
    ["a log with a line of another kind", "other", /line 2 is none/],
  ])("%s, and leaves it alone", async (_, content, message) => {
    const path = join(folder, "damaged.jsonl");
    await rm(path, { force: true });
    await search(path);
    const lines = (await readFile(path, "utf8")).split("\n");
    const damaged = { cut: lines.with(2, lines[2]!.slice(5)), other: lines.with(1, '{"trial":{"index":0}}') }[content]?.join("\n") ?? content; // prettier-ignore
    await writeFile(path, damaged);
    await expect(search(path)).rejects.toThrow(failure("FileError", message));
    expect(await readFile(path, "utf8")).toBe(damaged);
  });

  test("a folder", async () => {
    await expect(search(folder)).rejects.toThrow(failure("FileError", /a writable path, but it is a directory/));
  });
});
