import type { HttpRequest, HttpResponse } from "../rest/http-message.ts";
import { discardRest } from "./response-end.ts";

/**
 * Answers a request that is not a call at all with an HTTP status and one line of text, and `headers` such as
 * `allow`.
 */
export function refuseRequest(
  request: HttpRequest,
  response: HttpResponse,
  httpStatus: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(`${text}\n`);
  response.statusCode = httpStatus;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("content-length", String(body.length));
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
  discardRest(request);
}
