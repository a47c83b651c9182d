// Clients of the example server that mean no good, or are cut off: each gets its answer, and the others theirs.
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { FastifyInstance } from "fastify";
import { setMemoryLimit } from "simdnn";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildApp, type AppOptions } from "../../examples/server/src/app.js";
import { Client, csv, examples, kept } from "./client.js";

let folder: string;
let app: FastifyInstance | undefined;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "simdnn-abuse-"))));
afterEach(async () => {
  await app?.close();
  rmSync(folder, { recursive: true, force: true });
});

const port = (): number => (app!.server.address() as AddressInfo).port;
async function start(options: Partial<AppOptions> = {}): Promise<Client> {
  app = await buildApp({ folder, ...options });
  await app.listen({ port: 0, host: "127.0.0.1" });
  return new Client(`http://127.0.0.1:${port()}`);
}

const forever = "?epochs=100000";
const defaults = { task: "classification", hidden: "32", batchSize: 32, learningRate: 0.001, seed: 1 };
const none = "00000000-0000-0000-0000-000000000000";

/** Sends `text` and no more. */
function halfSent(text: string): { socket: Socket; closed: Promise<string> } {
  const socket = connect(port(), "127.0.0.1", () => socket.write(text));
  let answer = "";
  const closed = new Promise<string>((resolve) => {
    socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
    socket.on("error", () => undefined).on("close", () => resolve(answer));
  });
  return { socket, closed };
}

const head = (type: string, length: number): string =>
  `POST /models?target=side HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`;

test("uploads that never end are ended, and leave nothing", async () => {
  const client = await start({ uploadTime: 400 });
  const bodies = [
    "",
    head("text/csv", 1e6),
    `${head("text/csv", 1e6)}x,y,side\n1,2,`,
    `${head("application/json", 1e5)}{"inputs":[[1`,
  ];
  const open = bodies.flatMap((text) => [halfSent(text), halfSent(text)]);
  const given = halfSent(`${head("text/csv", 1e6)}x,y,side\n1,2,`);
  await sleep(50);
  given.socket.destroy(); // in the middle
  expect(await (await client.send("GET", "/models")).json()).toEqual([]);
  for (const { closed } of open.slice(2)) expect(await closed).toMatch(/^HTTP\/1.1 4\d\d /);
  for (const { socket } of open) socket.destroy();
  await expect.poll(() => kept(folder)).toEqual([]);
  const { id } = await client.train("?epochs=1");
  expect((await client.events(id)).at(-1)!.data.state).toBe("done");
});

test("who listens to a training that waits hears that it was deleted, and two may delete it", async () => {
  const client = await start({ slots: 1 });
  const running = await client.train(forever);
  const waiting = await client.train(forever);
  const listening = client.events(waiting.id);
  await sleep(20);
  const deleted = await Promise.all([1, 2].map(() => client.send("DELETE", `/models/${waiting.id}`)));
  expect(deleted.map(({ status }) => status).every((status) => status === 204 || status === 404)).toBe(true);
  expect((await listening).at(-1)!.data.state).toBe("cancelled");
  const both = await Promise.all([1, 2].map(() => client.send("DELETE", `/models/${running.id}`)));
  expect(both.every(({ ok, status }) => ok || status === 404)).toBe(true);
  expect(kept(folder)).toEqual([]);
});

test("hundreds who listen and go are gone", async () => {
  const client = await start({ slots: 1 });
  const [running, waiting] = [await client.train(forever), await client.train(forever)];
  for (const { id } of [running, waiting])
    for (let round = 0; round < 5; round++)
      await Promise.all(
        Array.from({ length: 40 }, async () => {
          const { socket, closed } = halfSent(`GET /models/${id}/events HTTP/1.1\r\nhost: x\r\n\r\n`);
          await once(socket, "data");
          socket.destroy();
          await closed;
        }),
      );
  const count = promisify(app!.server.getConnections.bind(app!.server));
  await expect.poll(count, { timeout: 30_000 }).toBeLessThan(5); // those of the client
});

test.each(["..%2f..%2fetc", `${none}%00`, "__proto__", "constructor", `${none}/../${none}`])(
  "the id %s is none",
  async (id) => {
    const client = await start();
    writeFileSync(join(folder, "bystander"), "");
    for (const [method, path] of [["GET", ""], ["DELETE", ""], ["GET", "/events"], ["POST", "/predict"]] as const) {
      const response = await client.send(method, `/models/${id}${path}`, method === "POST" ? { inputs: [[1]] } : undefined);
      expect([400, 404]).toContain(response.status);
    }
    expect(kept(folder)).toEqual(["bystander"]);
  },
); // prettier-ignore

test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("the column %s is none", async (target) => {
  const client = await start();
  for (const task of ["classification", "regression"])
    expect((await client.send("POST", `/models?task=${task}&target=${target}`, csv(examples()))).status).toBe(400);
  expect(kept(folder)).toEqual([]);
});

test("a file of more columns than JSON may have is refused, at once however many there are", async () => {
  const client = await start();
  const row = (first: string, columns: number): string => first + `,${first}`.repeat(columns - 1);
  const wide = (columns: number): string =>
    [`x,${row("y", columns - 1)}`, ...["1", "2", "1", "2", "1"].map((value) => row(value, columns))].join("\n");
  expect((await client.send("POST", "/models?target=x&epochs=1", wide(10_001))).status).toBe(202);
  expect((await client.send("POST", "/models?target=x", wide(10_002))).status).toBe(400);
  expect((await client.send("POST", "/models?target=x", row("x", 10_000_000))).status).toBe(400);
  const table = csv(examples());
  expect((await client.send("POST", "/models?target=side", table.replace("y,", "side,"))).status).toBe(400);
  expect((await client.send("POST", "/models?target=side", table.replace("0.37", "1e39"))).status).toBe(400);
});

test("networks and numbers of models that would fill the memory are refused", async () => {
  const client = await start({ models: 2, slots: 1 });
  const large = await client.send("POST", "/models?hidden=9999,9999,9999", examples());
  expect(large.status).toBe(400);
  expect(await large.json()).toMatchObject({ error: expect.stringContaining("weights") as string });
  const wide = Array.from({ length: 5 }, () => new Array<number>(5000).fill(1));
  expect((await client.send("POST", "/models?hidden=2000", { inputs: wide, targets: [0, 1, 0, 1, 0] })).status).toBe(400); // prettier-ignore
  const { id } = await client.train("?epochs=1");
  await client.train("?epochs=1");
  expect((await client.send("POST", "/models", examples())).status).toBe(429);
  await client.events(id);
  expect((await client.send("POST", "/models", examples())).status).toBe(429); // done, but there
  await client.send("DELETE", `/models/${id}`);
  await client.train("?epochs=1");
});

test("a folder with remains of crashes is no hindrance, and what was accepted is never removed", async () => {
  let client = await start();
  const { id } = await client.train("?epochs=2");
  await client.events(id);
  const [view, before] = [await client.view(id), await client.predict(id, [[0.5, 0.6]])];
  await app!.close();
  mkdirSync(join(folder, `${none}.tmp`)); // an upload that did not end
  writeFileSync(join(folder, `${none}.tmp`, "data.csv"), "x,y");
  mkdirSync(join(folder, "mine"));
  const file = join(folder, id, "training.json");
  const whole = readFileSync(file, "utf8");
  for (const damaged of ["", whole.slice(0, 20), "null", "{}", whole.replace('"done"', '"ready"'), undefined]) {
    rmSync(file);
    if (damaged !== undefined) writeFileSync(file, damaged);
    const others = readdirSync(join(folder, id));
    client = await start();
    expect(await client.view(id)).toMatchObject({ state: "failed", error: expect.stringContaining("training.json") as string }); // prettier-ignore
    expect((await client.send("POST", `/models/${id}/predict`, { inputs: [[1, 2]] })).status).toBe(409);
    await app!.close();
    expect(kept(folder).sort()).toEqual([id, "mine"].sort());
    expect(readdirSync(join(folder, id))).toEqual(others);
    writeFileSync(file, whole);
  }
  client = await start();
  expect(await client.view(id)).toMatchObject({ id, state: "done", options: view.options });
  expect(await client.predict(id, [[0.5, 0.6]])).toEqual(before);
  expect((await client.send("DELETE", `/models/${id}`)).status).toBe(204);
  expect(kept(folder)).toEqual(["mine"]);
});

test("a fault of the server is no mistake of the client, and names no file", async () => {
  let client = await start();
  const { id } = await client.train("?epochs=1&hidden=1000,1000");
  await client.events(id);
  await app!.close();
  client = await start();
  const predict = (): Promise<Response> => client.send("POST", `/models/${id}/predict`, { inputs: [[1, 2]] });
  const model = join(folder, id, "model.safetensors");
  renameSync(model, `${model}.away`);
  const gone = await predict();
  expect(gone.status).toBe(500);
  expect(await gone.text()).not.toContain(folder);
  renameSync(`${model}.away`, model);
  setMemoryLimit(1);
  try {
    const full = await predict(); // which reads the model
    expect(full.status).toBe(503);
    expect(Number(full.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await full.text()).not.toContain(folder);
  } finally {
    setMemoryLimit(Infinity);
  }
  expect((await predict()).status).toBe(200);
});

test("data that cannot be read fails its training, at the next start, too, and nothing else", async () => {
  const data = [none, "data.csv"] as const;
  const saved = { id: none, target: "y", state: "queued", options: { ...defaults, epochs: 1 } };
  mkdirSync(join(folder, none));
  writeFileSync(join(folder, none, "training.json"), JSON.stringify(saved));
  let client = await start();
  expect((await client.events(none)).at(-1)!.data.state).toBe("failed");
  await app!.close();
  mkdirSync(join(folder, ...data)); // there, but no file
  mkdirSync(join(folder, none, "curve.f64"));
  writeFileSync(join(folder, none, "training.json"), JSON.stringify({ ...saved, figures: ["loss"] }));
  client = await start();
  expect((await client.events(none)).at(-1)!.data.state).toBe("failed");
  const { id } = await client.train("?epochs=1");
  expect((await client.events(id)).at(-1)!.data.state).toBe("done");
});
