export type { AccessControl } from "./access/access-control.ts";
export type { AccessDecision } from "./access/check-access.ts";
export { checkAccess } from "./access/check-access.ts";
export { type Identity, IdentitySchema } from "./access/identity.ts";
export { isConcreteScope, scopeMatches } from "./access/scopes.ts";
export type { BuildEnvOptions, EnvOf, EnvRegistry } from "./composition/build-env.ts";
export { buildEnv } from "./composition/build-env.ts";
export type { OperationEnv } from "./composition/operation-env.ts";
export {
  isResponseEnvelope,
  ResponseEnvelopeSchema,
  ResponseMetaSchema,
  responseEnvelopeSchema,
} from "./envelope/envelope-schema.ts";
export type {
  HttpMeta,
  LocalMeta,
  McpAnnotations,
  McpContent,
  McpMeta,
  ResponseEnvelope,
  ResponseMeta,
} from "./envelope/response-envelope.ts";
export { httpEnvelope, localEnvelope, mcpEnvelope, unwrap } from "./envelope/response-envelope.ts";
export type {
  CallErrorCode,
  CallErrorOptions,
  OperationsErrorCode,
  OperationsErrorOptions,
} from "./errors.ts";
export { CallError, OperationsError } from "./errors.ts";
export { type FailedOperation, mapError } from "./map-error.ts";
export type { CallOptions, OperationContext } from "./operation-context.ts";
export type {
  AnyHandler,
  AnyOperation,
  ErrorDefinition,
  InputOf,
  Operation,
  OperationHandler,
  OperationSpec,
  OperationType,
  OutputOf,
} from "./operation-spec.ts";
export { defineOperation, defineSpec, operationId } from "./operation-spec.ts";
export type {
  CallAborted,
  CallCompleted,
  CallCredit,
  CallEvents,
  CallFailed,
  CallHeartbeat,
  CallRequested,
  CallResponded,
} from "./protocol/call-events.ts";
export { callEventSchemas } from "./protocol/call-events.ts";
export { createCallHandler } from "./protocol/call-handler.ts";
export type {
  CallerEvent,
  CallHandler,
  CallHandlerOptions,
  CallHandlerStats,
  CallRegistry,
  CloseCallHandlerOptions,
  IdentityOf,
} from "./protocol/call-handler-options.ts";
export type {
  CallClaim,
  CallLog,
  CallOutcome,
  LoggedCall,
  MemoryCallLogOptions,
} from "./protocol/call-log.ts";
export type {
  Caller,
  CallerOptions,
  CallerStats,
  RemoteCallOptions,
  RemoteSubscribeOptions,
} from "./protocol/caller.ts";
export { createMemoryCallLog } from "./protocol/memory-call-log.ts";
export { createCaller, PendingRequestMap } from "./protocol/pending-request-map.ts";
export type { CallErrorHandler } from "./protocol/report-call-error.ts";
export type {
  OperationFilter,
  OperationRegistryOptions,
  RegisteredOperation,
  RegisterOptions,
  RegisterSpecOptions,
} from "./registry/operation-registry.ts";
export { OperationRegistry } from "./registry/operation-registry.ts";
export type { OperationAnswers } from "./registry/operation-subscription.ts";
export type { ErrorPlace, OperationErrorHandler } from "./report-error.ts";
export { toJsonSchema } from "./schema/to-json-schema.ts";
export type { ValidationIssue } from "./schema/validation-issue.ts";
export { type OperationSpecJson, specToJson } from "./spec-to-json.ts";
