/** What came of a run of the suite. */
export interface Count {
  readonly passed: number;
  /** How many of the cases have JSON on a side; the others are protobuf to protobuf. */
  readonly withJson: number;
  /** The names of the cases that failed, expected or not. */
  readonly failed: readonly string[];
}

const summary = /(\d+) successes, (\d+) skipped, (\d+) expected failures, (\d+) unexpected failures/;

/** Reads what the suite printed: a summary for each of its two parts, and a line for each case that failed. */
export function countOf(said: string): Count {
  let passed = 0;
  let withJson = 0;
  let unsuccessful = 0;
  const failed = new Set<string>();
  for (const line of said.split("\n")) {
    const counts = summary.exec(line);
    if (counts !== null) {
      passed += Number(counts[1]);
      unsuccessful += Number(counts[3]) + Number(counts[4]);
    }
    withJson += Number(/^(\d+) cases with JSON$/.exec(line)?.[1] ?? 0);
    const name = /^(?:ERROR|WARNING), test=([^:]+):/.exec(line)?.[1];
    if (name !== undefined) failed.add(name);
  }
  if (passed === 0) throw new Error(`the suite did not run:\n${said.slice(-2000)}`);
  if (failed.size !== unsuccessful)
    throw new Error(`the suite counts ${unsuccessful} failures:\n${said.slice(-2000)}`);
  return { passed, withJson, failed: [...failed] };
}
