import type { IncomingHttpHeaders } from "node:http2";
import { checkVersion, type Offer, readOffer } from "./check-request.ts";
import type { Refusal } from "./refusal.ts";

/** Checks everything that RFC 8441 section 5 demands of an opening request over HTTP/2. */
export function checkHttp2Request(headers: IncomingHttpHeaders): Offer | Refusal {
  if (headers[":method"] !== "CONNECT" || headers[":protocol"] !== "websocket") {
    return bad("The request must be a CONNECT with the :protocol websocket.");
  }
  for (const name of [":scheme", ":path", ":authority"]) {
    if (headers[name] === undefined) return bad(`The ${name} field is missing.`);
  }
  const wrongVersion = checkVersion(headers);
  if (wrongVersion === undefined) return readOffer(headers);
  // 426 needs an Upgrade field, which HTTP/2 does not have.
  return { ...bad(wrongVersion.message), headers: { "Sec-WebSocket-Version": "13" } };
}

function bad(message: string): Refusal {
  return { status: 400, message };
}
