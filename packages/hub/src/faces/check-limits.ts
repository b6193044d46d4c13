/** The limits as they are. Throws a RangeError that names the one which is not a number above 0, or is endless. */
export function checkPositive<Limits extends object>(limits: Limits): Limits {
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (!Number.isFinite(value) || (value as number) <= 0) {
      throw new RangeError(`${name} is ${String(value)}: it must be a finite number above 0`);
    }
  }
  return Object.freeze(limits);
}
