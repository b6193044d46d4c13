import { z } from "zod";
import {
  bytesFromText,
  durationPattern,
  greatest,
  longestMs,
  millisecondsFromText,
  sizePattern,
  textFromMilliseconds,
} from "./units.ts";

/** A duration with its unit, `250ms`, `10s`, `5m`; milliseconds, by default from 1 to 24.8 days. */
export function duration({ least = 1 }: { readonly least?: number } = {}): z.ZodType<number, string> {
  const form = "must be a number and its unit, as in 250ms, 10s, 5m, 1h";
  return z
    .string({ error: form })
    .regex(durationPattern, { error: form })
    .transform((value) => millisecondsFromText(value) ?? NaN)
    .refine((ms) => ms >= least && ms <= longestMs, {
      error: `must be from ${textFromMilliseconds(least)} to 24d`,
    });
}

/** A size, `65536`, `64KiB` or `4MiB`; bytes, from 1 to 4 GiB less 1. */
export function size(): z.ZodType<number, string | number> {
  const form = "must be a number of bytes, as in 65536, 64KiB, 4MiB";
  const range = `must be from 1 to ${greatest} bytes`;
  return z
    .union(
      [
        z.int({ error: form }).min(1, { error: range }).max(greatest, { error: range }),
        z.string().regex(sizePattern, { error: form }),
      ],
      { error: form },
    )
    .transform((value) => (typeof value === "number" ? value : (bytesFromText(value) ?? NaN)))
    .refine((bytes) => bytes >= 1 && bytes <= greatest, { error: range });
}

/** A whole number, by default from 1 to 2^32 - 1. */
export function count({
  least = 1,
  most = greatest,
}: { readonly least?: number; readonly most?: number } = {}): z.ZodType<number, string | number> {
  const form = `must be a whole number from ${least} to ${most}`;
  return z
    .union(
      [
        z.int({ error: form }).min(least, { error: form }).max(most, { error: form }),
        z.string().regex(/^\d{1,10}$/, { error: form }),
      ],
      {
        error: form,
      },
    )
    .transform(Number)
    .refine((number) => number >= least && number <= most, { error: form });
}

/** A number from 0 to 1. */
export function share(): z.ZodType<number, string | number> {
  const form = "must be a number from 0 to 1";
  return z
    .union(
      [
        z.number({ error: form }).min(0, { error: form }).max(1, { error: form }),
        z.string().regex(/^[01](?:\.\d{1,9})?$/, { error: form }),
      ],
      { error: form },
    )
    .transform(Number)
    .refine((number) => number <= 1, { error: form });
}

/** `true` or `false`. */
export function flag(): z.ZodType<boolean, boolean | string> {
  const form = "must be true or false";
  return z
    .union([z.boolean(), z.string().regex(/^(?:true|false)$/, { error: form })], { error: form })
    .transform((value) => value === true || value === "true");
}

/** A text that is not empty; `what` says what it is, as in `a name`. */
export function text(what: string): z.ZodType<string, string> {
  const form = `must be ${what}, as text, in quotes where YAML takes it for a number`;
  return z.string({ error: form }).min(1, { error: `must be ${what}, and is empty` });
}

/** A text of a form. */
export function textLike(pattern: RegExp, form: string): z.ZodType<string, string> {
  return z.string({ error: form }).regex(pattern, { error: form });
}

/** One of some words. */
export function oneOf<const Word extends string>(words: readonly Word[]): z.ZodType<Word, Word> {
  return z.enum(words, { error: `must be one of ${words.join(", ")}` });
}

/** A list, or a single value without one. */
export function oneOrMore<Value, Input>(
  item: z.ZodType<Value, Input>,
): z.ZodType<readonly Value[], Input | readonly Input[]> {
  return z
    .union([z.array(item).min(1, { error: "is an empty list" }), item])
    .transform((value) => (Array.isArray(value) ? value : [value]));
}

/** `true`, which is all defaults, `false`, or a mapping of options; undefined where it is off. */
export function switchable<Value>(options: z.ZodType<Value>): z.ZodType<Value | undefined> {
  return z.union([z.boolean(), options]).transform((value, context) => {
    if (value === false) return undefined;
    if (value !== true) return value;
    const all = options.safeParse({});
    if (all.success) return all.data;
    context.addIssue({ code: "custom", message: "needs options; true is not enough" });
    return z.NEVER;
  });
}
