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
  OperationFilter,
  OperationRegistryOptions,
  RegisteredOperation,
  RegisterOptions,
  RegisterSpecOptions,
} from "./registry/operation-registry.ts";
export { OperationRegistry } from "./registry/operation-registry.ts";
export type { OperationAnswers } from "./registry/operation-subscription.ts";
export type { ErrorPlace, OperationErrorHandler } from "./report-error.ts";
export type { ValidationIssue } from "./schema/validator.ts";
