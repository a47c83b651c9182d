// Every script of examples/ runs, against the compiled library, in a folder of its own, and shows what it is there to show.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const examples = resolve(import.meta.dirname, "../examples");

/** What an example printed. */
class Output {
  constructor(readonly text: string) {}

  /** The number behind `name` in the line that begins with `line`. */
  number(line: string, name: string): number {
    const found = this.text.split("\n").find((each) => each.startsWith(line));
    expect(found, `${line} in\n${this.text}`).toBeDefined();
    const number = new RegExp(`${name} =? ?(-?[\\d.]+(?:e[+-]\\d+)?)`).exec(found!);
    expect(number, `${name} in ${found}`).not.toBeNull();
    return Number(number![1]);
  }
}

interface Expected {
  /** What it is given: for most a seed, and then two of them, so that no outcome is luck. */
  readonly runs: readonly string[];
  readonly check: (output: Output) => void;
}

const expected: Readonly<Record<string, Expected>> = {
  "batch-norm.mjs": {
    runs: ["1", "2"],
    check(output) {
      expect(output.number("without", "first to last layer")).toBeLessThan(1e-3); // vanished
      expect(output.number("with ", "first to last layer")).toBeGreaterThan(0.01);
      expect(output.number("with ", "train cost")).toBeLessThan(output.number("without", "train cost") / 2);
      expect(output.number("with ", "test accuracy")).toBeGreaterThan(output.number("without", "test accuracy") + 0.15);
    },
  },
  "custom-layer.mjs": { runs: ["1"], check: ({ text }) => expect(text).toMatch(/^in its hole -?\d\.\d+$/m) },
  "custom-loop.mjs": {
    runs: ["1"],
    check: ({ text }) => expect(text).toMatch(/^epoch 1: loss \d\.\d{4}, test accuracy 0\.\d{3}$/m),
  },
  "digits.mjs": { runs: ["1"], check: ({ text }) => expect(text).toMatch(/^true {6}(\d ){7}\d$/m) },
  "gradient-check.mjs": {
    runs: ["1", "2"],
    check({ text }) {
      const lines = text.trimEnd().split("\n");
      expect(lines[0]).toMatch(/^with two bugs: wrong, figure /);
      expect(lines.slice(1, 3)).toEqual([
        "  b1 is wrong; its gradient is 4.00 times the slope",
        "  W2 is wrong; its gradient is 2.00 times the slope",
      ]);
      expect(lines[3]).toMatch(/^with no bug: great, figure \d\.\de-(0?[89]|1\d)$/);
      expect(lines).toHaveLength(4);
    },
  },
  "initialization.mjs": {
    runs: ["1", "2"],
    check(output) {
      expect(output.number("zeros", "cost")).toBeCloseTo(Math.LN2, 3);
      expect(output.number("zeros", "->")).toBeCloseTo(Math.LN2, 2);
      expect(output.number("zeros", "test accuracy")).toBeCloseTo(0.5, 1);
      expect(output.number("large", "cost")).toBeGreaterThan(20);
      expect(output.number("he", "cost")).toBeLessThan(2);
      expect(output.number("he", "test accuracy")).toBeGreaterThan(0.9);
      expect(output.number("he", "->")).toBeLessThan(output.number("large", "->") / 2);
    },
  },
  "minimize.mjs": {
    runs: [""],
    check(output) {
      // w ← w - α (2w - 10): w_t = 5 (1 - 0.98^t)
      expect(output.number("after 1 step", "w")).toBeCloseTo(0.1, 6);
      expect(output.number("after 1000 steps", "w")).toBeCloseTo(5, 4);
      expect(output.number("coefficients 1 -10 25", "v")).toBeCloseTo(5, 4);
      expect(output.number("coefficients 1 -20 100", "v")).toBeCloseTo(10, 4);
    },
  },
  "optimizers.mjs": {
    runs: ["1", "2"],
    check(output) {
      const cost = (name: string): number => output.number(name, "train cost");
      expect(cost("batch descent")).toBeGreaterThan(1.5 * cost("mini-batches"));
      expect(Math.abs(cost("momentum") / cost("mini-batches") - 1)).toBeLessThan(0.1); // damped, at this small rate
      expect(cost("adam")).toBeLessThan(cost("momentum") / 2);
      expect(output.number("adam", "test accuracy")).toBeGreaterThan(0.93);
    },
  },
  "plots.mjs": {
    runs: ["pictures"],
    check({ text }) {
      expect(text).toMatch(
        /^Learning curves\. .*\nGradient norms\. .*\nDecision boundary: \d+ of 180 examples are on the right side\n/,
      );
      expect(text).toMatch(/^Search: 30 trials\. Best dev loss 0\.\d+: learningRate /m);
    },
  },
  "regularization.mjs": {
    runs: ["1", "2"],
    check(output) {
      expect(output.number("none", "train accuracy")).toBeGreaterThan(0.95); // wrong labels and all
      for (const name of ["l2", "dropout"]) {
        expect(output.number(name, "train accuracy")).toBeLessThan(output.number("none", "train accuracy"));
        expect(output.number(name, "test accuracy")).toBeGreaterThan(output.number("none", "test accuracy"));
        expect(output.number(name, "test cost")).toBeLessThan(output.number("none", "test cost") / 2);
      }
    },
  },
  "softmax.mjs": {
    runs: ["1"],
    check(output) {
      expect(output.number("before training", "test accuracy")).toBeLessThan(0.3);
      expect(output.number("after training", "test accuracy")).toBeGreaterThan(0.8);
      expect(output.number("true digit", "sum")).toBeCloseTo(1, 4);
    },
  },
  "three-layers.mjs": {
    runs: ["1"],
    check(output) {
      expect(output.number("epoch 10:", "cost")).toBeLessThan(output.number("epoch 1:", "cost") / 5);
      expect(output.number("train accuracy", "train accuracy")).toBeGreaterThan(0.98);
      expect(output.number("train accuracy", "test accuracy")).toBeGreaterThan(0.93);
    },
  },
};

test("every example has its outcome here", () => {
  const withData = ["housing.mjs"]; // housing.test.ts
  const scripts = readdirSync(examples).filter((name) => name.endsWith(".mjs")); // server/ has tests of its own
  expect(scripts.sort()).toEqual([...Object.keys(expected), ...withData].sort());
});

const all = Object.entries(expected).flatMap(([name, { runs, check }]) =>
  runs.map((given) => ({ name, given, check })),
);

test.each(all)("$name $given", ({ name, given, check }) => {
  const folder = mkdtempSync(join(tmpdir(), "simdnn example "));
  try {
    const line = [join(examples, name), ...given.split(" ").filter(Boolean)];
    check(new Output(execFileSync(process.execPath, line, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })));
  } finally {
    rmSync(folder, { recursive: true });
  }
}); // prettier-ignore
