import type { ReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpRequest, HttpResponse } from "@sluice/rpc";
import sirv from "sirv";

/** Answers a request with a file, or calls `refuse`. */
export type FileHandler = (request: HttpRequest, response: HttpResponse, refuse: () => void) => void;

/**
 * Serves the files of a folder as they are at that moment, to GET and HEAD. Files and folders whose names begin
 * with a dot are not served, but for `.well-known`.
 */
export function createFileHandler(folder: string): FileHandler {
  const serve = sirv(folder, { etag: true, dev: true });
  return (request, response, refuse) => {
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (!isRead || isHidden(request.url ?? "/")) {
      refuse();
      return;
    }
    // sirv throws at a range that ends before it begins. The whole file is a right answer to any range
    // (RFC 9110, section 14.2).
    delete request.headers.range;
    // sirv leaves the file open when the client goes, and an error of reading to nobody.
    response.once("pipe", (file: ReadStream) => {
      file.once("error", () => response.destroy());
      response.once("close", () => file.destroy());
    });
    // Written for HTTP/1; of HTTP/2's compatibility API it uses nothing that is different.
    serve(request as IncomingMessage, response as ServerResponse, refuse);
  };
}

function isHidden(url: string): boolean {
  try {
    return /\/\.(?!well-known\/)/.test(decodeURI(url.replace(/\?.*/s, "")));
  } catch {
    return true;
  }
}
