// Our side of the conversation with one contender's process: a line of JSON each way, as peer.py describes it.
import { spawn, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import type { Peer } from "./peers.js";
import { venv, work } from "./places.js";

type Answer = { version: string } | { residual: number | null } | { samples: number[] } | { error: string };

/** Why a contender says nothing, in its own last words. */
export class Silence extends Error {}

export class Conversation {
  private constructor(
    readonly peer: Pick<Peer, "name" | "cases">,
    readonly threads: number,
    private readonly child: ChildProcess,
    private readonly ask: (request?: object) => Promise<Answer>,
    private readonly version: string,
  ) {}

  /** "simdnn", or the peer's name and version. */
  get contender(): string {
    return `${this.peer.name} ${this.version}`.trim();
  }

  static async start(
    peer: Pick<Peer, "name" | "cases" | "command" | "threads">,
    threads: number,
    suite: string,
  ): Promise<Conversation> {
    const [file, ...options] = peer.command(suite);
    const pinned = peer.threads === "pinned" && threads < availableParallelism();
    const child = pinned
      ? spawn("taskset", ["-c", `0-${threads - 1}`, file!, ...options], { env: environment(threads) })
      : spawn(file!, options, { env: environment(threads) });
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-4000)));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const closed = new Promise<void>((resolve, reject) => {
      child.on("close", () => {
        resolve();
      });
      child.on("error", (error) => {
        reject(new Silence(error.message));
      });
    });
    closed.catch(() => undefined);
    child.stdin.on("error", () => undefined); // the end of its output tells the same
    const ask = async (request?: object): Promise<Answer> => {
      if (request) child.stdin.write(`${JSON.stringify(request)}\n`);
      const line = await lines.next();
      if (!line.done) return JSON.parse(line.value) as Answer;
      await closed;
      const words = said.trim().split("\n");
      throw new Silence(words.findLast((word) => /error|cannot/i.test(word)) ?? words.at(-1) ?? "");
    };
    const hello = await ask();
    return new Conversation(peer, threads, child, ask, "version" in hello ? hello.version : "");
  }

  /** Builds a case and returns its residual; null where nothing can be compared. */
  async prepare(brief: object): Promise<number | null> {
    const answer = await this.ask({ prepare: brief });
    if ("residual" in answer) return answer.residual;
    throw new Error("error" in answer ? answer.error : "no residual");
  }

  /** Seconds of each sample that it took in that many seconds. */
  async sample(seconds: number): Promise<number[]> {
    const answer = await this.ask({ sample: seconds });
    if ("samples" in answer) return answer.samples;
    throw new Error("error" in answer ? answer.error : "no samples");
  }

  end(): void {
    this.child.kill();
  }
}

function environment(threads: number): NodeJS.ProcessEnv {
  const count = String(threads);
  return {
    ...process.env,
    PEER_THREADS: count,
    OMP_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    BLIS_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    KMP_BLOCKTIME: "1", // ms; threads that spin longer would slow whoever is next
    TF_CPP_MIN_LOG_LEVEL: "2",
    TORCHINDUCTOR_CACHE_DIR: join(work, "inductor"),
    LD_LIBRARY_PATH: [join(venv, "lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
    PYTHONDONTWRITEBYTECODE: "1",
  };
}
