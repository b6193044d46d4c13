/**
 * The first of `offered` media types that an `Accept` header prefers; undefined where it takes none of them, or
 * is not there. Types without a wildcard win over those with one. Source: RFC 9110, section 12.5.1.
 */
export function preferredType<Type extends string>(
  accept: string | undefined,
  offered: readonly Type[],
): Type | undefined {
  if (accept === undefined) return undefined;
  let best: { readonly type: Type; readonly weight: number } | undefined;
  for (const range of accept.split(",")) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const type = offered.find((each) => each === name);
    if (type === undefined) continue;
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    if (weight > 0 && (best === undefined || weight > best.weight)) best = { type, weight };
  }
  return best?.type;
}
