/** The limits as they are. Throws a RangeError that names the one which is not a number above 0. */
export function checkPositive<Limits extends object>(limits: Limits): Limits {
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (typeof value !== "number" || !(value > 0)) {
      throw new RangeError(`limits.${name} is ${String(value)}: it must be a number above 0`);
    }
  }
  return Object.freeze(limits);
}
