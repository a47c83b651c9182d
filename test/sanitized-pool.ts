// The pool of vitest's test processes in `npm run test:sanitize`: each has what the script puts into its environment, the sanitized addon
// among it, and ends by itself, since leaks are looked for at no other end.
import { ForksPoolWorker, type PoolOptions } from "vitest/node";

const patience = 600_000;

class UntilTheExit extends ForksPoolWorker {
  private exit: Promise<string> | undefined;

  constructor(options: PoolOptions, environment: Readonly<Record<string, string>>) {
    super(options);
    this.env = { ...this.env, ...environment };
  }

  override async start(): Promise<void> {
    await super.start();
    this.exit = new Promise((resolve) => {
      this.on("exit", (code: number | null) => resolve(`ended with ${code}`));
    });
  }

  // vitest would kill the process as soon as its tests have ended.
  override async stop(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, patience, "did not end by itself").unref());
    const end = await Promise.race([this.exit, late]);
    await super.stop();
    if (end === "ended with 0") return;
    console.error(`a test process ${end as string}`);
    process.exitCode = 1; // vitest would only mention an error
  }
}

export function sanitizedPool(environment: Readonly<Record<string, string>>) {
  return {
    name: "sanitized",
    createPoolWorker: (options: PoolOptions) => new UntilTheExit(options, environment),
  };
}
