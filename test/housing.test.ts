// The example on house prices: in its quick form, on data that are no part of the project; CALIFORNIA_HOUSING says where they are.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const example = resolve(import.meta.dirname, "../examples/housing.mjs");
const data = process.env.CALIFORNIA_HOUSING ?? resolve(import.meta.dirname, "../../shared/data/california-housing.csv");

test.skipIf(!existsSync(data))(`runs on ${data} (skipped where there is no such file; see CALIFORNIA_HOUSING)`, () => {
  const output = execFileSync(process.execPath, [example, "--quick", data], { encoding: "utf8" });
  expect(output.match(/^trial \d done: dev RMSE \d+,\d{3}, /gm)?.length).toBe(4);
  const rmse = (what: string): number =>
    Number(new RegExp(`^${what}.*: test RMSE (\\d+),(\\d{3}) `, "m").exec(output)?.slice(1).join(""));
  // Between what trained networks reach and the deviation of prices, 115,000, to which one that knows nothing comes.
  for (const what of [
    "default network, mean",
    "2 default networks",
    "found network, mean",
    "2 found networks",
    "networks of the 2 best",
  ]) {
    expect(rmse(what)).toBeGreaterThan(45_000);
    expect(rmse(what)).toBeLessThan(90_000);
  }
});

test.each([[[]], [["no/such/file.csv"]]])("says what it needs when given %j", (given) => {
  const env = { ...process.env, CALIFORNIA_HOUSING: undefined };
  const { status, stderr } = spawnSync(process.execPath, [example, ...given], { env, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^Give the path of california-housing\.csv/);
});
