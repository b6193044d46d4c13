import { Code } from "@sluice/protocol";
import type { Metadata } from "../call/metadata.ts";
import type { Status } from "../call/status.ts";
import type { HttpResponse } from "../rest/http-message.ts";
import type { Envelope } from "../wire/body-writer.ts";
import { supportedEncodings } from "../wire/compression.ts";
import type { ResponseFormat } from "../wire/enveloped-call.ts";
import { setMetadata } from "../wire/metadata-headers.ts";
import { errorFromStatus } from "./error-json.ts";

/** The first byte of the envelope that ends a stream. */
const endStreamFlag = 2;

/**
 * A response of a stream: HTTP 200 in any case, and an error with the trailers in the last envelope.
 * Source: the Connect protocol, EndStreamResponse.
 */
export class ConnectStreamResponse implements ResponseFormat {
  readonly #response: HttpResponse;
  readonly #contentType: string;

  constructor(response: HttpResponse, contentType: string) {
    this.#response = response;
    this.#contentType = contentType;
  }

  begin(metadata: Metadata, encoding: string | undefined): void {
    this.#response.setHeader("content-type", this.#contentType);
    this.#response.setHeader("connect-accept-encoding", supportedEncodings);
    // A proxy that buffers would hold back what the stream exists for.
    this.#response.setHeader("x-accel-buffering", "no");
    if (encoding !== undefined) this.#response.setHeader("connect-content-encoding", encoding);
    setMetadata(this.#response, metadata);
  }

  end(status: Status, trailers: Metadata, hasBegun: boolean): Envelope {
    if (!hasBegun) this.begin({}, undefined);
    return { flags: endStreamFlag, bytes: Buffer.from(endStreamJson(status, trailers)) };
  }
}

/** The text of the message that ends a stream: `{"error":{…},"metadata":{"name":["value"]}}`. */
export function endStreamJson(status: Status, trailers: Metadata): string {
  const metadata: Record<string, readonly string[]> = {};
  for (const name in trailers) metadata[name] = [trailers[name] ?? []].flat();
  return JSON.stringify({
    ...(status.code === Code.OK ? {} : { error: errorFromStatus(status) }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  });
}
