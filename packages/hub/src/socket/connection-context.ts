import type { Session } from "../core/session.ts";

/** Why a hub ends a connection: its client is too slow, sends nonsense, or may no longer be there. */
export type CutOff = "slow" | "malformed" | "session";

/** What the hub knows of a WebSocket connection. */
export interface ConnectionContext {
  readonly session: Session;
  /** Called before the hub ends the connection for a fault of the client. */
  onCutOff(reason: CutOff): void;
  /** Called once the connection is over, whoever ended it. */
  onClosed(): void;
}
