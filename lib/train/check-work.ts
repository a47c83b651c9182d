// Checks of the options that all work on the engine thread takes.
import { isObject, nonNegativeInteger, positiveInteger, wrongValue } from "../options.js";
import { urgent, type RunOptions } from "../program.js";

export function checkWork(
  where: string,
  { threads, priority, signal }: Pick<RunOptions, "threads" | "priority" | "signal">,
): void {
  if (threads !== undefined) positiveInteger(where, "threads", threads);
  if (priority !== undefined && nonNegativeInteger(where, "priority", priority) >= urgent)
    throw wrongValue(where, "priority", `an integer below ${urgent}, which predictions have`, priority);
  if (signal !== undefined && !(isObject(signal) && signal instanceof AbortSignal))
    throw wrongValue(where, "signal", "an AbortSignal", signal);
}
