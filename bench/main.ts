// `npm run bench -- gemm|kernels|step|features|infer|overhead|latency`: reads the command line, runs suites, writes the JSON file. Measures nothing itself.
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { isSimdnnError } from "simdnn";
import { info } from "#lib/native.js";
import * as features from "./features.js";
import * as gemm from "./gemm.js";
import * as infer from "./infer.js";
import * as kernels from "./kernels.js";
import * as latency from "./latency.js";
import * as overhead from "./overhead.js";
import { compare } from "./peers/compare.js";
import { manage } from "./peers/install.js";
import * as step from "./step.js";
import { pick, UsageError, type Row, type Settings, type Suite } from "./suite.js";
import { warnIfBusy } from "./timing.js";

const suites: Readonly<Record<string, Suite>> = { gemm, kernels, step, features, infer, overhead, latency };
const usage = `npm run bench -- SUITE… [--threads N] [--json FILE] [--cases a,b] [--shapes MxNxK:form,…] [--peers all|a,b]
npm run bench -- peers [--install] [NAME…]

${Object.entries(suites).map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`).join("\n")}

  --threads N    threads that kernels may use (default: 1; for latency all cores)
  --json FILE    write the figures to FILE as well
  --cases a,b    only these cases
  --shapes …     for gemm: other shapes than the default ones
  --peers …      for gemm, step and infer: run these libraries in turn with simdnn, on one thread and on all unless told

  peers          lists the libraries to compare with; --install fetches them, all or those named`; // prettier-ignore

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        threads: { type: "string" },
        json: { type: "string" },
        cases: { type: "string" },
        shapes: { type: "string" },
        peers: { type: "string" },
        install: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help || positionals.length === 0) {
    console.log(usage);
    return;
  }
  if (positionals[0] === "peers") {
    manage(values.install ?? false, positionals.slice(1));
    return;
  }
  const named = Object.entries(suites).map(([name, suite]) => ({ name, ...suite }));
  const chosen = positionals.map((name) => pick(named, name, "suite"));
  const threads = values.threads === undefined ? undefined : Number(values.threads);
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0 && threads <= 256))
    throw new UsageError(`--threads takes a number from 1 to 256, not "${values.threads}"`);
  const settings = { threads, cases: values.cases?.split(","), shapes: values.shapes, peers: values.peers };

  const machine = {
    cpu: cpus()[0]?.model ?? process.arch,
    cores: availableParallelism(),
    isa: info.isa,
    node: process.version,
  };
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.isa}, Node ${machine.node}`);
  warnIfBusy();
  const rows: Row[] = [];
  for (const { name, run } of chosen) {
    console.log(`\n${name}`);
    rows.push(...(await (values.peers === undefined ? run(settings) : beside(name, settings))));
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, rows }, null, 1)}\n`);
}

function beside(name: string, settings: Settings): Promise<Row[]> {
  if (name === "gemm") return compare(name, gemm, settings);
  if (name === "step") return compare(name, step, settings);
  if (name === "infer") return compare(name, infer, settings);
  throw new UsageError(`no peers run ${name}; gemm, step and infer can be compared`);
}

main().catch((error: unknown) => {
  process.exitCode = 1;
  console.error(error instanceof UsageError || isSimdnnError(error) ? `bench: ${error.message}` : error);
});
