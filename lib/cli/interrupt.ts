// Ctrl-C: the first one asks the work to stop, a second one ends the process at once.

/** What a shell expects of a process that was interrupted: 128 + SIGINT. */
export const interruptedExitCode = 130;

// npx and npm pass on the interrupt that the terminal has sent to their whole group already: one key press may come twice.
const onePress = 200; // ms

/** A signal that the next interrupt aborts. Until this is called an interrupt ends the process. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  process.on("SIGINT", () => {
    if (!controller.signal.aborted) {
      first = performance.now();
      controller.abort();
    } else if (performance.now() - first > onePress) process.exit(interruptedExitCode);
  });
  return controller.signal;
}
