import type { HubCore } from "../core/hub-core.ts";
import type { RealmServices } from "../core/realm-services.ts";
import type { ConnectionContext } from "./connection-context.ts";

/** WebSocket close code of a session that ended: 4000 to 4999 are for applications. */
export const SESSION_ENDED = 4_401;

/**
 * Ends connections whose credential, account or membership is gone. Calls are refused at once; this is for
 * those that only listen.
 */
export function recheckSockets(core: HubCore): void {
  recheck(core.services, ({ session }) => void session.principal());
  for (const runtime of core.runtimes) {
    recheck(runtime.services, ({ session }) => {
      if (runtime.identityOf(session.principal()) === null) throw new Error("no member any more");
    });
  }
}

function recheck({ sockets }: RealmServices, check: (context: ConnectionContext) => void): void {
  for (const connection of sockets.connections) {
    try {
      check(connection.context);
    } catch (error) {
      // too many requests end no session
      if ((error as { readonly code?: unknown }).code === "RATE_LIMITED") continue;
      connection.close(SESSION_ENDED, "the session ended");
    }
  }
}
