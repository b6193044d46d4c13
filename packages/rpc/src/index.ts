export type { Backend, Call, CallListener, CallStart } from "./call/call.ts";
export { noMetadata, type Metadata } from "./call/metadata.ts";
export { createStatus, okStatus, type Status } from "./call/status.ts";
export { RpcError, type RpcErrorCode } from "./error.ts";
export type { HttpRule, Method, MethodKind } from "./schema/method.ts";
export { createCodec } from "./codec/create-codec.ts";
export { createFieldReader } from "./codec/field-reader.ts";
export { parseJson } from "./codec/json-text.ts";
export {
  maximumDepth,
  type CodecOptions,
  type JsonObject,
  type JsonOptions,
  type JsonValue,
  type MessageCodec,
} from "./codec/message-codec.ts";
export type { CallReport } from "./call/report.ts";
export type { HttpRequest, HttpResponse } from "./rest/http-message.ts";
export { createRestHandler, defaultMaxMessageBytes, type RestHandlerOptions } from "./rest/rest-handler.ts";
export { RestWebSocketDialect, type RestWebSocketOptions } from "./rest-websocket/rest-websocket-handler.ts";
export {
  createSchemaRoutes,
  RestRoutes,
  type RestOptions,
  type RestRoute,
  type RestRoutesOptions,
  type RoutesSource,
  type SchemaRoutes,
} from "./transcode/rest-routes.ts";
export {
  createHttp2Backend,
  type BackendCounters,
  type BackendState,
  type Http2Backend,
} from "./backend/http2-backend.ts";
export type { BackendTlsOptions, Http2BackendOptions, KeepaliveOptions } from "./backend/options.ts";
export type { BackoffOptions } from "./backend/backoff.ts";
export { compileProtos, type CompileOptions } from "./schema/compile-protos.ts";
export type { DescriptorSource } from "./schema/descriptor-source.ts";
export { loadDescriptorSets } from "./schema/descriptor-sets.ts";
export { joinSchemas } from "./schema/join-schemas.ts";
export { createSchema, methodFrom, type Schema } from "./schema/schema.ts";
export { reflectSchema, type ReflectOptions } from "./schema/reflect-schema.ts";
export {
  createOpenApiDocument,
  type OpenApiDocument,
  type OpenApiOptions,
} from "./openapi/openapi-document.ts";
export { createHealthService, ServingStatus, type HealthSource } from "./services/health-service.ts";
export { createReflectionService } from "./services/reflection-service.ts";
export {
  ServiceBackend,
  type ServiceCall,
  type ServiceListener,
  type ServiceMethod,
} from "./services/service-backend.ts";
export { applyServiceConfig } from "./schema/service-config.ts";
export { createRpcHandler, type RpcHandlerOptions } from "./rpc-handler.ts";
export {
  createDirectory,
  type Directory,
  type DirectoryEntry,
  type DirectorySource,
} from "./wire/directory.ts";
export { pathUnescapings, type PathUnescaping } from "./transcode/path-unescaping.ts";
export {
  createBalancedBackend,
  type BalancedBackend,
  type BalancerCounters,
} from "./balancer/balanced-backend.ts";
export type { AddressStatus } from "./balancer/address.ts";
export type { Health, HealthOptions } from "./balancer/health-watch.ts";
export { systemResolver, type ResolutionOptions, type Resolver } from "./balancer/name-resolution.ts";
export type { BalancedBackendOptions } from "./balancer/options.ts";
export type { OutlierOptions } from "./balancer/outlier-detection.ts";
export type { PolicyName } from "./balancer/policy.ts";
export type { RetryOptions } from "./balancer/retry-policy.ts";
export { watchSchema, type SchemaWatch, type SchemaWatchOptions } from "./balancer/schema-watch.ts";
export {
  createServiceDirectory,
  ownersOfServices,
  type ServiceOwners,
  type ServiceProvider,
} from "./balancer/service-directory.ts";
export {
  httpCallOf,
  needsMessage,
  ruleForClient,
  streamTargetOf,
  type HttpCall,
} from "./transcode/http-call.ts";
export { JsonSplitter } from "./transcode/json-splitter.ts";
export { createCors, dropForeignCookies, type CorsOptions } from "./cors.ts";
export { isMetadataName } from "./wire/metadata-headers.ts";
export { ownSchema } from "./services/own-schema.ts";
export { encodeTimeout } from "./backend/timeout.ts";
export {
  webSocketRequestFromConnect,
  webSocketRequestFromUpgrade,
  type WebSocketRequest,
} from "./wire/web-socket-request.ts";
export {
  MultiplexDialect,
  type MultiplexOptions,
  type MultiplexSocketLimits,
} from "./multiplex/multiplex-dialect.ts";
export {
  GrpcWebSocketsDialect,
  grpcWebSocketsProtocol,
  type GrpcWebSocketsOptions,
} from "./grpc-websockets/grpc-websockets-dialect.ts";
export { SharedBackend, type SharedCounts } from "./shared-streams/shared-backend.ts";
export type { ShareRule, ShareRules } from "./shared-streams/share-rule.ts";
export { readBearerProtocols, type BearerProtocols } from "./wire/bearer-protocols.ts";
export { readCookie } from "./wire/cookie.ts";
export { parseBalancedTarget, type BalancedTarget } from "./balancer/balanced-target.ts";
export { metadataFromRequest, type MetadataSource } from "./rest/rest-metadata.ts";
export { jsonFromStatus } from "./transcode/status-json.ts";
export { statusFromError } from "./transcode/json-call.ts";
