import {
  CallError,
  type CallRegistry,
  createCallHandler,
  OperationsError,
} from "@alkdev/operations";
import type { ServerSocket } from "@alkdev/pubsub/websocket-server";
import type { CallOrigin } from "../core/call-place.ts";
import type { HubCall, HubCore } from "../core/hub-core.ts";
import type { Session } from "../core/session.ts";
import { noCallLog } from "../journal/no-call-log.ts";
import type { ConnectionContext } from "./connection-context.ts";

/** `readyState` of an open socket. */
const OPEN = 1;
/** Call events that are not understood, after which a connection is ended; frames have the same limit. */
const MOST_MALFORMED = 100;
/** WebSocket close code of a client that breaks the rules. */
const POLICY_VIOLATION = 1_008;

/** Whose connection {@link openSocketSession} opens. */
export type SocketSessionOptions = Pick<ConnectionContext, "session" | "onCutOff">;

/**
 * Lets a client of an open socket call, be called and hear events, as the session may. Ends with the socket;
 * mutations that run then go on, for their caller may come back and ask how they ended.
 *
 * @throws CallError `UNAVAILABLE`
 */
export function openSocketSession(
  core: HubCore,
  socket: ServerSocket,
  { session, onCutOff }: SocketSessionOptions,
): void {
  const { limits, onError } = core.settings;
  using lease = session.orgId === null ? null : core.runtimes.enter(session.orgId);
  const { sockets } = lease === null ? core.services : lease.runtime.services;
  let malformed = 0;
  const connection = sockets.addConnection(socket, {
    session,
    onCutOff,
    onClosed: () => {
      if (connection.malformed >= MOST_MALFORMED) onCutOff("malformed");
      lease?.runtime.spokes.release(connection);
      void handler.close({ drainMs: limits.callTimeoutMs });
    },
  });
  const handler = createCallHandler({
    registry: sessionRegistry(core, session, { connection }),
    eventTarget: connection,
    callLog: noCallLog,
    // who it is, and what it may do, the core finds out for each call
    identityOf: () => ({ id: session.accountId, scopes: [] }),
    maxCalls: limits.maxCallsPerSocket,
    maxSubscriptions: limits.maxSubscriptionsPerSocket,
    onError: (error, context) => {
      if (connection.socket.readyState !== OPEN) return;
      // the client's fault: it could fill a log with it
      if (error instanceof OperationsError && error.code === "MALFORMED_EVENT") {
        malformed += 1;
        if (malformed < MOST_MALFORMED) return;
        onCutOff("malformed");
        connection.close(POLICY_VIOLATION, "too many malformed calls");
        return;
      }
      onError(error, `WebSocket connection ${connection.id}: ${context}`);
    },
  });
}

/** The core as a call handler wants it: every call is this session's. */
function sessionRegistry(core: HubCore, session: Session, origin: CallOrigin): CallRegistry {
  const callOf = (operationId: string, input: unknown, options: Partial<HubCall>): HubCall => ({
    ...options,
    operationId,
    input,
    origin,
  });
  return {
    getSpec: (id) => {
      try {
        return core.specOf(session, id);
      } catch (error) {
        if (error instanceof CallError) return null; // the call itself is told
        throw error;
      }
    },
    execute: (id, input, { identity: _, ...options }) =>
      core.execute(session, callOf(id, input, options)),
    subscribe: (id, input, { identity: _, ...options }) =>
      core.subscribe(session, callOf(id, input, options)),
  };
}
