import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import type { HttpRequest, HttpResponse } from "../rest/http-message.ts";
import { formatOf, mediaType, type MessageFormat } from "./content-type.ts";
import { pathOf, reporter, type DialectHandler, type DialectOptions } from "./dialect.ts";
import {
  EnvelopedCall,
  refuseCall,
  type EnvelopedCallOptions,
  type ResponseFormat,
} from "./enveloped-call.ts";
import { readGrpcHead } from "./grpc-head.ts";
import { refuseRequest } from "./http-refusal.ts";

/** One of the content types of a dialect, which its responses have too. */
export interface GrpcContentType {
  /** What a `+proto` or `+json` may stand behind: `application/grpc-web-text`. */
  readonly prefix: string;
  /** How responses are written. */
  readonly createFormat: (response: HttpResponse, contentType: string) => ResponseFormat;
  /** How requests are read, where they are not bytes as they are. */
  readonly createDecoder?: () => NonNullable<EnvelopedCallOptions["decode"]>;
}

/** What gRPC and gRPC-Web differ in. */
export interface GrpcDialect {
  readonly name: string;
  /** The longest prefix first. */
  readonly contentTypes: readonly GrpcContentType[];
  /** Why a request cannot be served over its version of HTTP; undefined: it can. */
  readonly refuseVersion?: (request: HttpRequest) => string | undefined;
}

/**
 * Makes the handler of gRPC or gRPC-Web. What is no call (another HTTP method, an unknown format) is answered with an
 * HTTP status, everything else with HTTP 200 and a `grpc-status`.
 */
export function createGrpcDialectHandler(dialect: GrpcDialect, options: DialectOptions): DialectHandler {
  return (request, response) => {
    const type = mediaType(request.headers["content-type"]);
    const contentType = dialect.contentTypes.find(({ prefix }) => isOfPrefix(type, prefix));
    if (contentType === undefined) return false;
    const report = reporter(options, dialect.name, request);
    const messageFormat = formatOf(type, contentType.prefix, true);
    const refusal = refusalOf(dialect, request, messageFormat);
    if (refusal !== undefined) {
      refuseRequest(request, response, refusal.httpStatus, refusal.text, refusal.headers);
      report(createStatus(Code.UNKNOWN, refusal.text));
      return true;
    }

    const responseFormat = contentType.createFormat(response, type);
    const refuse = (status: Status): void => {
      refuseCall(request, response, responseFormat, status);
      report(status);
    };
    const entry = options.methods().find(pathOf(request));
    if ("code" in entry) {
      refuse(entry);
      return true;
    }
    const head = readGrpcHead(request, entry, messageFormat === "proto");
    if ("code" in head) {
      refuse(head);
      return true;
    }
    new EnvelopedCall({
      request,
      response,
      entry,
      head,
      messageFormat: messageFormat ?? "proto",
      responseFormat,
      maxMessageBytes: options.maxMessageBytes,
      bodyMs: options.bodyMs,
      ...(contentType.createDecoder === undefined ? {} : { decode: contentType.createDecoder() }),
      report: (status) => report(status, entry.method),
    }).read();
    return true;
  };
}

function isOfPrefix(type: string, prefix: string): boolean {
  return type.startsWith(prefix) && (type.length === prefix.length || type[prefix.length] === "+");
}

interface HttpRefusal {
  readonly httpStatus: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function refusalOf(
  { name, contentTypes, refuseVersion }: GrpcDialect,
  request: HttpRequest,
  format: MessageFormat | undefined,
): HttpRefusal | undefined {
  const version = refuseVersion?.(request);
  if (version !== undefined) return { httpStatus: 505, text: version };
  if (request.method !== "POST") {
    const text = `${name} calls are made with POST, not with ${request.method ?? ""}`;
    return { httpStatus: 405, text, headers: { allow: "POST" } };
  }
  if (format !== undefined) return undefined;
  const accepted = contentTypes.flatMap(({ prefix }) => [prefix, `${prefix}+proto`, `${prefix}+json`]);
  const text = `the content-type ${String(request.headers["content-type"])} has a format that is not known`;
  return { httpStatus: 415, text, headers: { "accept-post": accepted.join(", ") } };
}
