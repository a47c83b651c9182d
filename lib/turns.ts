// Long work on the JavaScript thread, written as generators that pause about every millisecond, so that others get their turn. What the work is stands elsewhere.
import { setImmediate } from "node:timers/promises";

/** Does it with a turn of the event loop at each pause. */
export async function inTurns<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await setImmediate();
  }
}

/** Does it without pauses. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
