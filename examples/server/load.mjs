// Puts load on a server of its own: predictions alone, then beside four trainings, and prints what clients wait. `npm run load`
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildApp } from "./dist/app.js";

const inputs = Array.from({ length: 4000 }, (_, i) =>
  Array.from({ length: 64 }, (_, j) => ((i * 37 + j * 61) % 100) / 100),
);
const targets = inputs.map((row) => (row[0] > row[1] ? "right" : "left"));

const folder = await mkdtemp(join(tmpdir(), "simdnn-load-"));
const app = await buildApp({ folder, slots: 4, threads: 1 });
const base = await app.listen({ port: 0 });
const post = async (path, body) =>
  (
    await fetch(base + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })
  ).json();

const served = await post("/models?epochs=5&hidden=64", { inputs, targets });
await (await fetch(`${base}/models/${served.id}/events`)).text();

const measure = async (name, seconds = 10) => {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // A process of its own, so that what is measured is the server's event loop and not the clients'.
  const { stdout } = await promisify(execFile)(process.execPath, [
    fileURLToPath(import.meta.resolve("autocannon")),
    ...[
      "--json",
      "--method",
      "POST",
      "--headers",
      "content-type: application/json",
      "--body",
      JSON.stringify({ inputs: inputs.slice(0, 1) }),
    ],
    ...[
      "--connections",
      "4",
      "--overallRate",
      "200",
      "--duration",
      String(seconds),
      `${base}/models/${served.id}/predict`,
    ],
  ]);
  const { latency, non2xx: refused, requests } = JSON.parse(stdout);
  delay.disable();
  const loop = (delay.percentile(99) / 1e6 - 1).toFixed(1); // the histogram contains the timer's own millisecond
  console.log(
    `${name.padEnd(22)} ${requests.total} predictions, ${refused} failed; ms: p50 ${latency.p50}, p99 ${latency.p99}, most ${latency.max}; event loop p99 ${loop}`,
  );
};

await measure("idle");
const trainings = await Promise.all(
  [1, 2, 3, 4].map((seed) =>
    post(`/models?epochs=100000&hidden=512,256&batchSize=128&seed=${seed}`, { inputs, targets }),
  ),
);
await setTimeout(1000);
await measure("beside four trainings");
for (const { id } of trainings)
  console.log(`  ${id}: ${(await (await fetch(`${base}/models/${id}`)).json()).epochs} epochs`);
await app.close();
await rm(folder, { recursive: true });
