/**
 * Ends the process quietly when nobody reads its standard output any more, as in `sluice call … | head -1`. For commands
 * that only print: a server goes on without a reader.
 */
export function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
}
