import type { CallReport } from "../call/report.ts";
import type { Status } from "../call/status.ts";
import type { HttpRequest, HttpResponse } from "../rest/http-message.ts";
import type { Method } from "../schema/method.ts";
import type { DirectorySource } from "./directory.ts";

/** What the handler of each RPC dialect needs. */
export interface DialectOptions {
  readonly methods: DirectorySource;
  /** The largest message of a request, in bytes. */
  readonly maxMessageBytes: number;
  /** Milliseconds for the body of a request to a method that takes one message. */
  readonly bodyMs: number;
  /** Told of each request when it has ended. */
  readonly report?: (report: CallReport) => void;
}

/** Serves a request of its dialect; answers false, and does nothing, for any other. */
export type DialectHandler = (request: HttpRequest, response: HttpResponse) => boolean;

/** Makes the function that reports the end of one request. */
export function reporter(
  { report }: Pick<DialectOptions, "report">,
  dialect: string,
  request: HttpRequest,
): (status: Status, method?: Method) => void {
  if (report === undefined) return () => undefined;
  const begun = performance.now();
  const target = `${request.method ?? ""} ${pathOf(request)}`;
  return (status, method) => report({ dialect, method, target, status, duration: performance.now() - begun });
}

/** The path that a request names, without its query. */
export function pathOf(request: HttpRequest): string {
  const { url = "/" } = request;
  const end = url.indexOf("?");
  return end < 0 ? url : url.slice(0, end);
}
