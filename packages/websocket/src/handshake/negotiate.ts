import { type OutgoingHttpHeaders, validateHeaderName, validateHeaderValue } from "node:http";
import type { AcceptOptions, ProtocolChoice } from "../accept-options.ts";
import { type AgreedCompression, agreeToOffer, resolveCompression } from "../deflate/negotiation.ts";
import type { Offer } from "./check-request.ts";
import type { HandshakeRequest } from "./handshake-request.ts";
import { allowsOrigin } from "./origin.ts";
import type { Refusal } from "./refusal.ts";

/** What a server answers to a correct opening request, whatever the version of HTTP. */
export interface Negotiated {
  /** The subprotocol; empty for none. */
  readonly protocol: string;
  readonly compression: AgreedCompression | undefined;
  /** The fields that say so, and those that the options add; a name may come more than once. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Decides on origin, subprotocol and extensions (RFC 6455 section 4.2.2). */
export function negotiate(
  request: HandshakeRequest,
  host: string | undefined,
  offer: Offer,
  options: AcceptOptions,
): Negotiated | Refusal {
  const foreign = checkOrigin(request, host, options);
  if (foreign !== undefined) return foreign;
  const fields: [string, string][] = [];
  const protocol = chooseProtocol(options.protocols ?? [], offer.protocols, request);
  if (protocol !== "") fields.push(["Sec-WebSocket-Protocol", protocol]);
  const compression = resolveCompression(options.compression);
  const agreement = compression && agreeToOffer(offer.extensions, compression);
  if (agreement !== undefined) fields.push(["Sec-WebSocket-Extensions", agreement.answer]);
  addFields(fields, options.headers ?? {});
  return { protocol, compression: agreement?.agreed, fields };
}

/** The refusal of a page that may not connect (section 10.2). */
export function checkOrigin(
  { headers }: HandshakeRequest,
  host: string | undefined,
  { origin = "same" }: Pick<AcceptOptions, "origin">,
): Refusal | undefined {
  if (allowsOrigin(origin, host, headers)) return undefined;
  return { status: 403, message: `Pages of ${JSON.stringify(headers.origin)} may not connect here.` };
}

function chooseProtocol(
  spoken: readonly string[] | ProtocolChoice,
  offered: readonly string[],
  request: HandshakeRequest,
): string {
  if (offered.length === 0) return "";
  if (typeof spoken !== "function") return offered.find((each) => spoken.includes(each)) ?? "";
  const chosen = spoken(offered, request);
  if (chosen === undefined) return "";
  if (!offered.includes(chosen)) {
    throw new Error(`the subprotocol ${JSON.stringify(chosen)} was chosen, but the client did not offer it`);
  }
  return chosen;
}

function addFields(fields: [string, string][], headers: Readonly<OutgoingHttpHeaders>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    validateHeaderName(name);
    for (const each of Array.isArray(value) ? value : [String(value)]) {
      validateHeaderValue(name, each);
      fields.push([name, each]);
    }
  }
}
