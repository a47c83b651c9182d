// Starts the server, and ends it so that trainings go on after the next start.
import { buildApp } from "./app.js";

const { PORT = "3000", HOST = "127.0.0.1", DATA = "models" } = process.env;
const app = await buildApp({ folder: DATA, log: true }).catch((error: unknown) => {
  console.error(`the server cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
await app.listen({ port: Number(PORT), host: HOST });

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        app.log.error(error);
        process.exit(1);
      },
    );
  });
