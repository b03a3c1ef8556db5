import { CallError, OperationRegistry, type OperationSpec, operationId } from "@alkdev/operations";
import { specFromJson } from "@alkdev/operations/json-schema";
import { createKeptValues, type KeptValues, type TenantDatabase } from "@alkdev/storage/sqlite";
import type { HubSettings } from "../core/hub-options.ts";
import { journalOf } from "../core/place-of-call.ts";
import { journaled } from "../journal/journaled.ts";
import { SUPERSEDED } from "../protocol/connection-names.ts";
import { forwardedOperation } from "./forwarded-operation.ts";
import { type SpokeConnection, SpokeLink } from "./spoke-link.ts";

/** What a spoke tells of itself. */
export interface SpokeRegistration {
  /** Unique in the tenant; the same after a restart. */
  readonly name: string;
  /** Of this process of the spoke alone: tells a reconnection from another process of that name. */
  readonly instance: string;
  readonly operations: readonly OperationSpec[];
  /** The operations as they came. */
  readonly json: readonly unknown[];
}

/** A spoke as it may be shown. */
export interface SpokeInfo {
  readonly name: string;
  readonly connected: boolean;
  /** ISO 8601: when it last connected, or went. */
  readonly since: string;
  readonly operations: readonly string[];
}

/** `readyState` of an open socket. */
const OPEN = 1;

/**
 * The spokes of one tenant, and their operations. A call waits a while for a spoke that is away, and is sent
 * again under its request id when the connection breaks: the spoke answers each once. What spokes serve is
 * kept in the tenant's file, so that a hub that starts again waits for them, too.
 */
export class SpokeLinks {
  /** Operations of all spokes; their handlers pass calls on. */
  readonly registry: OperationRegistry;
  readonly #links = new Map<string, SpokeLink>();
  readonly #forgetting = new Map<SpokeLink, NodeJS.Timeout>();
  readonly #settings: HubSettings;
  readonly #kept: KeptValues;
  #closed = false;

  constructor({ $client }: TenantDatabase, settings: HubSettings) {
    this.#settings = settings;
    this.#kept = createKeptValues($client, "spokes");
    this.registry = new OperationRegistry({
      onError: (error, { operationId: id, requestId }) =>
        settings.onError(error, `call ${requestId} of ${id}`),
    });
    for (const { name, value } of this.#kept.list()) this.#expect(name, value);
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
   * @throws CallError `NO_CONNECTION`, `SPOKE_NAME_TAKEN` while another process of that name is connected,
   * `ALREADY_EXISTS` for an operation of somebody else or a second spoke of one connection,
   * `INVALID_SPEC` for two operations of one name
   */
  register(connection: SpokeConnection, spoke: SpokeRegistration): void {
    const { name, instance, operations, json } = spoke;
    const known = this.#links.get(name);
    if (connection.socket.readyState !== OPEN || this.#closed) {
      throw new CallError("NO_CONNECTION", "the connection ended meanwhile");
    }
    const before = known?.connection ?? null;
    if (before?.socket.readyState === OPEN && known?.instance !== instance) {
      throw new CallError("SPOKE_NAME_TAKEN", `a spoke "${name}" is connected already`, {
        details: { name },
      });
    }
    requireDistinct(operations);
    this.#requireOnly(connection, name);
    this.#requireFree(spoke);
    const link = known ?? this.#link(name, []);
    this.#unserve(link);
    link.attach(connection, { instance, operations });
    this.#serve(link);
    this.#stopForgetting(link);
    if (before !== connection) before?.close(SUPERSEDED, "the spoke connected again");
    this.#keep(() => this.#kept.set(name, json));
  }

  /** The connection is over: calls wait for the spoke to come back. */
  release(connection: SpokeConnection): void {
    for (const link of this.#links.values()) {
      if (link.connection !== connection) continue;
      link.detach();
      if (!this.#closed) this.#forgetLater(link);
    }
  }

  /** Ends calls that wait for a spoke. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#forgetting.values()) clearTimeout(timer);
    this.#forgetting.clear();
    for (const link of this.#links.values()) link.close();
  }

  /** A spoke that was there before the hub started, and may come back. */
  #expect(name: string, value: unknown): void {
    let operations: readonly OperationSpec[];
    try {
      operations = (value as readonly unknown[]).map((json) => specFromJson(json));
    } catch (error) {
      this.#settings.onError(error, `reading what spoke "${name}" served`);
      return;
    }
    const link = this.#link(name, operations);
    this.#serve(link);
    this.#forgetLater(link);
  }

  #link(name: string, operations: readonly OperationSpec[]): SpokeLink {
    const link = new SpokeLink(name, operations, this.#settings);
    this.#links.set(name, link);
    return link;
  }

  #serve(link: SpokeLink): void {
    const { callTimeoutMs: timeoutMs } = this.#settings.limits;
    for (const spec of link.operations) {
      const operation = forwardedOperation(spec, link);
      const options = spec.type === "subscription" ? {} : { timeoutMs };
      const served = journaled({ operation }, { journalOf, remembered: "elsewhere" });
      this.registry.registerAll([served], options);
    }
  }

  #unserve(link: SpokeLink): void {
    for (const spec of link.operations) this.registry.unregister(operationId(spec));
  }

  #forgetLater(link: SpokeLink): void {
    this.#stopForgetting(link);
    const timer = setTimeout(() => {
      this.#forgetting.delete(link);
      this.#links.delete(link.name);
      this.#unserve(link);
      this.#keep(() => this.#kept.delete(link.name));
    }, this.#settings.limits.spokeForgetMs);
    timer.unref();
    this.#forgetting.set(link, timer);
  }

  #stopForgetting(link: SpokeLink): void {
    clearTimeout(this.#forgetting.get(link));
    this.#forgetting.delete(link);
  }

  /** Keeping is for the next start: a spoke serves whether it can be written down or not. */
  #keep(write: () => unknown): void {
    try {
      write();
    } catch (error) {
      this.#settings.onError(error, "keeping what spokes serve");
    }
  }

  /** One spoke a connection: what a frame can hold bounds what a client can have. */
  #requireOnly(connection: SpokeConnection, name: string): void {
    for (const link of this.#links.values()) {
      if (link.connection !== connection || link.name === name) continue;
      throw new CallError(
        "ALREADY_EXISTS",
        `the connection is the spoke "${link.name}"'s already`,
        {
          details: { name: link.name },
        },
      );
    }
  }

  #requireFree({ name, operations }: SpokeRegistration): void {
    const taken = new Map<string, string>();
    for (const link of this.#links.values()) {
      if (link.name === name) continue;
      for (const spec of link.operations) taken.set(operationId(spec), link.name);
    }
    for (const spec of operations) {
      const id = operationId(spec);
      const owner = taken.get(id);
      if (owner === undefined) continue;
      throw new CallError(
        "ALREADY_EXISTS",
        `operation "${id}" of spoke "${name}" is of "${owner}"`,
        { details: { operationId: id, owner } },
      );
    }
  }
}

function requireDistinct(operations: readonly OperationSpec[]): void {
  const ids = new Set<string>();
  for (const id of operations.map(operationId)) {
    if (ids.has(id)) throw new CallError("INVALID_SPEC", `operation "${id}" is there twice`);
    ids.add(id);
  }
}
