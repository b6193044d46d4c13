/** One Ctrl-C reaches a process more than once: from the terminal, and from npm, which passes its own on. */
const oneSignalMs = 500;

/**
 * Runs `close` at the first SIGTERM or SIGINT and exits with 0 when it is done; a second signal, which is one that
 * comes half a second later or more, exits at once with 1.
 */
export function onShutdown(close: () => Promise<void>): void {
  let begun: number | undefined;
  const shutdown = (): void => {
    if (begun === undefined) {
      begun = performance.now();
      void close().finally(() => process.exit(0));
    } else if (performance.now() - begun >= oneSignalMs) {
      process.exit(1);
    }
  };
  process.on("SIGTERM", shutdown);
  process.on("SIGINT", shutdown);
}
