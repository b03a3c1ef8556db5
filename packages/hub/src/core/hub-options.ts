import { randomUUID } from "node:crypto";
import type {
  AuthenticatorOptions,
  MembershipScopes,
  TenantManagerOptions,
} from "@alkdev/storage/sqlite";
import { HubError } from "../errors.ts";
import type { HubOperation } from "../journal/hub-operation.ts";
import { DEFAULT_EVENT_ROUTES, type EventRoute, requireEventRoutes } from "./event-routes.ts";
import { HUB_MEMBERSHIP_SCOPES } from "./hub-scopes.ts";

export type { HubOperation } from "../journal/hub-operation.ts";

/** How much a hub takes of a caller. */
export interface HubLimits {
  /** Bytes of a request body or a frame, default 1,048,576. */
  readonly maxBodyBytes: number;
  /** Milliseconds a call may take when its caller says nothing, and at most, default 30,000. */
  readonly callTimeoutMs: number;
  /** Milliseconds a client may take to send the headers of a request, default 10,000. */
  readonly headersTimeoutMs: number;
  /** Milliseconds a client may take to send a whole request, default 30,000. */
  readonly requestTimeoutMs: number;
  /** Open TCP connections, default 10,000. */
  readonly maxConnections: number;
  /** WebSocket connections of one account, default 1,000. */
  readonly maxSocketsPerAccount: number;
  /** Calls that run at once over one WebSocket, default 1,000. */
  readonly maxCallsPerSocket: number;
  /** Subscriptions that run at once over one WebSocket, default 1,000. */
  readonly maxSubscriptionsPerSocket: number;
  /** Bytes waiting for a slow client before it is cut off, default 1,048,576. */
  readonly maxBufferedBytes: number;
  /**
   * Milliseconds between two pings of a WebSocket, two comments in a stream of server-sent events, and two
   * looks whether those who listen still may. Default 15,000.
   */
  readonly heartbeatMs: number;
  /** Milliseconds a tenant without anybody stays open, default 30,000. */
  readonly idleTenantMs: number;
  /** Milliseconds a call waits for a spoke that is away, default 10,000. */
  readonly spokeWaitMs: number;
  /** Milliseconds until the operations of a spoke that went are forgotten, default 60,000. */
  readonly spokeForgetMs: number;
}

/** Operations of an embedding program. */
export interface HubOperations {
  /** For callers in an organisation; `tenantOf(context)` is its database. */
  readonly tenant?: readonly HubOperation[];
  /** For callers in none; `systemOf(context)` is `system.db`. */
  readonly system?: readonly HubOperation[];
}

/** Options of `createHubCore` and `startHub`. */
export interface HubOptions {
  /** Folder of `system.db` and of the folder `tenants`; made if it is not there. */
  readonly dataFolder: string;
  /** Name of this hub, the same after a restart, default `main`. Two hubs over one folder need two. */
  readonly name?: string;
  readonly limits?: Partial<HubLimits>;
  /** How far events go, default {@link DEFAULT_EVENT_ROUTES}. */
  readonly events?: { readonly routes: readonly EventRoute[] };
  /** Operations besides those of the tables and of the hub itself. */
  readonly operations?: HubOperations;
  /** What members may do, default {@link HUB_MEMBERSHIP_SCOPES}. */
  readonly membershipScopes?: MembershipScopes;
  /** Limits and audit of signing in. */
  readonly auth?: Omit<AuthenticatorOptions, "onError">;
  /** How tenants are kept open. */
  readonly tenants?: Pick<
    TenantManagerOptions,
    "maxOpen" | "openOptions" | "graceSeconds" | "ownTables" | "olderFiles"
  >;
  /** Whether calls are projected into the call graph here, default true. */
  readonly projection?: boolean;
  /** What fails in the background. Default: a process warning. */
  readonly onError?: (error: unknown, context: string) => void;
}

/** {@link HubOptions} checked, with every default filled in. */
export interface HubSettings extends Required<HubOptions> {
  readonly limits: HubLimits;
  /** Of this process alone. */
  readonly instanceId: string;
}

const DEFAULT_LIMITS: HubLimits = {
  maxBodyBytes: 1_048_576,
  callTimeoutMs: 30_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  maxConnections: 10_000,
  maxSocketsPerAccount: 1_000,
  maxCallsPerSocket: 1_000,
  maxSubscriptionsPerSocket: 1_000,
  maxBufferedBytes: 1_048_576,
  heartbeatMs: 15_000,
  idleTenantMs: 30_000,
  spokeWaitMs: 10_000,
  spokeForgetMs: 60_000,
};

/** Checks options and fills in defaults. @throws HubError `INVALID_ARGUMENT` */
export function resolveHubOptions(options: HubOptions): HubSettings {
  const { dataFolder, name = "main" } = options;
  if (typeof dataFolder !== "string" || dataFolder === "") {
    throw new HubError("INVALID_ARGUMENT", "dataFolder must be the path of a folder");
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
    throw new HubError("INVALID_ARGUMENT", `the hub's name is ${JSON.stringify(name)}`, {
      hint: "Use up to 63 letters, digits, dots, hyphens and underscores",
    });
  }
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  for (const [key, value] of Object.entries(limits)) {
    if (Number.isSafeInteger(value) && value >= 1 && value <= 2_147_483_647) continue;
    throw new HubError(
      "INVALID_ARGUMENT",
      `limits.${key} is ${String(value)}; it must be a whole number from 1 to 2147483647`,
    );
  }
  const events = options.events ?? { routes: DEFAULT_EVENT_ROUTES };
  requireEventRoutes(events.routes);
  return {
    auth: {},
    tenants: {},
    operations: {},
    membershipScopes: HUB_MEMBERSHIP_SCOPES,
    projection: true,
    onError: warn,
    ...options,
    name,
    limits,
    events,
    instanceId: `${name}:${randomUUID()}`,
  };
}

function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "HubWarning" });
}
