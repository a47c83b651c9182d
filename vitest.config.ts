import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { sanitizedPool } from "./test/sanitized-pool.js";

const source = (path: string) => fileURLToPath(new URL(`lib/${path}`, import.meta.url));
const sanitized = process.env.SIMDNN_SANITIZED;

export default defineConfig({
  resolve: {
    alias: [
      { find: /^simdnn$/, replacement: source("index.ts") },
      { find: /^simdnn\/kernels$/, replacement: source("kernels.ts") },
      { find: /^simdnn\/plot$/, replacement: source("plot.ts") },
      { find: /^#lib\//, replacement: source("") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    // The addon keeps threads of its own: each test file gets a process, as a program would.
    pool: sanitized === undefined ? "forks" : sanitizedPool(JSON.parse(sanitized) as Record<string, string>),
    // No test measures time; the limit only ends one that hangs.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
