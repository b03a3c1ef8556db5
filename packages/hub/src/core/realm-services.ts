import type { Database } from "@alkdev/honker";
import { CallError } from "@alkdev/operations";
import {
  createWebSocketServerEventTarget,
  type WebSocketServerEventTarget,
} from "@alkdev/pubsub/websocket-server";
import {
  type CallJournal,
  createCallJournal,
  createStreamSource,
  type SystemDatabase,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { isCallTopic } from "../socket/call-topics.ts";
import type { ConnectionContext } from "../socket/connection-context.ts";
import { createRealmEvents, EVENT_STREAM, type RealmEvents } from "./event-routes.ts";
import type { HubSettings } from "./hub-options.ts";
import { OpenSubscriptions } from "./open-subscriptions.ts";

/** What {@link RealmServices} is made of. */
export interface RealmServicesParts {
  readonly db: SystemDatabase | TenantDatabase;
  readonly settings: HubSettings;
  /** Whether a connection may hear events, or send them. @throws CallError where its session is over */
  readonly mayUse: (context: ConnectionContext, action: "hear" | "send") => boolean;
}

/** What a hub runs over one file: the journal of calls, events, and the connections that hear them. */
export class RealmServices {
  readonly db: SystemDatabase | TenantDatabase;
  readonly journal: CallJournal;
  readonly events: RealmEvents;
  readonly subscriptions: OpenSubscriptions = new OpenSubscriptions();
  readonly sockets: WebSocketServerEventTarget<ConnectionContext>;

  constructor({ db, settings, mayUse }: RealmServicesParts) {
    const { onError, limits, events, name, instanceId } = settings;
    this.db = db;
    this.journal = createCallJournal(db, { owner: instanceId, onError });
    this.events = createRealmEvents({
      db: this.client,
      routes: events.routes,
      hubName: name,
      onError,
    });
    this.sockets = createWebSocketServerEventTarget<ConnectionContext>({
      upstream: this.events.target,
      isPrivate: isCallTopic,
      durable: { source: createStreamSource({ db: this.client, streamName: EVENT_STREAM }) },
      authorize: ({ connection: { context }, action, topic, consumer }) => {
        if (isCallTopic(topic)) return true;
        // who keeps a place can move another's, so that is writing
        const sends = action === "publish" || consumer !== undefined;
        try {
          return mayUse(context, sends ? "send" : "hear");
        } catch (error) {
          if (error instanceof CallError) return false;
          throw error;
        }
      },
      maxBufferedAmount: limits.maxBufferedBytes,
      maxFrameBytes: limits.maxBodyBytes,
      heartbeatMs: limits.heartbeatMs,
      onBackpressure: ({ context }) => context.onCutOff("slow"),
      onDisconnection: ({ context }) => context.onClosed(),
      onError,
    });
  }

  get client(): Database {
    return this.db.$client;
  }

  /** Ends connections and events, and writes down what the journal holds. Idempotent. */
  async close(): Promise<void> {
    await this.sockets.close();
    await this.subscriptions.end(new CallError("UNAVAILABLE", "the hub closes the file"));
    this.events.close();
    this.journal.close();
  }
}
