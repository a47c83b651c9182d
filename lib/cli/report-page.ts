// The page that `simdnn train --report` writes: one HTML file that needs nothing else. What the terminal is told is train-report.ts.
import { classScores } from "../index.js";
import { info } from "../native.js";
import * as plot from "../plot.js";
import { escape } from "../plot/svg.js";
import { count, counted, loss, percent } from "./format.js";
import type { Settings, TrainResult } from "./train-report.js";

/** The page as text. */
export function reportPage(result: TrainResult, settings: Settings): string {
  const { model, data, best, test, epochLogs } = result;
  const heading = `Training on ${data.name}`;
  const examples = `${count(data.fitting.size)} to fit, ${count(data.dev?.size ?? 0)} dev, ${count(data.test.size)} test; ${data.classes} classes`;
  const ended = test ? "" : `<p class="warning">Interrupted after ${counted(epochLogs.length, "whole epoch")}.</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(heading)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escape(heading)}</h1>
<p>${escape(examples)}</p>
${ended}${keyFigures(result)}
${section("Curves", curves(result, best))}
${test ? section("Mistakes on the test data", mistakes(test.confusion)) : ""}
${section("Network", `<pre>${escape(model.summary())}</pre>`)}
${section("Options", table(["option", "value"], options(result, settings), 1))}
</body>
</html>
`;
}

const section = (heading: string, content: string): string => `<section>\n<h2>${heading}</h2>\n${content}\n</section>`;

const figure = (picture: plot.Plot): string => `<figure>${String(picture)}</figure>`;

/** @param texts - how many of the first columns hold words instead of numbers */
function table(heads: readonly string[], rows: readonly (readonly string[])[], texts: number): string {
  const cell = (tag: string, content: string, column: number): string =>
    `<${tag}${column < texts || heads.length === 2 ? "" : ' class="number"'}>${escape(content)}</${tag}>`;
  const row = (cells: readonly string[], tag: string): string => `<tr>${cells.map((content, i) => cell(tag, content, i)).join("")}</tr>`; // prettier-ignore
  return `<div class="wide"><table><thead>${row(heads, "th")}</thead><tbody>${rows.map((cells) => row(cells, "td")).join("\n")}</tbody></table></div>`;
}

function keyFigures({ test, best, epochLogs, epochs }: TrainResult): string {
  const last = epochLogs.at(-1);
  const figures = [
    ...(test ? [["accuracy on test data", percent(test.accuracy)], ["loss on test data", loss(test.loss)]] : []),
    ...(best === undefined ? [] : [["best accuracy on dev data", percent(epochLogs[best]!.valAccuracy!)], ["epoch that was kept", `${best + 1} of ${epochs}`]]),
    ...(best === undefined && last ? [["accuracy in the last epoch", percent(last.accuracy!)]] : []),
  ]; // prettier-ignore
  const written = figures.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl>${written.join("")}</dl>`;
}

function curves({ epochLogs }: TrainResult, best: number | undefined): string {
  const [first] = epochLogs;
  if (!first) return "<p>There was no whole epoch.</p>";
  const history = {
    curves: Object.fromEntries(Object.keys(first).map((name) => [name, epochLogs.map((logs) => logs[name]!)])),
  };
  const pictures = [
    plot.learningCurves(history, { title: "Loss and accuracy" }),
    plot.learningRate(history),
    plot.gradientNorms(history),
    plot.activationNorms(history),
  ];
  const names = Object.keys(first).filter((name) => !name.includes("."));
  const cell = (name: string, value: number): string =>
    name === "learningRate" ? String(value) : /accuracy/i.test(name) ? percent(value) : loss(value);
  const rows = epochLogs.map((logs, i) => [
    `${i + 1}${i === best ? ", kept" : ""}`,
    ...names.map((name) => cell(name, logs[name]!)),
  ]);
  const figures = pictures.map(figure).join("\n");
  return `${figures}\n<details><summary>All epochs as a table</summary>${table(["epoch", ...names], rows, 1)}</details>`;
}

function mistakes(confusion: readonly (readonly number[])[]): string {
  const rows = classScores(confusion).perClass.map(({ precision, recall, f1, support }, k) => [
    String(k),
    percent(precision, 1),
    percent(recall, 1),
    percent(f1, 1),
    count(support),
  ]);
  return `${figure(plot.confusionMatrix(confusion))}\n${table(["class", "precision", "recall", "F1", "examples"], rows, 1)}`;
}

function options({ model, data, output }: TrainResult, settings: Settings): (readonly string[])[] {
  const { hidden, dropout, epochs, batchSize, seed, threads } = settings;
  return [
    ["data", data.name],
    ["hidden layers", hidden.length === 0 ? "none" : hidden.join(", ")],
    ["dropout", String(dropout)],
    ["optimizer", model.optimizer.name],
    ["learning rate", String(model.optimizer.learningRate.item())],
    ["batch size", count(batchSize)],
    ["epochs", count(epochs)],
    ["seed", String(seed)],
    ["threads", String(threads)],
    ["instruction set", info.isa],
    ["model file", output],
  ];
}

const style = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--quiet:#57606a;--rule:#d8dee4;--warning:#9a3412}
@media (prefers-color-scheme:dark){:root{--paper:#15181d;--ink:#e8ecf1;--quiet:#a3adb8;--rule:#343b44;--warning:#ff9a5c}}
body{margin:2rem auto;padding:0 1.5rem;max-width:60rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif}
h1{font-size:1.7rem;margin:0}
h2{font-size:1.2rem;margin:2.5rem 0 .75rem;padding-bottom:.25rem;border-bottom:1px solid var(--rule)}
p{margin:.25rem 0;color:var(--quiet)}
.warning{color:var(--warning);font-weight:600}
dl{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;margin:1.5rem 0}
dt{color:var(--quiet);font-size:.9rem}
dd{margin:0;font-size:1.6rem;font-weight:600;font-variant-numeric:tabular-nums}
figure{margin:1rem 0}
figure svg{max-width:100%;height:auto}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem 1.25rem .25rem 0;text-align:left;border-bottom:1px solid var(--rule)}
th{color:var(--quiet);font-weight:600}
.number{text-align:right}
pre{overflow-x:auto;font:14px/1.5 ui-monospace,SFMono-Regular,Menlo,DejaVu Sans Mono,monospace}
summary{cursor:pointer;color:var(--quiet)}
@media print{section{break-inside:avoid}}
`;
