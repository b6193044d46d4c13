/**
 * The coding of content that a client likes best of some, given its Accept-Encoding (RFC 9110 section 12.5.3); of those
 * that it likes alike, the one that it names first.
 */
export function acceptedCoding<Coding extends string>(
  field: string | undefined,
  codings: readonly Coding[],
): Coding | undefined {
  const weights = new Map((field ?? "").split(",").map(readCoding));
  const others = weights.get("*") ?? 0;
  // What is not named comes last.
  for (const coding of codings) if (!weights.has(coding)) weights.set(coding, others);
  let best: Coding | undefined;
  let most = 0;
  for (const [name, weight] of weights) {
    const coding = codings.find((each) => each === name);
    if (coding === undefined || weight <= most) continue;
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
