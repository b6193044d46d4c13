import { Code, codeFromHttpStatus } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import { errorCode as http2Code } from "../http2/frame.ts";
import { decodeMessage } from "../wire/grpc-message.ts";

/** Headers or trailers of a response by their names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string | undefined>>;

/**
 * The status that trailers, or the headers of a response without a body, carry; undefined without `grpc-status`.
 * A number that gRPC does not define is kept, something that is no number is UNKNOWN.
 */
export function statusFromTrailers(trailers: ResponseHeaders): Status | undefined {
  const text = trailers["grpc-status"];
  if (text === undefined) return undefined;
  const message = decodeMessage(trailers["grpc-message"] ?? "");
  if (!/^\d{1,9}$/.test(text)) {
    return createStatus(
      Code.UNKNOWN,
      `the response has the grpc-status "${text}", which is no number: ${message}`,
    );
  }
  const code = Number(text);
  const details = trailers["grpc-status-details-bin"];
  if (details === undefined) return { code, message };
  return { code, message, details: Buffer.from(details, "base64") };
}

/** The status of a response that did not come from a gRPC server; `body` is the beginning of its text. */
export function statusFromHttp(status: number, contentType: string | undefined, body: string): Status {
  const type = contentType === undefined ? "no content-type" : `the content-type ${contentType}`;
  const shown = body.replace(/\s+/g, " ").trim();
  const what = `the backend answered HTTP ${status} with ${type} instead of application/grpc`;
  return createStatus(codeFromHttpStatus(status), shown === "" ? what : `${what}: ${shown}`);
}

/** Whether a content type is one of gRPC: `application/grpc`, alone or with `+…` or parameters behind. */
export function isGrpcContentType(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:[+;]|$)/i.test(contentType);
}

/**
 * The status of a stream that the server reset with an HTTP/2 error code.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Errors
 */
export function statusFromReset(errorCode: number): Status {
  const message = `the stream was reset with ${nameOfErrorCode(errorCode)}`;
  switch (errorCode) {
    case http2Code.refusedStream:
      return createStatus(Code.UNAVAILABLE, message);
    case http2Code.cancel:
      return createStatus(Code.CANCELLED, message);
    case http2Code.enhanceYourCalm:
      return createStatus(
        Code.RESOURCE_EXHAUSTED,
        `${message}: too much at once for the backend, or too large headers from it (--max-metadata)`,
      );
    case http2Code.inadequateSecurity:
      return createStatus(Code.PERMISSION_DENIED, `${message}: the connection is not secure enough for it`);
    case http2Code.noError:
      return createStatus(Code.INTERNAL, "the backend ended the stream without a status");
    default:
      return createStatus(Code.INTERNAL, message);
  }
}

const errorCodeNames = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

/** The name of an HTTP/2 error code. Source: RFC 9113, section 7. */
export function nameOfErrorCode(errorCode: number): string {
  return errorCodeNames[errorCode] ?? `the error code ${errorCode}`;
}
