/** A coding of an answer's content. */
export type ContentCoding = "gzip" | "deflate";

/** The coding that a client likes best of those that there are, given its Accept-Encoding (RFC 9110 section 12.5.3). */
export function acceptedCoding(field: string | undefined): ContentCoding | undefined {
  const weights = new Map((field ?? "").split(",").map(readCoding));
  const weightOf = (coding: string): number => weights.get(coding) ?? weights.get("*") ?? 0;
  const gzip = weightOf("gzip");
  const deflate = weightOf("deflate");
  if (gzip > 0 && gzip >= deflate) return "gzip";
  return deflate > 0 ? "deflate" : undefined;
}

function readCoding(part: string): readonly [coding: string, weight: number] {
  const [coding = "", ...parameters] = part.split(";").map((each) => each.trim().toLowerCase());
  const weight = parameters.find((each) => each.startsWith("q="));
  return [coding, weight === undefined ? 1 : Number(weight.slice(2)) || 0];
}
