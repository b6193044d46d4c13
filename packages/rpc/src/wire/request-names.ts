/** What a browser sets itself, and no page (Fetch, "forbidden request-header"), and what proxies say of a client. */
const ofRequest = new Set(["cookie", "forwarded", "origin", "referer", "via", "x-real-ip"]);
const prefixes = /^(?:proxy-|sec-|x-forwarded-)/;

/**
 * Whether metadata comes with the request for a WebSocket only. In what is sent on the socket, a page could say anything,
 * and no proxy sees it.
 */
export function isOfRequest(name: string): boolean {
  return ofRequest.has(name) || prefixes.test(name) || isOfGateway(name);
}

/** Whether metadata is what the gateway itself tells backends, such as whose session a call is for: no client says it. */
export function isOfGateway(name: string): boolean {
  return name.startsWith("sluice-");
}
