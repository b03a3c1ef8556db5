import { randomUUID } from "node:crypto";
import {
  type AnyOperation,
  CallError,
  type Caller,
  createCaller,
  type OperationContext,
  OperationRegistry,
  type OperationSpec,
  operationId,
  type RemoteCallOptions,
} from "@alkdev/operations";
import type { WebSocketConnection } from "@alkdev/pubsub/websocket-server";
import type { HubSettings } from "../core/hub-options.ts";
import { journaled } from "../core/journaled.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { SPOKE_ROUTE } from "./spoke-protocol.ts";

type Connection = WebSocketConnection<ConnectionContext>;

/** What a spoke tells of itself. */
export interface SpokeRegistration {
  /** Unique in the tenant; the same after a restart. */
  readonly name: string;
  /** Of this process of the spoke alone: tells a reconnection from another process of that name. */
  readonly instance: string;
  readonly operations: readonly OperationSpec[];
}

/** A spoke as it may be shown. */
export interface SpokeInfo {
  readonly name: string;
  readonly connected: boolean;
  /** ISO 8601: when it last connected, or went. */
  readonly since: string;
  readonly operations: readonly string[];
}

interface Link extends SpokeRegistration {
  /** Null while the spoke is away. */
  caller: Caller | null;
  connection: Connection | null;
  since: Date;
  readonly waiting: Set<() => void>;
}

/** `readyState` of an open socket. */
const OPEN = 1;
/** Milliseconds a call waits for a spoke that is away. */
const WAIT_MS = 10_000;
/** Milliseconds after which the operations of a spoke that went are forgotten. */
const FORGET_MS = 60_000;

/**
 * The spokes of one tenant that are connected to this hub, and their operations. A call waits a while for a
 * spoke that is away, and is sent again under its request id when the connection breaks: the spoke answers
 * each once.
 */
export class SpokeLinks {
  /** Operations of all spokes; their handlers pass calls on. */
  readonly registry: OperationRegistry;
  readonly #links = new Map<string, Link>();
  readonly #settings: HubSettings;

  constructor(settings: HubSettings) {
    this.#settings = settings;
    this.registry = new OperationRegistry({
      onError: (error, { operationId: id, requestId }) =>
        settings.onError(error, `call ${requestId} of ${id}`),
    });
  }

  /** The spokes, by name. */
  list(): readonly SpokeInfo[] {
    return [...this.#links.values()]
      .map(({ name, connection, since, operations }) => ({
        name,
        connected: connection !== null,
        since: since.toISOString(),
        operations: operations.map(operationId),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Takes the operations of a spoke; those it had before and has no more are gone.
   *
   * @throws CallError `SPOKE_NAME_TAKEN` while another process of that name is connected, `ALREADY_EXISTS`
   * for an operation of somebody else
   */
  register(connection: Connection, spoke: SpokeRegistration): void {
    const before = this.#links.get(spoke.name);
    const others = [...this.#links.values()].filter((link) => link !== before);
    if (before?.connection?.socket.readyState === OPEN && before.instance !== spoke.instance) {
      throw new CallError("SPOKE_NAME_TAKEN", `a spoke "${spoke.name}" is connected already`, {
        details: { name: spoke.name },
      });
    }
    this.#requireFree(spoke, others);
    if (before !== undefined) this.#forget(before);
    const caller = createCaller({
      eventTarget: connection,
      route: SPOKE_ROUTE,
      replyTo: randomUUID(),
      timeoutMs: null, // the call brings its deadline
      onError: (error, context) =>
        this.#settings.onError(error, `spoke "${spoke.name}": ${context}`),
    });
    const link: Link = {
      ...spoke,
      connection,
      caller,
      since: new Date(),
      waiting: before?.waiting ?? new Set(),
    };
    this.#links.set(spoke.name, link);
    const { callTimeoutMs: timeoutMs } = this.#settings.limits;
    for (const spec of spoke.operations) {
      const operation = forwarded(spec, () => this.#links.get(spoke.name) ?? link);
      const options = spec.type === "subscription" ? {} : { timeoutMs };
      this.registry.registerAll([journaled({ operation, repeatable: true })], options);
    }
    for (const wake of [...link.waiting]) wake();
  }

  /** The connection is over: calls wait for the spoke to come back. */
  release(connection: Connection): void {
    for (const link of this.#links.values()) {
      if (link.connection !== connection) continue;
      link.connection = null;
      link.since = new Date();
      link.caller?.close();
      link.caller = null;
      const forget = setTimeout(() => {
        if (this.#links.get(link.name) !== link || link.connection !== null) return;
        this.#links.delete(link.name);
        this.#forget(link);
      }, FORGET_MS);
      forget.unref();
    }
  }

  #requireFree({ name, operations }: SpokeRegistration, others: readonly Link[]): void {
    const taken = new Map(
      others.flatMap((link) => link.operations.map((spec) => [operationId(spec), link.name])),
    );
    for (const spec of operations) {
      const id = operationId(spec);
      const owner = taken.get(id);
      if (owner === undefined) continue;
      throw new CallError(
        "ALREADY_EXISTS",
        `operation "${id}" of spoke "${name}" is of "${owner}"`,
        {
          details: { operationId: id, owner },
        },
      );
    }
  }

  #forget(link: Link): void {
    for (const spec of link.operations) this.registry.unregister(operationId(spec));
    if (link.connection !== null) link.caller?.close();
  }
}

/** The operation at the hub: passes calls on to the spoke. */
function forwarded(spec: OperationSpec, linkOf: () => Link): AnyOperation {
  const id = operationId(spec);
  const handler =
    spec.type === "subscription"
      ? (input: unknown, context: OperationContext) => subscribeTo(linkOf, { id, input, context })
      : (input: unknown, context: OperationContext) => callOn(linkOf, { id, input, context });
  return { ...spec, handler: handler as AnyOperation["handler"] };
}

interface Forwarded {
  readonly id: string;
  readonly input: unknown;
  readonly context: OperationContext;
}

async function callOn(linkOf: () => Link, { id, input, context }: Forwarded): Promise<unknown> {
  for (;;) {
    const caller = await connected(linkOf, context.signal);
    try {
      return await caller.call(id, input, remoteOptions(context));
    } catch (error) {
      const lost = linkOf().caller !== caller && !context.signal.aborted;
      // sent again under the same id, the spoke answers it once
      if (!lost || !(error instanceof CallError) || error.code !== "ABORTED") throw error;
    }
  }
}

async function* subscribeTo(linkOf: () => Link, call: Forwarded): AsyncGenerator<unknown> {
  const { id, input, context } = call;
  const caller = await connected(linkOf, context.signal);
  try {
    yield* caller.subscribe(id, input, remoteOptions(context));
  } catch (error) {
    if (linkOf().caller === caller || context.signal.aborted) throw error;
    throw new CallError("TRANSPORT_ERROR", `the spoke went away while it answered ${id}`);
  }
}

function remoteOptions(context: OperationContext): RemoteCallOptions {
  const { requestId, parentRequestId, identity, signal, deadline } = context;
  return {
    requestId,
    signal,
    ...(parentRequestId === undefined ? {} : { parentRequestId }),
    ...(identity === undefined ? {} : { identity }),
    ...(deadline === undefined ? {} : { deadline }),
  };
}

/** The caller of the spoke, which may have to come back first. @throws CallError `SPOKE_AWAY` */
async function connected(linkOf: () => Link, signal: AbortSignal): Promise<Caller> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    signal.throwIfAborted();
    const link = linkOf();
    if (link.caller !== null) return link.caller;
    const leftMs = until - performance.now();
    if (leftMs <= 0) {
      throw new CallError("SPOKE_AWAY", `spoke "${link.name}" is not connected`, {
        details: { name: link.name },
      });
    }
    await wakened(link, { signal, ms: leftMs });
  }
}

/** Resolves when the spoke is back, the signal is aborted, or so many milliseconds are over. */
function wakened(
  { waiting }: Link,
  { signal, ms }: { readonly signal: AbortSignal; readonly ms: number },
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      waiting.delete(done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    waiting.add(done);
  });
}
