export { HubError, type HubErrorCode, type HubErrorOptions } from "../errors.ts";
export type { HubOperation } from "../journal/hub-operation.ts";
export { type ConnectHubOptions, connectHub, type HubClient } from "./connect-hub.ts";
export type { ApplyEvent } from "./consume.ts";
export type { HubAddress } from "./hub-address.ts";
export type { HubCaller, HubCallOptions, HubSubscribeOptions } from "./hub-calls.ts";
export type { ConnectionOptions, LinkState } from "./hub-link.ts";
export { openSpoke } from "./open-spoke.ts";
export type { Spoke, SpokeOptions, SpokeState } from "./spoke.ts";
export {
  DEFAULT_SPOKE_EVENT_ROUTES,
  type SpokeEventReach,
  type SpokeEventRoute,
  type SpokeEventsOptions,
} from "./spoke-events.ts";
export type { SshIdentity } from "./ssh-identity.ts";
