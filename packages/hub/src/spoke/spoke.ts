import type { EnvelopeOf, EventType, PubSub } from "@alkdev/pubsub";
import type { TenantDatabase } from "@alkdev/storage/sqlite";
import type { HubOperation } from "../journal/hub-operation.ts";
import type { ApplyEvent } from "./consume.ts";
import type { HubCaller } from "./hub-calls.ts";
import type { ConnectionOptions, LinkState } from "./hub-link.ts";
import type { SpokeEventsOptions } from "./spoke-events.ts";

/** Options of `openSpoke`. */
export interface SpokeOptions extends ConnectionOptions {
  /** Unique in the organisation, and the same after a restart: its events are resumed by it. */
  readonly name: string;
  /** Path of the spoke's own file, made if it is not there. */
  readonly file: string;
  /** What it serves: given its file, returns operations with their handlers. Default: nothing. */
  readonly operations?: (db: TenantDatabase) => readonly HubOperation[];
  /** Where events go and come from. */
  readonly events?: SpokeEventsOptions;
  /** Queries and mutations that run at once; more are answered with `OVERLOADED`. Default 1,000. */
  readonly maxCalls?: number;
  /** Seconds that the file remembers calls, to answer them again. Default 86,400. */
  readonly rememberSeconds?: number;
  /** Gets each change of {@link Spoke.state}. */
  readonly onStateChange?: (state: SpokeState) => void;
}

/**
 * Where a spoke stands: `connecting` and `waiting` for the next try; `open`: connected, and not yet
 * registered; `ready`: the hub passes calls on to it; `refused` and `closed` for good.
 */
export type SpokeState = LinkState | "ready";

/** A program with a file of its own that serves operations through a hub. */
export interface Spoke<Events extends object> extends HubCaller, AsyncDisposable {
  /** Its own file. */
  readonly db: TenantDatabase;
  /** Events by the routes of the options: over the hub, in the file, or in this process. */
  readonly events: PubSub<Events>;
  readonly state: SpokeState;
  /**
   * Resolves when the hub passes calls on to it.
   *
   * @throws HubError `REFUSED`, `CLOSED`
   */
  ready(): Promise<void>;
  /**
   * Applies the events of a topic that is `hub-durable`, each exactly once: what `apply` writes to the file
   * and how far the topic was dealt with are one commit. `apply` is synchronous. Returns a function that ends
   * it.
   *
   * @throws HubError `INVALID_ARGUMENT`
   */
  consume<Type extends EventType<Events>>(
    type: Type,
    id: string,
    apply: ApplyEvent<EnvelopeOf<Events, Type>>,
  ): () => void;
  /**
   * Takes no more calls, waits at most `drainMs` (default 10,000) for those that run, and closes the
   * connection and the file. Idempotent.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}
