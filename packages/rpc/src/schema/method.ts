import type { DescMessage } from "@bufbuild/protobuf";

/** The four kinds of gRPC calls. */
export type MethodKind = "unary" | "server_streaming" | "client_streaming" | "bidi_streaming";

/**
 * One HTTP binding of a method: a `google.api.HttpRule` without its `additional_bindings`, each of which is a
 * binding of its own. Source: google/api/http.proto.
 */
export interface HttpRule {
  /** The HTTP method in upper case, or `*` for any (a custom kind of `*`). */
  readonly method: string;
  /** The path template as written: `/v1/{name=orders/*}:cancel`. */
  readonly template: string;
  /** The request field that is the body, `*` for the whole message, or empty for no body. */
  readonly body: string;
  /** The response field that is the body, or empty for the whole message. */
  readonly responseBody: string;
}

/** One method of a service, as a schema knows it. */
export interface Method {
  /** The path of a gRPC request: `/package.Service/Method`. */
  readonly path: string;
  /** The full name of the service: `package.Service`. */
  readonly service: string;
  readonly name: string;
  readonly kind: MethodKind;
  readonly input: DescMessage;
  readonly output: DescMessage;
  /** Whether its `idempotency_level` is NO_SIDE_EFFECTS, so that it may be called with GET. Default: false. */
  readonly hasNoSideEffects?: boolean;
  /** In order of declaration; empty where the method has no HTTP rule. */
  readonly rules: readonly HttpRule[];
}
