export type { HttpFailure } from "./openapi/http-failures.ts";
export { HTTP_FAILURES } from "./openapi/http-failures.ts";
export type { HeaderDescription, OpenApiDocumentOptions } from "./openapi/open-api-document.ts";
export { openApiDocument } from "./openapi/open-api-document.ts";
