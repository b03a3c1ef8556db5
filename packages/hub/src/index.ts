export { type CallOrigin, systemOf, tenantOf } from "./core/call-place.ts";
export type { CallReport } from "./core/call-reports.ts";
export type { Credential, SignInOptions } from "./core/credential.ts";
export {
  DEFAULT_EVENT_ROUTES,
  type EventReach,
  type EventRoute,
} from "./core/event-routes.ts";
export {
  createHubCore,
  type HubCall,
  type HubCore,
} from "./core/hub-core.ts";
export type {
  HubLimits,
  HubOperation,
  HubOperations,
  HubOptions,
  HubSettings,
} from "./core/hub-options.ts";
export { HUB_MEMBERSHIP_SCOPES } from "./core/hub-scopes.ts";
export type { Session } from "./core/session.ts";
export { HubError, type HubErrorCode, type HubErrorOptions } from "./errors.ts";
export type { HubMcpOptions } from "./http/mcp-routes.ts";
export { type Hub, type StartHubOptions, startHub } from "./start-hub.ts";
export { type HubWorkers, type HubWorkersOptions, startHubWorkers } from "./workers/hub-workers.ts";
