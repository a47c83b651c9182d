// What the tests of the example server ask it for, over real HTTP.
import { readdirSync } from "node:fs";

export interface View {
  readonly id: string;
  readonly state: string;
  readonly error?: string;
  readonly options?: Record<string, unknown>;
  readonly epochs: number;
  readonly last?: Record<string, number>;
  readonly classes?: readonly (string | number)[];
}

export interface Event {
  readonly event: string;
  readonly data: {
    readonly id?: string;
    readonly epoch?: number;
    readonly figures?: Record<string, number>;
    readonly state?: string;
  };
}

/** Two classes that a line divides. */
export function examples(count = 100): { inputs: number[][]; targets: string[] } {
  const inputs = Array.from({ length: count }, (_, i) => [((i * 37) % 100) / 100, ((i * 61) % 100) / 100]);
  return { inputs, targets: inputs.map(([x, y]) => (x! > y! ? "right" : "left")) };
}

export function csv({ inputs, targets }: ReturnType<typeof examples>): string {
  return ["x,y,side", ...inputs.map((row, i) => [...row, targets[i]].join(","))].join("\n");
}

export class Client {
  constructor(readonly base: string) {}

  async send(method: string, path: string, body?: unknown): Promise<Response> {
    if (body === undefined) return fetch(this.base + path, { method });
    const type = typeof body === "string" ? "text/csv" : "application/json";
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return fetch(this.base + path, { method, headers: { "content-type": type }, body: text });
  }

  async train(query = "", body: unknown = examples()): Promise<View> {
    const response = await this.send("POST", `/models${query}`, body);
    if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as View;
  }

  async view(id: string): Promise<View> {
    return (await (await this.send("GET", `/models/${id}`)).json()) as View;
  }

  async predict(id: string, inputs: number[][]): Promise<{ predictions: number[][]; classes: string[] }> {
    return (await (await this.send("POST", `/models/${id}/predict`, { inputs })).json()) as never;
  }

  /** The events of a training up to its end, or up to `enough` of them. */
  async events(id: string, enough = Infinity): Promise<Event[]> {
    return this.listen(`/models/${id}/events`, (found) => found.length >= enough);
  }

  async listen(path: string, enough: (found: readonly Event[]) => boolean): Promise<Event[]> {
    const controller = new AbortController();
    const response = await fetch(this.base + path, { signal: controller.signal });
    const found: Event[] = [];
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const parts = text.split("\n\n");
      text = parts.pop()!;
      for (const part of parts) {
        const [event, data] = part.split("\n").map((line) => line.slice(line.indexOf(": ") + 2));
        found.push({ event: event!, data: JSON.parse(data!) as Event["data"] });
      }
      if (enough(found)) break;
    }
    controller.abort();
    return found;
  }
}

/** What a server's folder holds beside the lock. */
export function kept(folder: string): string[] {
  return readdirSync(folder).filter((name) => name !== ".lock");
}
