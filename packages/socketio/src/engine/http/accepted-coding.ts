/**
 * The coding of content that a client likes best of some, given its Accept-Encoding (RFC 9110 section 12.5.3); of those
 * that it likes alike, the first.
 */
export function acceptedCoding<Coding extends string>(
  field: string | undefined,
  codings: readonly Coding[],
): Coding | undefined {
  const weights = new Map((field ?? "").split(",").map(readCoding));
  let best: Coding | undefined;
  let most = 0;
  for (const coding of codings) {
    const weight = weights.get(coding) ?? weights.get("*") ?? 0;
    if (weight <= most) continue;
    best = coding;
    most = weight;
  }
  return best;
}

function readCoding(part: string): readonly [coding: string, weight: number] {
  const [coding = "", ...parameters] = part.split(";").map((each) => each.trim().toLowerCase());
  const weight = parameters.find((each) => each.startsWith("q="));
  return [coding, weight === undefined ? 1 : Number(weight.slice(2)) || 0];
}
