import { randomUUID } from "node:crypto";
import {
  CallError,
  type Caller,
  createCaller,
  type OperationSpec,
  type ResponseEnvelope,
} from "@alkdev/operations";
import type { WebSocketConnection } from "@alkdev/pubsub/websocket-server";
import type { HubSettings } from "../core/hub-options.ts";
import { SPOKE_ROUTE } from "../protocol/spoke-protocol.ts";
import type { ConnectionContext } from "./connection-context.ts";

/** The connection of a spoke. */
export type SpokeConnection = WebSocketConnection<ConnectionContext>;

/** One spoke as the hub knows it, connected or away. */
export class SpokeLink {
  readonly name: string;
  readonly #settings: HubSettings;
  readonly #waiting = new Set<() => void>();
  /** Calls that are under way, by what makes two of them the same. */
  readonly #underWay = new Map<string, Promise<ResponseEnvelope>>();
  #operations: readonly OperationSpec[];
  #instance: string | null = null;
  #connection: SpokeConnection | null = null;
  #caller: Caller | null = null;
  #since = new Date();
  #closed = false;

  constructor(name: string, operations: readonly OperationSpec[], settings: HubSettings) {
    this.name = name;
    this.#operations = operations;
    this.#settings = settings;
  }

  get operations(): readonly OperationSpec[] {
    return this.#operations;
  }

  /** Null while it is away. */
  get connection(): SpokeConnection | null {
    return this.#connection;
  }

  /** Null while it is away. Another one after each connection. */
  get caller(): Caller | null {
    return this.#caller;
  }

  /** Of the process that connected last; null: none since the hub started. */
  get instance(): string | null {
    return this.#instance;
  }

  /** When it last came or went. */
  get since(): Date {
    return this.#since;
  }

  /** The spoke is there: calls that wait for it go on. */
  attach(
    connection: SpokeConnection,
    spoke: { readonly instance: string; readonly operations: readonly OperationSpec[] },
  ): void {
    this.detach();
    this.#connection = connection;
    this.#instance = spoke.instance;
    this.#operations = spoke.operations;
    this.#caller = createCaller({
      eventTarget: connection,
      route: SPOKE_ROUTE,
      replyTo: randomUUID(),
      timeoutMs: null, // the call brings its deadline
      onError: (error, context) =>
        this.#settings.onError(error, `spoke "${this.name}": ${context}`),
    });
    this.#since = new Date();
    this.#wake();
  }

  /** The connection is over: calls wait for the spoke to come back. */
  detach(): void {
    if (this.#connection === null) return;
    const caller = this.#caller;
    this.#connection = null;
    this.#caller = null;
    this.#since = new Date();
    caller?.close();
  }

  /** Nobody waits any more. */
  close(): void {
    this.#closed = true;
    this.detach();
    this.#wake();
  }

  /**
   * The caller of the spoke, which may have to come back first.
   *
   * @throws CallError `SPOKE_AWAY`, `UNAVAILABLE`; the signal's reason
   */
  async ready(signal: AbortSignal): Promise<Caller> {
    const until = performance.now() + this.#settings.limits.spokeWaitMs;
    for (;;) {
      signal.throwIfAborted();
      if (this.#closed) throw new CallError("UNAVAILABLE", "the organisation is closing");
      if (this.#caller !== null) return this.#caller;
      const leftMs = until - performance.now();
      if (leftMs <= 0) {
        throw new CallError("SPOKE_AWAY", `spoke "${this.name}" is not connected`, {
          details: { name: this.name },
        });
      }
      await this.#changed(signal, leftMs);
    }
  }

  /** Makes a call, or joins the same one where it is under way. */
  once(key: string, call: () => Promise<ResponseEnvelope>): Promise<ResponseEnvelope> {
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const made = call().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, made);
    return made;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when the spoke is back, the signal is aborted, or so many milliseconds are over. */
  #changed(signal: AbortSignal, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done, { once: true });
      this.#waiting.add(done);
    });
  }
}
