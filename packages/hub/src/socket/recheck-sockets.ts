import type { HubCore } from "../core/hub-core.ts";
import type { RealmServices } from "../core/realm-services.ts";
import { SESSION_ENDED } from "../protocol/connection-names.ts";
import type { ConnectionContext } from "./connection-context.ts";

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
