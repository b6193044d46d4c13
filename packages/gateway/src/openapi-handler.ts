import { createOpenApiDocument, type Schema } from "@sluice/rpc";
import type { FileHandler } from "./files.ts";

/**
 * Answers `GET /openapi.json` with the OpenAPI document of the schema of that moment, made when it is first asked
 * for; everything else, and that too while there is no schema, goes to `next`.
 */
export function createOpenApiHandler(schema: () => Schema | undefined, next: FileHandler): FileHandler {
  let made: { readonly from: Schema; readonly text: string } | undefined;
  return (request, response, refuse) => {
    const known = schema();
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (!isRead || known === undefined || request.url?.replace(/\?.*$/s, "") !== "/openapi.json") {
      next(request, response, refuse);
      return;
    }
    if (made?.from !== known) made = { from: known, text: JSON.stringify(createOpenApiDocument(known)) };
    response.setHeader("content-type", "application/json");
    response.setHeader("content-length", String(Buffer.byteLength(made.text)));
    response.end(made.text);
  };
}
