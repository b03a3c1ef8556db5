import { type Identity, scopeMatches } from "@alkdev/operations";
import {
  type Acl,
  type CallProjection,
  createAcl,
  createCallProjection,
  type Principal,
  type TenantDatabase,
  type TenantHandle,
  tenantIdentity,
} from "@alkdev/storage/sqlite";
import { SpokeLinks } from "../socket/spoke-links.ts";
import type { HubSettings } from "./hub-options.ts";
import { RealmServices } from "./realm-services.ts";

/** The same for all hubs: a call graph has one consumer, which processes share. */
const CALLS_CONSUMER = "hub:all:calls";
/** Events of a commit of the projection, during which calls wait: some 100 microseconds for each. */
const PROJECTED_AT_ONCE = 25;
/** The rest of the time is for calls; what they leave to be projected waits until there are fewer. */
const SHARE_OF_PROJECTION = 0.2;

const PROJECT_THE_REST_MS = 500;

/** Everything that a hub has of an open tenant. Made by `TenantRuntimes`. */
export class TenantRuntime {
  readonly orgId: string;
  readonly services: RealmServices;
  readonly projection: CallProjection;
  /** Spokes that are connected now, and their operations. */
  readonly spokes: SpokeLinks;
  readonly #handle: TenantHandle;
  readonly #acl: Acl;
  readonly #settings: HubSettings;
  #closing: Promise<void> | undefined;

  constructor(handle: TenantHandle, settings: HubSettings) {
    const { db, orgId } = handle;
    const { onError, projection } = settings;
    this.orgId = orgId;
    this.#handle = handle;
    this.#settings = settings;
    this.#acl = createAcl(db);
    this.services = new RealmServices({
      db,
      settings,
      mayUse: ({ session }, action) => this.#mayUseEvents(session.principal(), action),
    });
    this.spokes = new SpokeLinks(db, settings);
    this.projection = createCallProjection(db, {
      consumer: CALLS_CONSUMER,
      batchSize: PROJECTED_AT_ONCE,
      share: SHARE_OF_PROJECTION,
      onError,
    });
    if (projection) this.projection.start();
  }

  get db(): TenantDatabase {
    return this.#handle.db;
  }

  /** What somebody may do here; null for those who are not in the organisation. */
  identityOf(principal: Principal): Identity | null {
    const { membershipScopes } = this.#settings;
    return tenantIdentity(principal, { orgId: this.orgId, acl: this.#acl, membershipScopes });
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.services.sockets.stats().connections;
  }

  /** Ends connections and subscriptions, and gives the file back. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.spokes.close();
    try {
      await this.services.close();
      await this.projection.stop();
      if (this.#settings.projection && this.#handle.isOpen) await this.#projectTheRest();
    } finally {
      this.#handle.close();
    }
  }

  /** What takes longer is projected when the tenant is opened next. */
  async #projectTheRest(): Promise<void> {
    const signal = AbortSignal.timeout(PROJECT_THE_REST_MS);
    await this.projection.catchUp({ signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  #mayUseEvents(principal: Principal, action: "hear" | "send"): boolean {
    const needed = action === "hear" ? "events:read" : "events:write";
    const scopes = this.identityOf(principal)?.scopes ?? [];
    return scopes.some((held) => scopeMatches(held, needed));
  }
}
