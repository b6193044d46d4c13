/** What came of a run of the suite. */
export interface Count {
  readonly passed: number;
  readonly total: number;
}

/** Reads the summary with which the suite ends. Throws where there is none. */
export function countOf(said: string): Count {
  const total = /^Total cases: (\d+)/m.exec(said)?.[1];
  const passed = /^(\d+) passed/m.exec(said)?.[1];
  if (total === undefined || passed === undefined) throw new Error("the suite did not run to its end");
  return { passed: Number(passed), total: Number(total) };
}
