// Running one trial: calls the objective, keeps what it reports, and says how it ended. Which trials run when is tune.ts.
import type { Json } from "../layers/layer.js";
import { isSimdnnError } from "../errors.js";
import { finiteNumber, wrongValue } from "../options.js";
import type { Callback } from "../train/callbacks.js";
import { checkMonitor } from "../train/curve-names.js";
import type { Objective, Score, Trial, TrialResult, TrialStatus } from "./trial.js";

/** What a trial needs of the search. */
export interface TrialContext {
  readonly threads: number;
  /** Aborts with the search. */
  readonly signal: AbortSignal;
  /** Takes a report; resolves, maybe after a while, with whether the trial goes on. */
  readonly onReport: (step: number, score: number) => Promise<boolean>;
}

/** Never rejects: whatever happens is in the result. */
export async function runTrial<Config>(
  objective: Objective<Config>,
  given: Pick<TrialResult<Config>, "index" | "config" | "seed" | "attempts">,
  { threads, signal, onReport }: TrialContext,
): Promise<TrialResult<Config>> {
  const { index, seed } = given;
  const reports: [step: number, score: number][] = [];
  const own = new AbortController();
  let waited = 0;
  let [stopped, misused] = [false, undefined as unknown];
  const take = async (step: number, score: number): Promise<void> => {
    reports.push(checkReport(index, step, score, reports.at(-1)?.[0]));
    const since = performance.now();
    stopped = !(await orAborted(onReport(step, score), signal));
    waited += performance.now() - since;
    if (stopped) throw new DOMException(`trial ${index} was stopped at step ${step}: others do better`, "AbortError");
  };
  const report = (step: number, score: number): Promise<void> => {
    const taken = take(step, score).catch((error: unknown) => {
      if (isSimdnnError(error)) misused ??= error;
      own.abort(error);
      throw error;
    });
    taken.catch(() => undefined); // an objective that does not wait for it learns of it by its signal
    return taken;
  };
  const watch = (monitor = "valLoss"): Callback => ({
    onTrainBegin: ({ curves }) => checkMonitor("watch", monitor, curves),
    onEpochEnd: (epoch, logs) => report(epoch + 1, logs[monitor]!),
  });
  const trial: Trial = { index, seed, threads, signal: AbortSignal.any([signal, own.signal]), report, watch };
  const begun = performance.now();
  const ended = (status: TrialStatus, score: number, rest: Partial<TrialResult<Config>> = {}): TrialResult<Config> => ({
    ...given,
    status,
    score,
    figures: {},
    reports,
    error: undefined,
    seconds: (performance.now() - begun - waited) / 1000,
    ...rest,
  });
  try {
    const rated = objective(given.config, trial);
    const { score, figures } = parts(index, await orAborted(Promise.resolve(rated), signal));
    if (misused !== undefined) throw misused as Error;
    return stopped ? ended("stopped", reports.at(-1)![1]) : ended("done", score, { figures });
  } catch (error) {
    if (stopped) return ended("stopped", reports.at(-1)![1]);
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return ended(signal.aborted ? "aborted" : "failed", NaN, { error: message });
  }
}

function checkReport(index: number, step: number, score: number, last = -Infinity): [step: number, score: number] {
  const where = `trial ${index}`;
  finiteNumber(where, "score", score);
  if (!(finiteNumber(where, "step", step) > last))
    throw wrongValue(where, "step", `a number above ${last}, the step of its last report,`, step);
  return [step, score];
}

function parts(index: number, given: Score): { score: number; figures: { readonly [figure: string]: Json } } {
  const { score, ...figures } = typeof given === "object" && given !== null ? given : { score: given };
  finiteNumber(`trial ${index}`, "score", score);
  try {
    JSON.stringify(figures);
  } catch {
    throw wrongValue(`trial ${index}`, "figures", "what JSON can hold", figures);
  }
  return { score, figures };
}

/** The same promise, unless the signal aborts first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
