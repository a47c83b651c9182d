// Waiting for a promise that an AbortSignal can end. What the promise stands for goes on; nobody hears of it any more.

/** Milliseconds that what others wrote, a callback or the end of a source, has to come to its end when its work is aborted. */
export const patience = 1000;

/**
 * Settles with `promise`, or rejects with the signal's reason when that comes first.
 *
 * @param milliseconds - what the promise still has when the signal has aborted
 */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, milliseconds = 0): Promise<T> {
  if (!signal) return promise;
  let timer: NodeJS.Timeout | undefined;
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const give = (): void => reject(signal.reason as Error);
    abort = milliseconds === 0 ? give : () => (timer = setTimeout(give, milliseconds));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
    clearTimeout(timer);
  }
}
