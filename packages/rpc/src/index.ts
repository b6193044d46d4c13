export type { Backend, Call, CallListener, CallStart } from "./call/call.ts";
export { noMetadata, type Metadata } from "./call/metadata.ts";
export { createStatus, okStatus, type Status } from "./call/status.ts";
export { RpcError, type RpcErrorCode } from "./error.ts";
export type { HttpRule, Method, MethodKind } from "./schema/method.ts";
