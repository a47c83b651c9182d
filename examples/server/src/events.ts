// What happens to trainings, as server-sent events. Nothing is kept for a listener: one that reads slowly is told later.
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import type { FastifyReply } from "fastify";
import type { State } from "./saved.js";
import type { Training } from "./training.js";
import type { Trainings } from "./trainings.js";

/** Answers with events until they end, or the client goes. */
export function sendEvents(reply: FastifyReply, events: (gone: AbortSignal) => AsyncGenerator<string>): void {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache", connection: "keep-alive" });
  raw.flushHeaders();
  const gone = new AbortController();
  raw.once("close", () => gone.abort());
  pipeline(Readable.from(events(gone.signal)), raw).catch(() => undefined);
}

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** Every epoch of one training, those that were first, and its end. */
export async function* eventsOf(training: Training, gone: AbortSignal): AsyncGenerator<string> {
  const { curve } = training;
  for (let sent = 0; ;) {
    const { count } = curve;
    if (sent < count) {
      for await (const progress of curve.read(sent, count)) yield event("epoch", progress);
      sent = count;
    } else if (training.ended) break;
    else await once(training, "change", { signal: gone });
  }
  yield event("end", { state: training.state, error: training.saved.error });
}

/** Epochs of a training that a picture needs. */
const drawn = 400;

/** All trainings in one stream, since a browser has six connections: each `model` and its state, its `epoch`s, of many some hundreds, and `gone`. */
export async function* eventsOfAll(trainings: Trainings, gone: AbortSignal): AsyncGenerator<string> {
  const told = new Map<Training, { state: State; sent: number }>();
  for (;;) {
    let quiet = true;
    for (const training of trainings.list()) {
      const { id } = training.saved;
      const { state, curve } = training;
      const { count } = curve; // all that belong to this state
      const { state: before, sent } = told.get(training) ?? { sent: 0 };
      if (before === state && sent === count) continue;
      quiet = false;
      told.set(training, { state, sent: count });
      if (before === undefined) yield event("model", training.view);
      for await (const progress of curve.read(sent, count, drawn)) yield event("epoch", { id, ...progress });
      if (before !== undefined && before !== state) yield event("model", training.view);
    }
    for (const training of told.keys())
      if (trainings.get(training.saved.id) !== training) {
        told.delete(training);
        yield event("gone", { id: training.saved.id });
      }
    if (quiet) await once(trainings, "change", { signal: gone });
    else await setTimeout(50, undefined, { signal: gone }); // nobody sees more
  }
}
