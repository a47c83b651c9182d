// Waiting for what an AbortSignal can end, and signals that follow others. What a promise stands for goes on; nobody hears of it any more.

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

/**
 * Aborts `controller` when `signal` aborts, until the function is called that it returns. AbortSignal.any() would leave something of itself on
 * `signal` for as long as that lives, in Node 20.
 */
export function follow(controller: AbortController, signal: AbortSignal | undefined): () => void {
  const abort = (): void => controller.abort(signal!.reason);
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  return () => signal?.removeEventListener("abort", abort);
}
