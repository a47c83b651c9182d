// Where the peers' sources are, and where what is installed, compiled and written for them goes.
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../../..");
export const sources = join(root, "bench/peers");
export const work = join(root, "build/peers");
export const venv = join(work, "venv");
