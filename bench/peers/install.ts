// `npm run bench -- peers --install`: fetches peers with the package managers of their homes, and says what that took.
import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pick } from "../suite.js";
import { table } from "../table.js";
import { peers, type Peer } from "./peers.js";
import { sources, venv } from "./places.js";

/** Lists the peers, or installs those named; "all" of them. */
export function manage(install: boolean, names: readonly string[]): void {
  const chosen = names.length === 0 || names[0] === "all" ? peers : names.map((name) => pick(peers, name, "peer"));
  if (install) for (const { from, packages } of tasks(chosen)) run(from, packages);
  else
    console.log(
      table(
        ["peer", "suites", "from"],
        chosen.map(({ name, suites, install }) => [
          name,
          suites.join(" "),
          `${install.from} ${install.packages.join(" ")}`.trim(),
        ]),
      ),
    );
}

/** One call of each package manager per set of packages. */
function tasks(chosen: readonly Peer[]): Peer["install"][] {
  const seen = new Map(chosen.map(({ install }) => [`${install.from} ${install.packages.join(" ")}`, install]));
  return [...seen.values()];
}

function run(from: Peer["install"]["from"], packages: readonly string[]): void {
  const before = size();
  const start = performance.now();
  if (from === "pip" && !existsSync(venv)) call("python3", ["-m", "venv", venv]);
  const done = {
    apt: () => call("apt-get", ["install", "-y", "--no-install-recommends", ...packages]),
    pip: () => call(join(venv, "bin/python"), ["-m", "pip", "install", "--upgrade", ...packages]),
    // Without scripts: what they would fetch from elsewhere (GPU libraries) is of no use here.
    npm: () => call("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", sources]),
  }[from]();
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const grown = from === "apt" ? "" : `, ${size() - before} MB`;
  console.log(`${[from, ...packages].join(" ")}: ${done ? `installed in ${seconds} s${grown}` : "failed"}`);
}

function call(file: string, options: readonly string[]): boolean {
  const { status, stdout, stderr, error } = spawnSync(file, options, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status === 0) return true;
  console.error(error?.message ?? `${stdout}${stderr}`.trim().split("\n").slice(-5).join("\n"));
  return false;
}

/** Megabytes on disk of the virtual environment and the peers' node_modules. */
function size(): number {
  const folders = [venv, join(sources, "node_modules")].filter(existsSync);
  if (folders.length === 0) return 0;
  const { stdout } = spawnSync("du", ["-smc", ...folders], { encoding: "utf8" });
  return Number(/(\d+)\s+total/.exec(stdout)?.[1] ?? 0);
}
