import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import type { MessageFormat } from "../wire/content-type.ts";

/** The message of a call with GET, which stands in its query. */
export interface GetQuery {
  readonly format: MessageFormat;
  readonly message: Uint8Array;
  /** How the message is compressed; undefined: not at all. */
  readonly compression: string | undefined;
}

/** Whether a URL says that it is a call of Connect: by its version, or by what a call must have. */
export function isConnectGet(url: string): boolean {
  const parameters = parametersOf(url);
  return parameters.get("connect") === "v1" || (parameters.has("encoding") && parameters.has("message"));
}

/**
 * Reads the query of a call with GET, or says why it is none; an encoding that is not known is answered with `undefined`.
 * Source: the Connect protocol, Unary-Get-Request.
 */
export function readGetQuery(url: string): GetQuery | Status | undefined {
  const parameters = parametersOf(url);
  const version = parameters.get("connect");
  if (version !== undefined && version !== "v1") {
    return invalid(`the parameter connect is ${JSON.stringify(version)}, not v1`);
  }
  const encoding = parameters.get("encoding");
  const text = parameters.get("message");
  if (encoding === undefined) return invalid("the parameter encoding is missing: proto or json");
  if (encoding !== "proto" && encoding !== "json") return undefined;
  if (text === undefined) return invalid("the parameter message is missing");
  const bytes = bytesFromText(text);
  const message = parameters.get("base64") === "1" ? bytesFromBase64(bytes.toString("latin1")) : bytes;
  if (message === undefined) return invalid("the parameter message is not base64");
  return { format: encoding, message, compression: parameters.get("compression") };
}

/** The first value of each parameter, still percent-encoded, because a message need not be UTF-8. */
function parametersOf(url: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  const question = url.indexOf("?");
  if (question < 0) return parameters;
  for (const each of url.slice(question + 1).split("&")) {
    const equals = each.indexOf("=");
    const name = equals < 0 ? each : each.slice(0, equals);
    if (!parameters.has(name)) parameters.set(name, equals < 0 ? "" : each.slice(equals + 1));
  }
  return parameters;
}

/** The bytes of a percent-encoded value; `+` is a space. */
function bytesFromText(text: string): Buffer {
  const plain = text.replaceAll("+", " ");
  const decoded = plain.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1");
}

/** Base64 in either alphabet, padded or not. */
function bytesFromBase64(text: string): Buffer | undefined {
  // A plus sign that was not escaped has become a space.
  const plain = text.replaceAll(" ", "+");
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(plain) ? Buffer.from(plain, "base64") : undefined;
}

function invalid(what: string): Status {
  return createStatus(Code.INVALID_ARGUMENT, what);
}
