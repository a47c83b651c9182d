// `--peers`: a suite with simdnn and its peers in turn, one process each; rows for the JSON file and tables of ratios.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pick, type Contest, type Row, type Settings } from "../suite.js";
import { timing } from "../timing.js";
import { brief } from "./briefs.js";
import { Conversation, Silence } from "./conversation.js";
import { gemmProgram, peers, type Peer } from "./peers.js";
import { sources, work } from "./places.js";
import { report, type Result } from "./report.js";

const rounds = 4;

/** Threads are those asked for, or one and all. */
export async function compare<Case extends Parameters<typeof brief>[0]>(
  suite: string,
  contest: Contest<Case>,
  settings: Settings,
): Promise<Row[]> {
  const counts = settings.threads === undefined ? [...new Set([1, availableParallelism()])] : [settings.threads];
  if (suite === "gemm") compile();
  const contenders = await start(suite, settings.peers ?? "all", counts);
  const results: Result<Case>[] = [];
  try {
    for (const one of contest.cases(settings)) {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${one.name}`);
      results.push(...(await contend(one, contest.turn, contenders)));
    }
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  } finally {
    for (const contender of contenders) contender.end();
  }
  report(contest, results);
  return results.map(({ one, contender, threads, residual, min }) => ({
    suite,
    case: one.name,
    contender,
    threads,
    value: contest.value(one, min),
    unit: contest.unit,
    residual,
  }));
}

/** The contenders that there are; says which are not and how to get them. */
async function start(suite: string, wanted: string, counts: readonly number[]): Promise<Conversation[]> {
  const able = peers.filter(({ suites }) => suites.includes(suite));
  const chosen = wanted === "all" ? able : wanted.split(",").map((name) => pick(able, name, "peer"));
  const simdnn = {
    name: "simdnn",
    command: () => [process.execPath, join(import.meta.dirname, "simdnn.js"), suite],
  };
  const started: Conversation[] = [];
  for (const peer of [simdnn, ...chosen] as (typeof simdnn & Pick<Peer, "threads">)[])
    for (const threads of peer.threads === "one" ? [1] : counts)
      try {
        started.push(await Conversation.start(peer, threads, suite));
      } catch (error) {
        if (!(error instanceof Silence)) throw error;
        console.log(`${peer.name} is absent: npm run bench -- peers --install ${peer.name}  (${error.message})`);
        break;
      }
  return started;
}

/** One case by everyone who can: first all make it ready, then all take turns. */
async function contend<Case extends Parameters<typeof brief>[0]>(
  one: Case,
  turn: number,
  contenders: readonly Conversation[],
): Promise<Result<Case>[]> {
  const sent = brief(one);
  const ready: { contender: Conversation; residual: number | null; samples: number[] }[] = [];
  const fail = ({ contender, threads }: Conversation, error: unknown): void =>
    console.log(`${one.name}: ${contender} on ${threads} of the cores failed: ${(error as Error).message}`);
  for (const contender of contenders) {
    if (contender.peer.cases && !contender.peer.cases.includes(one.name)) continue;
    await contender.prepare(sent).then(
      (residual) => ready.push({ contender, residual, samples: [] }),
      (error: unknown) => {
        fail(contender, error);
      },
    );
  }
  for (let round = 0; round < rounds; round++)
    for (const { contender, samples } of ready)
      await contender.sample(turn).then(
        (taken) => samples.push(...taken),
        (error: unknown) => {
          fail(contender, error);
        },
      );
  const sampled = ready.filter(({ samples }) => samples.length > 0);
  return sampled.map(({ contender: { peer, contender, threads }, residual, samples }) => ({
    one,
    name: peer.name,
    contender,
    threads,
    residual,
    ...timing(samples),
  }));
}

function compile(): void {
  mkdirSync(work, { recursive: true });
  const { status, stderr } = spawnSync("cc", ["-O2", "-o", gemmProgram, join(sources, "gemm.c"), "-ldl", "-lm"]);
  if (status !== 0) console.log(`cc does not compile gemm.c: ${stderr?.toString() ?? "there is no cc"}`);
}
