// The example server over real HTTP: trainings, predictions meanwhile, limits, restarts, and its page in a browser.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildApp, type AppOptions } from "../../examples/server/src/app.js";
import { Client, csv, examples, kept } from "./client.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder: string;
let apps: FastifyInstance[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "simdnn-server-"));
});

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
  apps = [];
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<AppOptions> = {}): Promise<Client> {
  const app = await buildApp({ folder, ...options });
  apps.push(app);
  await app.listen({ port: 0, host: "127.0.0.1" });
  return new Client(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
}

const forever = "?epochs=100000";

describe("a training", () => {
  test("of JSON tells its epochs, ends, and its model predicts", async () => {
    const client = await start();
    const { id } = await client.train("?epochs=40&learningRate=0.02&batchSize=16");
    const events = await client.events(id);
    expect(events.map(({ event }) => event)).toEqual([...Array<string>(40).fill("epoch"), "end"]);
    expect(events.slice(0, -1).map(({ data }) => data.epoch)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(Object.keys(events[0]!.data.figures!)).toEqual(expect.arrayContaining(["loss", "valLoss", "accuracy"]));
    expect(events.at(-1)!.data.state).toBe("done");
    const { predictions, classes } = await client.predict(id, [[0.9, 0.1], [0.1, 0.9]]); // prettier-ignore
    expect(classes).toEqual(["left", "right"]);
    expect(predictions[0]![1]).toBeGreaterThan(0.8);
    expect(predictions[1]![0]).toBeGreaterThan(0.8);
    // Who asks later hears the same.
    expect(await client.events(id)).toEqual(events);
  });

  test("of CSV gives the bits of the same numbers in JSON", async () => {
    const client = await start();
    const [one, two] = [await client.train("?epochs=3"), await client.train("?epochs=3&target=side", csv(examples()))];
    const [a, b] = [await client.events(one.id), await client.events(two.id)];
    expect(b).toEqual(a);
  });

  test("of values is a regression", async () => {
    const client = await start();
    const { inputs } = examples();
    const { id } = await client.train("?task=regression&epochs=60&learningRate=0.02", {
      inputs,
      targets: inputs.map(([x, y]) => x! + y!),
    });
    expect((await client.events(id)).at(-1)!.data.state).toBe("done");
    const { predictions } = await client.predict(id, [[0.5, 0.5]]);
    expect(predictions[0]).toBeCloseTo(1, 1);
  });

  test("predicts while it trains, and is cancelled", async () => {
    const client = await start();
    const { id } = await client.train(forever);
    await client.events(id, 2);
    const { predictions } = await client.predict(id, [[0.9, 0.1]]);
    expect(predictions[0]!.reduce((sum, p) => sum + p)).toBeCloseTo(1, 5);
    const listening = client.events(id);
    expect((await client.send("DELETE", `/models/${id}`)).status).toBe(204);
    expect((await listening).at(-1)!.data.state).toBe("cancelled");
    expect((await client.send("GET", `/models/${id}`)).status).toBe(404);
    expect(kept(folder)).toEqual([]);
  });
});

describe("what is wrong is answered", () => {
  test.each<[number, string, string, unknown]>([
    [400, "unknown options", "?epoch=3", examples()],
    [400, "options out of range", "?learningRate=0", examples()],
    [400, "null for a number", "", { inputs: [[1], [null], [1], [1], [1]], targets: [0, 1, 0, 1, 0] }],
    [400, "ragged rows", "", { inputs: [[1], [1, 2], [1], [1], [1]], targets: [0, 1, 0, 1, 0] }],
    [400, "too few targets", "", { inputs: [[1], [2], [1], [1], [1]], targets: [0, 1, 0, 1] }],
    [400, "one class", "", { inputs: [[1], [2], [1], [1], [1]], targets: [0, 0, 0, 0, 0] }],
    [400, "a column of JSON", "?target=side", examples()],
    [400, "no CSV target", "", "x,y\n1,2\n"],
    [400, "a CSV column that is not there", "?target=z", "x,y\n1,2\n"],
    [400, "text in a CSV", "?target=y", "x,y\n1,2\nb,3\n"],
    [400, "a CSV whose rows differ", "?target=y", "x,y\n1,2\n1\n"],
    [413, "a file that is too large", "?target=side", csv(examples(10_000))],
    [413, "JSON that is too large", "", examples(10_000)],
  ])("%i to %s", async (status, _, query, body) => {
    const client = await start({ uploadLimit: 50_000 });
    const response = await client.send("POST", `/models${query}`, body);
    expect({ status: response.status, body: await response.json() }).toEqual({ status, body: { error: expect.any(String) as string } }); // prettier-ignore
    expect(kept(folder)).toEqual([]);
  });

  test("wrong inputs of a prediction, and models that are not there or cannot predict", async () => {
    const client = await start({ slots: 1 });
    const { id } = await client.train(forever);
    const waiting = await client.train(forever);
    await client.events(id, 1);
    const status = async (model: string, inputs: unknown): Promise<number> =>
      (await client.send("POST", `/models/${model}/predict`, { inputs })).status;
    expect(await status(id, [[1, 2, 3]])).toBe(400);
    expect(await status(id, [["a", 2]])).toBe(400);
    expect(await status(waiting.id, [[1, 2]])).toBe(409);
    expect(await status("00000000-0000-0000-0000-000000000000", [[1, 2]])).toBe(404);
    expect(await status("..%2F..", [[1, 2]])).toBe(400);
  });

  test("more trainings than may wait", async () => {
    const client = await start({ slots: 1, waiting: 2 });
    const running = await client.train(forever);
    const first = await client.train(forever);
    await client.train(forever);
    const refused = await client.send("POST", `/models${forever}`, examples());
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    await client.send("DELETE", `/models/${first.id}`);
    const accepted = await client.train("?epochs=1");
    expect(accepted.state).toBe("queued");
    await client.send("DELETE", `/models/${running.id}`);
  });
});

describe("a restart", () => {
  const query = "?epochs=60&batchSize=8";

  async function uninterrupted(): Promise<{ curves: unknown; predictions: unknown }> {
    const client = await start();
    const { id } = await client.train(query);
    const curves = await client.events(id);
    const { predictions } = await client.predict(id, [[0.3, 0.6]]);
    await apps.pop()!.close();
    rmSync(folder, { recursive: true });
    return { curves, predictions };
  }

  test("goes on with what was running and waiting, to the same bits", async () => {
    const whole = await uninterrupted();
    const client = await start({ slots: 1 });
    const { id } = await client.train(query);
    const waiting = await client.train("?epochs=1");
    await client.events(id, 3);
    await apps.pop()!.close();
    const again = await start({ slots: 1 });
    expect(await again.events(waiting.id)).toHaveLength(2);
    expect((await again.events(id)).at(-1)!.data.state).toBe("done");
    expect((await again.view(id)).epochs).toBe(60);
    expect(await again.events(id)).toEqual(whole.curves);
    expect((await again.predict(id, [[0.3, 0.6]])).predictions).toEqual(whole.predictions);
  });
});

describe("curves", () => {
  test("are there after a restart, those of what has ended and those of what goes on", async () => {
    const client = await start();
    const done = await client.train("?epochs=25");
    const events = await client.events(done.id);
    const before = await client.view(done.id);
    expect(before.epochs).toBe(25);
    const running = await client.train(forever);
    await client.events(running.id, 15);
    const reached = await client.view(running.id);
    await apps.pop()!.close();
    const again = await start();
    expect((await again.view(running.id)).epochs).toBeGreaterThanOrEqual(reached.epochs);
    const seen = (await again.events(running.id, 15)).slice(0, 15); // more may come at once
    expect(seen.map(({ data }) => data.epoch)).toEqual(Array.from({ length: 15 }, (_, i) => i));
    expect(await again.view(done.id)).toEqual(before);
    expect(before.last).toEqual(events.at(-2)!.data.figures);
    expect(await again.events(done.id)).toEqual(events);
  });

  test("of all trainings come in one stream, long ones thinned, until a training is gone", async () => {
    const client = await start();
    const { id } = await client.train("?epochs=900&batchSize=100");
    expect(await client.events(id)).toHaveLength(901);
    const other = await client.train(forever);
    const found = await client.listen(
      "/events",
      (found) => found.filter(({ data }) => data.id === other.id).length > 5,
    );
    const [model, ...epochs] = found.filter(({ data }) => data.id === id);
    expect(model).toMatchObject({ event: "model", data: { state: "done" } });
    expect(epochs.length).toBeGreaterThan(250);
    expect(epochs.length).toBeLessThan(402);
    expect([epochs[0]!.data.epoch, epochs.at(-1)!.data.epoch]).toEqual([0, 899]);
    const gone = client.listen("/events", (found) => found.some(({ event }) => event === "gone"));
    await client.send("DELETE", `/models/${other.id}`);
    expect((await gone).at(-1)).toEqual({ event: "gone", data: { id: other.id } });
  });
});

describe("the process", () => {
  const built = join(root, "build/example-server");
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  beforeAll(() => {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const compiled = spawnSync(process.execPath, [tsc, "-p", join(root, "test/server"), "--outDir", join(built, "dist")], { encoding: "utf8" }); // prettier-ignore
    expect(compiled.stdout).toBe("");
    copyFileSync(join(root, "examples/server/page.html"), join(built, "page.html"));
  });

  async function run(): Promise<Client> {
    child = spawn(process.execPath, [join(built, "dist/main.js")], {
      env: { ...process.env, PORT: "0", DATA: folder },
    });
    let log = "";
    for await (const chunk of child.stdout!) {
      log += String(chunk);
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(log)?.[0];
      if (address === undefined) continue;
      child.stdout!.resume();
      return new Client(address);
    }
    throw new Error(`the server did not start: ${log}`);
  }

  test("survives being killed, and ends by itself when it is told to", async () => {
    const client = await run();
    const { id } = await client.train("?epochs=400&batchSize=8");
    await client.events(id, 15);
    const killed = new Promise((resolve) => child!.once("exit", resolve));
    child!.kill("SIGKILL");
    await killed;
    const again = await run();
    expect((await again.events(id)).at(-1)!.data.state).toBe("done");
    expect((await again.view(id)).epochs).toBe(400);
    await again.train(forever);
    const ended = new Promise((resolve) => child!.once("exit", (code, signal) => resolve({ code, signal })));
    child!.kill("SIGTERM");
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  test("does not start where another one is", async () => {
    const client = await run();
    const { id } = await client.train(forever);
    await client.events(id, 1);
    const environment = { ...process.env, PORT: "0", DATA: folder };
    const second = spawnSync(process.execPath, [join(built, "dist/main.js")], { env: environment, encoding: "utf8", timeout: 60_000 }); // prettier-ignore
    const stderr = `the server cannot start: process ${child!.pid} serves the models of "${folder}"; end it, or choose another folder\n`;
    expect(second).toMatchObject({ status: 1, stdout: "", stderr });
    expect((await client.view(id)).state).toBe("running");
  });
});

const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

describe.skipIf(browser === undefined)(
  `the page${browser === undefined ? " (skipped: there is no chromium)" : ""}`,
  () => {
    let chromium: Browser;
    beforeAll(async () => {
      // A sanitizer that is loaded into every Node process is not for Chromium.
      const env = { ...process.env, LD_PRELOAD: undefined };
      chromium = await puppeteer.launch({ executablePath: browser!, args: ["--no-sandbox"], env });
    });
    afterAll(() => chromium.close());

    async function open(client: Client): Promise<Page> {
      const page = await chromium.newPage();
      await page.goto(client.base);
      return page;
    }
    const pointsOf = (page: Page, path: string): Promise<number> =>
      page.$eval(
        path,
        (line: { getAttribute(name: string): string | null }) => line.getAttribute("points")?.split(" ").length ?? 0,
      );

    test("draws the curves of a training as it goes, and deletes it", async () => {
      const client = await start();
      const { id } = await client.train("?epochs=30&batchSize=8");
      const page = await open(client);
      await page.waitForFunction(`document.querySelector("article .state")?.textContent === "done"`);
      await expect.poll(() => pointsOf(page, "article .loss")).toBe(30);
      if (process.env.SIMDNN_PICTURE) await page.screenshot({ path: process.env.SIMDNN_PICTURE });
      await page.click("article button");
      await page.waitForFunction(`!document.querySelector("article")`);
      expect((await client.send("GET", `/models/${id}`)).status).toBe(404);
    });

    test("goes on with more trainings than a browser has connections", async () => {
      const client = await start();
      for (let i = 0; i < 10; i++) await client.train(forever);
      const page = await open(client);
      const states = `[...document.querySelectorAll("article .state")].map((state) => state.textContent).sort().join()`;
      const all = (running: number, queued: number): string =>
        [...Array<string>(queued).fill("queued"), ...Array<string>(running).fill("running")].join();
      await page.waitForFunction(`${states} === "${all(2, 8)}"`);
      const drawn = `[...document.querySelectorAll("article .loss")].filter((line) => line.getAttribute("points")).length`;
      await page.waitForFunction(`${drawn} === 2`);
      await page.click("article:last-child button"); // the first that came, and runs
      await page.waitForFunction(`${states} === "${all(2, 7)}"`);
      await page.waitForFunction(`${drawn} === 2`);
      expect(await (await client.send("GET", "/models")).json()).toHaveLength(9);
    });

    test("draws very long curves, and figures that are no numbers", async () => {
      const id = "00000000-0000-0000-0000-000000000000";
      const options = { task: "regression", hidden: "1", batchSize: 1, learningRate: 1, seed: 1, epochs: 100_000 };
      mkdirSync(join(folder, id));
      writeFileSync(join(folder, id, "training.json"), JSON.stringify({ id, options, state: "done", figures: ["loss", "valLoss"] })); // prettier-ignore
      writeFileSync(
        join(folder, id, "curve.f64"),
        Float64Array.from({ length: 200_000 }, (_, i) => (i % 2 ? NaN : i)),
      );
      const page = await open(await start());
      await page.waitForFunction(`document.querySelector("article .last")?.textContent === "epoch 100000"`);
      expect(await pointsOf(page, "article .loss")).toBeLessThan(500);
      expect(await page.evaluate(`document.querySelector("article output").textContent`)).toContain("valLoss is no number"); // prettier-ignore
    });
  },
);

afterAll(() => rmSync(join(root, "build/example-server"), { recursive: true, force: true }));
