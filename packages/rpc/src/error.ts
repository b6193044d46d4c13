/**
 * What can be wrong with a configuration, or with one message:
 * - `descriptor_unreadable`: a descriptor-set file cannot be read or is not a FileDescriptorSet
 * - `descriptor_invalid`: descriptors that contradict each other or miss a file
 * - `proto_unreadable`: a `.proto` file or the compiler is not there
 * - `proto_invalid`: a `.proto` file does not compile; the message has file, line and column
 * - `reflection_unavailable`: the server cannot be reached (trying again may help)
 * - `reflection_unsupported`: the server answers, but has no reflection service
 * - `reflection_invalid`: the server's reflection answers cannot be understood
 * - `http_rule_invalid`: a `google.api.http` rule that does not fit its method
 * - `json_invalid`: JSON text or a URL parameter that does not fit its message; the message names the field
 * - `protobuf_invalid`: bytes that are not the message that they should be
 * - `message_too_large`: a message over the limit
 * - `target_invalid`: the address of a backend cannot be understood
 * - `tls_invalid`: certificates or a key for TLS that are none, or do not belong together
 * - `service_conflict`: two backends have the same service
 */
export type RpcErrorCode =
  | "descriptor_unreadable"
  | "descriptor_invalid"
  | "proto_unreadable"
  | "proto_invalid"
  | "reflection_unavailable"
  | "reflection_unsupported"
  | "reflection_invalid"
  | "http_rule_invalid"
  | "json_invalid"
  | "protobuf_invalid"
  | "message_too_large"
  | "target_invalid"
  | "tls_invalid"
  | "service_conflict";

/** The one error class of this package; its message is written for the person who configures the gateway or made the call. */
export class RpcError extends Error {
  readonly code: RpcErrorCode;

  constructor(code: RpcErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "RpcError";
    this.code = code;
  }
}
