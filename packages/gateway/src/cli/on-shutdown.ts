/**
 * Runs `close` at the first SIGTERM or SIGINT and exits with 0 when it is done; a second signal exits at once
 * with 1.
 */
export function onShutdown(close: () => Promise<void>): void {
  let closing = false;
  const shutdown = (): void => {
    if (closing) process.exit(1);
    closing = true;
    void close().finally(() => process.exit(0));
  };
  process.on("SIGTERM", shutdown);
  process.on("SIGINT", shutdown);
}
