// Waiting for a promise that an AbortSignal can end. What the promise stands for goes on; nobody hears of it any more.

/**
 * Settles with `promise`, or rejects with the signal's reason when that comes first.
 *
 * @param patience - milliseconds that the promise still has when the signal has aborted
 */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, patience = 0): Promise<T> {
  if (!signal) return promise;
  let timer: NodeJS.Timeout | undefined;
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const give = (): void => reject(signal.reason as Error);
    abort = patience === 0 ? give : () => (timer = setTimeout(give, patience));
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
