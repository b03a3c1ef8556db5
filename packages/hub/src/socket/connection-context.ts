import type { Session } from "../core/session.ts";

/** What the hub knows of a WebSocket connection. */
export interface ConnectionContext {
  readonly session: Session;
  /** Called once the connection is over, whoever ended it. */
  onClosed(): void;
}
