import { type CallLog, type CallRegistry, createCallHandler } from "@alkdev/operations";
import type { ServerSocket } from "@alkdev/pubsub/websocket-server";
import type { CallOrigin } from "../core/call-place.ts";
import type { HubCall, HubCore } from "../core/hub-core.ts";
import type { Session } from "../core/session.ts";

/** `readyState` of an open socket. */
const OPEN = 1;
/** The journal of the file knows the calls that were made; a second memory would contradict it. */
const JOURNALED: CallLog = { claim: () => "new", finish: () => undefined };

/**
 * Lets a client of an open socket call, be called and hear events, as the session may. Ends with the socket;
 * mutations that run then go on, for their caller may come back and ask how they ended.
 *
 * @throws CallError `UNAVAILABLE`
 */
export function openSocketSession(core: HubCore, socket: ServerSocket, session: Session): void {
  const { limits, onError } = core.settings;
  using lease = session.orgId === null ? null : core.runtimes.enter(session.orgId);
  const { sockets } = lease === null ? core.services : lease.runtime.services;
  const connection = sockets.addConnection(socket, {
    session,
    onClosed: () => {
      lease?.runtime.spokes.release(connection);
      void handler.close({ drainMs: limits.callTimeoutMs });
    },
  });
  const handler = createCallHandler({
    registry: sessionRegistry(core, session, { connection }),
    eventTarget: connection,
    callLog: JOURNALED,
    // who it is, and what it may do, the core finds out for each call
    identityOf: () => ({ id: session.accountId, scopes: [] }),
    maxCalls: limits.maxCallsPerSocket,
    maxSubscriptions: limits.maxSubscriptionsPerSocket,
    onError: (error, context) => {
      if (connection.socket.readyState === OPEN)
        onError(error, `WebSocket connection ${connection.id}: ${context}`);
    },
  });
}

/** The core as a call handler wants it: every call is this session's. */
function sessionRegistry(core: HubCore, session: Session, origin: CallOrigin): CallRegistry {
  const { callTimeoutMs } = core.settings.limits;
  const callOf = (operationId: string, input: unknown, options: Partial<HubCall>): HubCall => ({
    ...options,
    operationId,
    input,
    origin,
  });
  return {
    getSpec: (id) => core.specOf(session, id),
    execute: (id, input, { identity: _, ...options }) => {
      const deadline = Math.min(
        options.deadline ?? Number.POSITIVE_INFINITY,
        Date.now() + callTimeoutMs,
      );
      return core.execute(session, callOf(id, input, { ...options, deadline }));
    },
    subscribe: (id, input, { identity: _, ...options }) =>
      core.subscribe(session, callOf(id, input, options)),
  };
}
