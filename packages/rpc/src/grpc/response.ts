import type { Metadata } from "../call/metadata.ts";
import type { Status } from "../call/status.ts";
import type { HttpResponse } from "../rest/http-message.ts";
import { supportedEncodings } from "../wire/compression.ts";
import type { ResponseFormat } from "../wire/enveloped-call.ts";
import { trailersFromStatus } from "../wire/grpc-trailers.ts";
import { setMetadata } from "../wire/metadata-headers.ts";

/**
 * A response of gRPC: the status in trailers, or in the only headers of a call that ends before anything came.
 * Source: gRPC over HTTP/2, Responses.
 */
export class GrpcResponse implements ResponseFormat {
  readonly #response: HttpResponse;
  readonly #contentType: string;

  constructor(response: HttpResponse, contentType: string) {
    this.#response = response;
    this.#contentType = contentType;
  }

  begin(metadata: Metadata, encoding: string | undefined): void {
    this.#head();
    if (encoding !== undefined) this.#response.setHeader("grpc-encoding", encoding);
    setMetadata(this.#response, metadata);
  }

  end(status: Status, metadata: Metadata, hasBegun: boolean): undefined {
    const trailers = trailersFromStatus(status, metadata);
    if (hasBegun) {
      // Without a body, Node would otherwise end the response with its headers and send no trailers.
      if (!this.#response.headersSent) this.#response.flushHeaders?.();
      this.#response.addTrailers(trailers);
    } else {
      this.#head();
      for (const name in trailers) this.#response.setHeader(name, trailers[name] ?? "");
    }
  }

  #head(): void {
    this.#response.setHeader("content-type", this.#contentType);
    this.#response.setHeader("grpc-accept-encoding", supportedEncodings);
  }
}
