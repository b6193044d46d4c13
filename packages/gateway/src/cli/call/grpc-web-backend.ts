import { Code, codeFromHttpStatus } from "@sluice/protocol";
import {
  createStatus,
  encodeTimeout,
  noMetadata,
  type Backend,
  type Call,
  type CallListener,
  type CallStart,
  type Metadata,
  type Status,
} from "@sluice/rpc";
import type { CallClientOptions } from "./call-client.ts";
import { frame, FrameReader, Http2Exchanges, metadataOf } from "./http2-exchange.ts";

const trailersFlag = 0x80;

/** gRPC-Web (binary), over HTTP/2. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md */
export class GrpcWebBackend implements Backend {
  readonly #exchanges: Http2Exchanges;

  constructor({ url, tls }: Pick<CallClientOptions, "url" | "tls">) {
    this.#exchanges = new Http2Exchanges(url, tls);
  }

  open({ method, metadata, timeout }: CallStart, listener: CallListener): Call {
    let ended = false;
    let head:
      | { readonly httpStatus: number; readonly metadata: Readonly<Record<string, unknown>> }
      | undefined;
    const end = (status: Status, trailers: Metadata): void => {
      if (ended) return;
      ended = true;
      listener.end(status, trailers);
    };
    const reader = new FrameReader((flags, bytes) => {
      if ((flags & trailersFlag) === 0) listener.message(bytes);
      else endWith(parseBlock(bytes.toString("utf8")));
    });
    const endWith = (fields: Readonly<Record<string, string>>): void => {
      const { "grpc-status": code, "grpc-message": message = "", ...trailers } = fields;
      end({ code: Number(code), message: decodeURIComponent(message) }, trailers);
    };
    const headers = {
      ...metadata,
      "content-type": "application/grpc-web+proto",
      "x-grpc-web": "1",
      ...(timeout === undefined ? {} : { "grpc-timeout": encodeTimeout(timeout) }),
    };
    const exchange = this.#exchanges.open(method.path, headers, {
      head: (httpStatus, fields) => {
        head = { httpStatus, metadata: fields };
        if (httpStatus === 200) listener.headers(metadataOf(fields));
      },
      data: (chunk) => {
        if (head?.httpStatus === 200) reader.push(chunk);
      },
      end: () => {
        const code = head?.metadata["grpc-status"];
        const message = head?.metadata["grpc-message"];
        if (typeof code === "string") {
          endWith({ "grpc-status": code, "grpc-message": typeof message === "string" ? message : "" });
        } else {
          const status = head?.httpStatus ?? 0;
          end(
            createStatus(
              status === 200 ? Code.UNKNOWN : codeFromHttpStatus(status),
              `the server answered HTTP ${status} without a grpc-status`,
            ),
            noMetadata,
          );
        }
      },
      lost: (status) => end(status, noMetadata),
    });
    return {
      send: (bytes) => {
        exchange.write(frame(bytes));
        return true;
      },
      halfClose: () => exchange.endRequest(),
      cancel: (status = createStatus(Code.CANCELLED, "the call was cancelled")) => {
        exchange.cancel();
        end(status, noMetadata);
      },
      pause: () => undefined,
      resume: () => undefined,
    };
  }

  close(): Promise<void> {
    return this.#exchanges.close();
  }
}

function parseBlock(block: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of block.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return fields;
}
