// A peer's side of the conversation with conversation.ts, as peer.py is in Python; knows no library.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import type { Prepared } from "../suite.js";
import type { Sampler } from "../timing.js";
import type { Brief } from "./briefs.js";

export const threads = Number(process.env.PEER_THREADS ?? 1);
export const suite = process.argv[2] ?? "";
const epochs = 2; // before the loss is read, as in step.ts
const sampleSeconds = 0.01;

/** Answers until the input ends. */
export async function serve<Case>(version: string, prepare: (one: Case) => Promise<Prepared>): Promise<void> {
  const answer = (fields: object): boolean => process.stdout.write(`${JSON.stringify(fields)}\n`);
  console.log = console.error; // what libraries print is no answer
  answer({ version });
  let sample: Sampler | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as { prepare: Case } | { sample: number };
    try {
      if ("prepare" in request) {
        sample = undefined; // frees the case before
        const prepared = await prepare(request.prepare);
        sample = prepared.sample;
        answer({ residual: prepared.residual });
      } else if (sample) answer({ samples: await samples(sample, request.sample) });
    } catch (error) {
      answer({ error: String(error).slice(0, 400) }); // one case that fails leaves the others
    }
  }
}

/** At least one, after a first that warms up. */
async function samples(sample: Sampler, budget: number): Promise<number[]> {
  const taken: number[] = [];
  const end = performance.now() + 1000 * budget;
  while (taken.length < 2 || performance.now() < end) taken.push(await sample());
  return taken.slice(1);
}

/** Of `train(first, count)`, which takes steps and returns the sum of their losses. */
export async function training(
  { steps }: Brief,
  train: (first: number, count: number) => number | Promise<number>,
): Promise<Prepared> {
  let [loss, seconds] = [0, 0];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const start = performance.now();
    loss = (await train(0, steps)) / steps;
    seconds = (performance.now() - start) / 1000 / steps;
  }
  const count = Math.max(1, Math.min(steps, Math.round(sampleSeconds / seconds)));
  let position = 0;
  const sample = async (): Promise<number> => {
    if (position + count > steps) position = 0;
    const start = performance.now();
    await train(position, count);
    position += count;
    return (performance.now() - start) / 1000 / count;
  };
  return { sample, residual: loss };
}

/** Of `predict(images)`, which returns probabilities. */
export async function prediction(
  brief: Brief,
  predict: (images: Float32Array) => Promise<Float32Array>,
): Promise<Prepared> {
  const images = load(brief, "images");
  const expected = load(brief, "expected");
  const found = await predict(images);
  const difference = Math.max(...expected.map((value, i) => Math.abs(value - found[i]!)));
  const sample = async (): Promise<number> => {
    const start = performance.now();
    await predict(images);
    return (performance.now() - start) / 1000;
  };
  return { sample, residual: difference / Math.max(...expected) };
}

/** Inputs and labels, one array of each per step. */
export function batches(brief: Brief): { inputs: Float32Array[]; labels: Int32Array[] } {
  const [inputs, labels] = [load(brief, "inputs"), new Int32Array(load(brief, "labels").buffer)];
  const each = <T>(cut: (step: number) => T): T[] => Array.from({ length: brief.steps }, (_, step) => cut(step));
  const [rows, width] = [brief.batch, brief.batch * brief.widths[0]!];
  return {
    inputs: each((step) => inputs.slice(step * width, (step + 1) * width)),
    labels: each((step) => labels.slice(step * rows, (step + 1) * rows)),
  };
}

/** The initial weights of dense layer `layer`, counted from 1: `[widths[layer - 1], widths[layer]]`. */
export function weight(brief: Brief, layer: number): Float32Array {
  return load(brief, `weight${layer}`);
}

function load({ directory }: Brief, name: string): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(join(directory, name))).buffer);
}
