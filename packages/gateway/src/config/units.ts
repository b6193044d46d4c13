/** The longest time of one of Node's timers, in milliseconds: 24.8 days. */
export const longestMs = 0x7fff_ffff;

/** The greatest size and count: what 32 bits tell. */
export const greatest = 0xffff_ffff;

const millisecondsOf: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const bytesOf: Record<string, number> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** A number and its unit: `250ms`, `10s`, `1.5m`, `2h`, `7d`. */
export const durationPattern: RegExp = /^(\d{1,15}(?:\.\d{1,15})?)(ms|s|m|h|d)$/;

/** A number of bytes, with or without a unit: `65536`, `64KiB`, `4MiB`, `10MB`. */
export const sizePattern: RegExp = /^(\d{1,15}(?:\.\d{1,15})?)(B|KB|MB|GB|KiB|MiB|GiB)?$/;

/** Milliseconds of a duration, rounded to whole ones; undefined for what is none. */
export function millisecondsFromText(text: string): number | undefined {
  const [, number, unit = ""] = durationPattern.exec(text) ?? [];
  return number === undefined ? undefined : Math.round(Number(number) * (millisecondsOf[unit] ?? NaN));
}

/** Bytes of a size, rounded to whole ones; undefined for what is none. */
export function bytesFromText(text: string): number | undefined {
  const [, number, unit = ""] = sizePattern.exec(text) ?? [];
  return number === undefined ? undefined : Math.round(Number(number) * (bytesOf[unit] ?? NaN));
}

/** A duration as a person writes it, in the largest unit that needs no fraction: `90000` is `90s`. */
export function textFromMilliseconds(ms: number): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const each = millisecondsOf[unit] ?? NaN;
    if (ms >= each && ms % each === 0) return `${ms / each}${unit}`;
  }
  return `${ms}ms`;
}
