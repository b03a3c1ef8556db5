export type { ApiCallOptions, ApiHeaders } from "./openapi/api-call.ts";
export type { HttpFailure } from "./openapi/http-failures.ts";
export { HTTP_FAILURES } from "./openapi/http-failures.ts";
export type { HeaderDescription, OpenApiDocumentOptions } from "./openapi/open-api-document.ts";
export { openApiDocument } from "./openapi/open-api-document.ts";
export type {
  ApiOperationPlace,
  OpenApiOperations,
  OpenApiOperationsOptions,
  SkippedApiOperation,
} from "./openapi/operations-from-open-api.ts";
export { operationsFromOpenApi } from "./openapi/operations-from-open-api.ts";
