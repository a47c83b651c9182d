// The HTTP side: routes, limits and answers. Trainings are trainings.ts.
import { createWriteStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify, { type FastifyInstance } from "fastify";
import { Type } from "typebox";
import { readCsv } from "./csv.js";
import { HttpError, messageOf, statusOf } from "./errors.js";
import { eventsOf, eventsOfAll, sendEvents } from "./events.js";
import { Examples, IdParams, PredictBody, UploadQuery } from "./options.js";
import { rowsOf, tableOf } from "./table.js";
import type { Training } from "./training.js";
import { Trainings, type Limits } from "./trainings.js";
import { validate } from "./validate.js";

export interface AppOptions extends Partial<Limits> {
  /** Where trainings are kept. */
  readonly folder: string;
  /** Bytes of the largest upload. JSON, which is parsed in one go, may be an eighth of it. Default: 64 MiB. */
  readonly uploadLimit?: number;
  /** Milliseconds in which a request must have come. Default: two minutes. */
  readonly uploadTime?: number;
  readonly log?: boolean;
}

export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { folder, slots = 2, waiting = 8, threads = 1, models = 1000 } = options;
  const { uploadLimit = 64 << 20, uploadTime = 120_000, log = false } = options;
  const app = fastify({
    logger: log,
    bodyLimit: uploadLimit,
    requestTimeout: uploadTime,
    http: { requestTimeout: uploadTime, connectionsCheckingInterval: Math.ceil(uploadTime / 4) }, // looked at when the server is made
    forceCloseConnections: true,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(validate);
  app.addHook("preClose", () => trainings.close());
  const json = { parseAs: "string", bodyLimit: Math.ceil(uploadLimit / 8) } as const;
  app.addContentTypeParser("application/json", json, app.getDefaultJsonParser("error", "error"));
  // CSV goes to the disk as it comes; only JSON is parsed in memory.
  app.addContentTypeParser("text/csv", (_, payload, done) => done(null, payload));
  app.setErrorHandler((error, _, reply) => {
    const status = statusOf(error);
    if (status >= 500) app.log.error(error);
    if (status === 429 || status === 503) void reply.header("retry-after", "5");
    return reply.code(status).send({ error: messageOf(error) });
  });

  const trainings = new Trainings(folder, { slots, waiting, threads, models }, (error) => app.log.error(error));
  await trainings.open();
  const known = (id: string): Training => {
    const training = trainings.get(id);
    if (!training) throw new HttpError(404, `there is no model ${id}`);
    return training;
  };

  const upload = {
    schema: {
      querystring: UploadQuery,
      body: { content: { "application/json": { schema: Examples }, "text/csv": { schema: Type.Any() } } },
    },
    // Before the body is read: nobody uploads for nothing.
    onRequest: (_: unknown, __: unknown, done: () => void): void => {
      trainings.refuseWhenFull();
      done();
    },
  };
  app.post("/models", upload, async (request, reply) => {
    const { target, ...given } = request.query;
    const training = await trainings.add(async (own) => {
      if (request.body instanceof Readable) {
        if (target === undefined) throw new HttpError(400, "say with ?target= which column is to be predicted");
        const file = join(own, "data.csv");
        await pipeline(request.body, atMost(uploadLimit), createWriteStream(file, { flush: true }));
        await tableOf(readCsv(file, target), given); // what is wrong with the data is said at once
      } else {
        if (target !== undefined) throw new HttpError(400, "target names a column of a CSV file; JSON has its targets");
        const { inputs, targets } = request.body as Examples;
        await tableOf(rowsOf({ inputs, targets }), given);
        await writeFile(join(own, "data.json"), JSON.stringify({ inputs, targets }), { flush: true });
      }
      return { options: given, ...(target !== undefined && { target }) };
    });
    return reply.code(202).header("location", `/models/${training.saved.id}`).send(training.view);
  });

  const ofOne = { schema: { params: IdParams } };
  app.get("/models", () => trainings.list().map(({ view }) => view));
  app.get("/events", (_, reply) => sendEvents(reply, (gone) => eventsOfAll(trainings, gone)));
  app.get("/models/:id", ofOne, ({ params }) => known(params.id).view);
  app.get("/models/:id/events", ofOne, ({ params }, reply) => {
    const training = known(params.id);
    sendEvents(reply, (gone) => eventsOf(training, gone));
  });

  app.post("/models/:id/predict", { schema: { params: IdParams, body: PredictBody } }, async ({ params, body }) => {
    const training = known(params.id);
    if (!training.canPredict)
      throw new HttpError(409, `model ${params.id} is ${training.state}; it cannot predict yet`);
    return training.predict(body.inputs);
  });

  app.delete("/models/:id", ofOne, async ({ params }, reply) => {
    await trainings.remove(known(params.id));
    return reply.code(204).send();
  });

  const page = await readFile(new URL("../page.html", import.meta.url));
  app.get("/", (_, reply) => reply.type("text/html; charset=utf-8").send(page));
  return app;
}

function atMost(limit: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      if (bytes > limit) done(new HttpError(413, `the file is larger than ${limit} bytes`));
      else done(null, chunk);
    },
  });
}
