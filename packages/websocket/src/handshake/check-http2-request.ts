import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { checkVersion, type Offer, readOffer } from "./check-request.ts";
import type { Refusal } from "./refusal.ts";

/** Checks everything that RFC 8441 sections 4 and 5 demand of an opening request over HTTP/2. */
export function checkHttp2Request(
  headers: IncomingHttpHeaders,
  { endAfterHeaders }: Pick<ServerHttp2Stream, "endAfterHeaders">,
): Offer | Refusal {
  if (headers[":method"] !== "CONNECT" || headers[":protocol"] !== "websocket") {
    return bad("The request must be a CONNECT with the :protocol websocket.");
  }
  for (const name of [":scheme", ":path"]) {
    if (headers[name] === undefined) return bad(`The ${name} field is missing.`);
  }
  if ((headers[":authority"] ?? headers.host) === undefined) return bad("The :authority field is missing.");
  if (endAfterHeaders) return bad("The stream must stay open, but the request has ended it.");
  const wrongVersion = checkVersion(headers);
  if (wrongVersion === undefined) return readOffer(headers);
  // 426 needs an Upgrade field, which HTTP/2 does not have.
  return { ...bad(wrongVersion.message), headers: { "Sec-WebSocket-Version": "13" } };
}

function bad(message: string): Refusal {
  return { status: 400, message };
}
