import { CallError } from "@alkdev/operations";
import type { Principal } from "@alkdev/storage/sqlite";
import type { HubCore } from "../core/hub-core.ts";
import type { RealmServices } from "../core/realm-services.ts";
import type { PrincipalOf } from "../core/session.ts";
import { SESSION_ENDED } from "../protocol/connection-names.ts";
import type { ConnectionContext } from "./connection-context.ts";

/**
 * Ends connections and subscriptions whose credential, account or membership is gone. Calls are refused at
 * once; this is for those that only listen.
 */
export function recheckSessions(core: HubCore): void {
  const principalOf = askedOnce();
  core.recheckSubscriptions(principalOf);
  recheck(core.services, ({ session }) => void principalOf(session));
  for (const runtime of core.runtimes) {
    recheck(runtime.services, ({ session }) => {
      if (runtime.identityOf(principalOf(session)) !== null) return;
      throw new CallError("FORBIDDEN", "no access to this organisation");
    });
  }
}

/** Each credential is looked at once, however many connections it has: looks count against its limit. */
function askedOnce(): PrincipalOf {
  const asked = new Map<string, () => Principal>();
  return (session) => {
    let answer = asked.get(session.credentialId);
    if (answer === undefined) {
      answer = outcomeOf(() => session.principal());
      asked.set(session.credentialId, answer);
    }
    return answer();
  };
}

function outcomeOf(ask: () => Principal): () => Principal {
  try {
    const principal = ask();
    return () => principal;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function recheck({ sockets }: RealmServices, check: (context: ConnectionContext) => void): void {
  for (const connection of sockets.connections) {
    try {
      check(connection.context);
    } catch (error) {
      // too many requests end no session
      if ((error as { readonly code?: unknown }).code === "RATE_LIMITED") continue;
      connection.context.onCutOff("session");
      connection.close(SESSION_ENDED, "the session ended");
    }
  }
}
