// `simdnn train --report`: the page, and what is said of a path that will not do.
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, simdnn } from "./command.js";
import { writeStripes } from "./stripes.js";

const quick = "--examples 150 --epochs 2 --hidden 16 --batch-size 20";

test("writes one page with everything in it, and says so", async () => {
  const { code, stdout, stderr } = await simdnn(`train ${quick} --report new/report.html`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^report {4}new\/report\.html$/m);
  const page = await readFile(join(folder, "new/report.html"), "utf8");
  expect(page).toMatch(/^<!doctype html>/);
  const accuracy = /^test .* accuracy ([\d.]+ %) \((\d+) of (\d+)\)/m.exec(stdout)!;
  expect(page).toContain(`<dt>accuracy on test data</dt><dd>${accuracy[1]}</dd>`);
  expect(page).toContain(`${accuracy[2]} of ${accuracy[3]} examples are predicted right`);
  for (const label of ["Loss and accuracy", "Learning rate", "Gradient norms", "Activations"])
    expect(page).toContain(`aria-label="${label}. `);
  expect(page).toMatch(/dense2 +\[n, 10\] +170/); // the network
  for (const [option, value] of [
    ["dropout", "0.2"],
    ["optimizer", "adam"],
    ["learning rate", "0.001"],
    ["batch size", "20"],
    ["seed", "1"],
  ])
    // prettier-ignore
    expect(page).toContain(`<tr><td>${option}</td><td>${value}</td></tr>`);
  const epochs = /<details>.*?<tbody>(.*?)<\/tbody>/s.exec(page)![1]!.split("\n");
  const kept = /^kept {6}epoch (\d)/m.exec(stdout)![1];
  expect(epochs.map((row) => /<td>(.*?)<\/td>/.exec(row)![1])).toEqual(
    kept === "1" ? ["1, kept", "2"] : ["1", "2, kept"],
  );
  // Nothing comes from elsewhere.
  expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
    /https?:|<script|<link|<img|src=|@import|url\(/,
  );
  expect(await readdir(join(folder, "new"))).toEqual(["report.html"]);
});

test("watching for the report changes no bit of the model", async () => {
  await simdnn(`train ${quick} --quiet --output plain`);
  await simdnn(`train ${quick} --quiet --output watched --report watched.html`);
  expect((await readFile(join(folder, "watched"))).equals(await readFile(join(folder, "plain")))).toBe(true);
});

test("escapes what comes from outside, and has no dev data where none is held out", async () => {
  await writeStripes("<b>&amp;", { train: 24, test: 8 });
  const line = "train --data <b>&amp; --dev 0 --epochs 1 --hidden none --batch-size 8 --report escaped.html";
  expect((await simdnn(line)).code).toBe(0);
  const page = await readFile(join(folder, "escaped.html"), "utf8");
  expect(page).toContain("<h1>Training on &lt;b&gt;&amp;amp;</h1>");
  expect(page).not.toContain("<b>");
  expect(page).not.toContain("dev data</dt>");
  expect(page).toContain("24 to fit, 0 dev, 8 test; 4 classes");
});

test("an interrupted training has a report, too", async () => {
  const line = "train --examples 400 --epochs 100000 --hidden 16 --output stopped --report stopped.html";
  const { code } = await simdnn(line, /^ +2\/100000 /m);
  expect(code).toBe(130);
  const page = await readFile(join(folder, "stopped.html"), "utf8");
  expect(page).toMatch(/Interrupted after [\d,]+ whole epochs\./);
  expect(page).not.toContain("Mistakes on the test data");
});

test("refuses a path that cannot be written before it trains", async () => {
  await mkdir(join(folder, "directory"), { recursive: true });
  const refused = await simdnn(`train ${quick} --report directory --output unmade`);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toBe("");
  expect(refused.stderr).toBe(
    "simdnn: directory: expected a writable path, but it is a directory; name a file in it\n",
  );
  const same = await simdnn(`train ${quick} --report ./unmade --output unmade`);
  expect(same.stderr).toBe(
    "simdnn: ./unmade: expected a file of its own for the report, but the model is to be saved there; name another one\n",
  );
  expect(await readdir(folder)).not.toContain("unmade");
});
