// What is seen of a training while it runs: a line per epoch, and on a terminal a bar below them.
import { MultiBar } from "cli-progress";
import type { Callback, Logs } from "../index.js";
import { duration, loss, percent } from "./format.js";

/**
 * Writes a line per epoch to `stream`, below a heading.
 *
 * @param hasDev - whether there are dev columns
 */
export function epochLines(stream: NodeJS.WriteStream, epochs: number, hasDev: boolean): Callback {
  const bar = stream.isTTY ? progressBar(stream) : undefined;
  const write = (line: string): void => {
    if (bar) bar.above(line);
    else stream.write(`${line}\n`);
  };
  const columns = ["epoch", "loss", "accuracy", ...(hasDev ? ["dev loss", "dev accuracy"] : []), "time"];
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => cell.padStart(columns[i]!.length + 4)).join("");
  let start = 0;
  return {
    onTrainBegin: ({ steps }) => {
      bar?.start(epochs * steps!);
      write(row(columns));
    },
    onEpochBegin: () => {
      start = performance.now();
    },
    onProgress: (step, logs) => bar?.update(step, logs),
    onEpochEnd: (epoch, logs, { steps }) => {
      bar?.epochDone(steps!);
      const { loss: cost, accuracy, valLoss, valAccuracy } = logs;
      const dev = hasDev ? [loss(valLoss!), percent(valAccuracy!)] : [];
      const time = duration(performance.now() - start);
      write(row([`${epoch + 1}/${epochs}`, loss(cost!), percent(accuracy!), ...dev, time]));
    },
    onTrainEnd: () => bar?.stop(),
  };
}

/** A bar over all steps of a training that stays below what is written above it. */
function progressBar(stream: NodeJS.WriteStream) {
  const bars = new MultiBar({
    stream,
    format: "  {bar} {percentage} %  {state}, {eta_formatted}",
    formatTime: (seconds) =>
      Number.isFinite(seconds) ? `${seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`} left` : "",
    autopadding: true,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    etaBuffer: 50,
    clearOnComplete: true,
    gracefulExit: false, // an interrupt ends the training in order, which ends the bar
  });
  let bar: ReturnType<MultiBar["create"]> | undefined;
  let before = 0; // steps of the epochs that are done
  return {
    start: (total: number): void => {
      bar = bars.create(total, 0, { state: "beginning" });
    },
    update: (step: number, logs: Logs): void => {
      bar?.update(before + step, { state: `loss ${loss(logs.loss!)}, accuracy ${percent(logs.accuracy!)}` });
    },
    epochDone: (steps: number): void => {
      before += steps;
      bar?.update(before);
    },
    above: (line: string): void => {
      bars.log(`${line}\n`);
      bars.update(); // writes what log() has kept
    },
    stop: (): void => bars.stop(),
  };
}
