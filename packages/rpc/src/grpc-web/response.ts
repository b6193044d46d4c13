import type { Metadata } from "../call/metadata.ts";
import type { Status } from "../call/status.ts";
import type { HttpResponse } from "../rest/http-message.ts";
import type { Envelope } from "../wire/body-writer.ts";
import { supportedEncodings } from "../wire/compression.ts";
import type { ResponseFormat } from "../wire/enveloped-call.ts";
import { trailersFromStatus } from "../wire/grpc-trailers.ts";
import { setMetadata } from "../wire/metadata-headers.ts";

/** The first byte of the envelope that is the trailers. */
const trailersFlag = 0x80;

/**
 * A response of gRPC-Web: as gRPC's, but with the trailers as the last envelope of the body, also when nothing else is
 * in it, because pages of other origins cannot read headers that were not exposed to them.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
export class GrpcWebResponse implements ResponseFormat {
  readonly encode?: NonNullable<ResponseFormat["encode"]>;
  readonly #response: HttpResponse;
  readonly #contentType: string;

  constructor(response: HttpResponse, contentType: string, encode?: NonNullable<ResponseFormat["encode"]>) {
    this.#response = response;
    this.#contentType = contentType;
    if (encode !== undefined) this.encode = encode;
  }

  begin(metadata: Metadata, encoding: string | undefined): void {
    this.#response.setHeader("content-type", this.#contentType);
    this.#response.setHeader("grpc-accept-encoding", supportedEncodings);
    // A proxy that buffers would hold back what the stream exists for.
    this.#response.setHeader("x-accel-buffering", "no");
    if (encoding !== undefined) this.#response.setHeader("grpc-encoding", encoding);
    setMetadata(this.#response, metadata);
  }

  end(status: Status, metadata: Metadata, hasBegun: boolean): Envelope {
    if (!hasBegun) this.begin({}, undefined);
    return { flags: trailersFlag, bytes: Buffer.from(trailerBlock(trailersFromStatus(status, metadata))) };
  }
}

/** Trailers as text: a line `name: value` for each value. */
export function trailerBlock(trailers: Readonly<Record<string, string | readonly string[]>>): string {
  let block = "";
  for (const name in trailers) {
    for (const value of [trailers[name] ?? ""].flat()) block += `${name}: ${value}\r\n`;
  }
  return block;
}
