import type { Notification, Sequence } from "@alkdev/honker";
import { CallError } from "@alkdev/operations";
import { StorageError } from "@alkdev/storage";
import type { SystemDatabase, TenantManager } from "@alkdev/storage/sqlite";
import type { HubSettings } from "./hub-options.ts";
import { TenantRuntime } from "./tenant-runtime.ts";

/** A runtime in use: it is not closed before `leave()`. */
export interface RuntimeLease extends Disposable {
  readonly runtime: TenantRuntime;
}

interface Entry {
  readonly runtime: TenantRuntime;
  uses: number;
  idleSinceMs: number;
  /** Called when nobody uses it any more. */
  onUnused: (() => void) | null;
}

/** Milliseconds that calls may take to end when their tenant is suspended. */
const DRAIN_MS = 10_000;

/**
 * The runtimes of tenants that are in use at this hub. One is closed when nobody has used it for
 * `idleTenantMs`, and when its tenant may no longer be opened, whichever process said so.
 */
export class TenantRuntimes {
  readonly #tenants: TenantManager;
  readonly #settings: HubSettings;
  readonly #entries = new Map<string, Entry>();
  readonly #states: Sequence<Notification>;
  readonly #sweeper: NodeJS.Timeout;
  readonly #closing = new Set<Promise<void>>();
  #closed = false;

  constructor(parts: {
    readonly system: SystemDatabase;
    readonly tenants: TenantManager;
    readonly settings: HubSettings;
  }) {
    const { system, tenants, settings } = parts;
    this.#tenants = tenants;
    this.#settings = settings;
    this.#states = system.$client.listen("tenant:state_changed");
    this.#listen().catch((error: unknown) => {
      settings.onError(error, "listening to the states of tenants");
    });
    this.#sweeper = setInterval(() => this.#sweep(), Math.ceil(settings.limits.idleTenantMs / 4));
    this.#sweeper.unref();
  }

  /** Runtimes that are open. */
  get size(): number {
    return this.#entries.size;
  }

  /** WebSocket connections of all tenants. */
  get connections(): number {
    let connections = 0;
    for (const { runtime } of this.#entries.values()) connections += runtime.connections;
    return connections;
  }

  /** The runtimes that are open. */
  *[Symbol.iterator](): Generator<TenantRuntime> {
    for (const { runtime } of this.#entries.values()) yield runtime;
  }

  /**
   * The runtime of a tenant, opened if it is not. Give the lease back.
   *
   * @throws CallError `UNAVAILABLE` for tenants that are suspended, archived, elsewhere or damaged
   */
  enter(orgId: string): RuntimeLease {
    const entry = this.#entries.get(orgId) ?? this.#open(orgId);
    entry.uses += 1;
    let left = false;
    return {
      runtime: entry.runtime,
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        entry.uses -= 1;
        if (entry.uses > 0) return;
        entry.idleSinceMs = performance.now();
        entry.onUnused?.();
      },
    };
  }

  /** Closes all of them, also those in use. Always resolves; idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeper);
    this.#states.close();
    for (const [orgId, { runtime }] of this.#entries) this.#close(orgId, () => runtime.close());
    await Promise.all(this.#closing);
  }

  #open(orgId: string): Entry {
    if (this.#closed) throw new CallError("UNAVAILABLE", "the hub is closing");
    const handle = this.#lease(orgId);
    let runtime: TenantRuntime;
    try {
      runtime = new TenantRuntime(handle, this.#settings);
    } catch (error) {
      handle.close();
      throw error;
    }
    const entry: Entry = { runtime, uses: 0, idleSinceMs: performance.now(), onUnused: null };
    this.#entries.set(orgId, entry);
    return entry;
  }

  #lease(orgId: string): ReturnType<TenantManager["open"]> {
    try {
      return this.#tenants.open(orgId);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#settings.onError(error, `opening tenant "${orgId}"`);
      throw new CallError("UNAVAILABLE", "the organisation is not available now", { cause: error });
    }
  }

  async #listen(): Promise<void> {
    for await (const { payload } of this.#states) {
      const { orgId, state } = (payload ?? {}) as { orgId?: unknown; state?: unknown };
      if (typeof orgId === "string" && state !== "active") this.#shut(orgId);
    }
  }

  /** Lets calls that run end, then closes; new ones are refused by the manager. */
  #shut(orgId: string): void {
    const entry = this.#entries.get(orgId);
    if (entry === undefined) return;
    this.#close(orgId, async () => {
      const { spokes, services } = entry.runtime;
      spokes.close();
      await services.sockets.close();
      await services.subscriptions.end(
        new CallError("UNAVAILABLE", "the organisation is not available now"),
      );
      if (entry.uses > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, DRAIN_MS);
          entry.onUnused = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      await entry.runtime.close();
    });
  }

  #sweep(): void {
    const before = performance.now() - this.#settings.limits.idleTenantMs;
    for (const [orgId, { runtime, uses, idleSinceMs }] of this.#entries) {
      if (uses > 0 || runtime.connections > 0 || idleSinceMs > before) continue;
      this.#close(orgId, () => runtime.close());
    }
  }

  #close(orgId: string, work: () => Promise<void>): void {
    this.#entries.delete(orgId);
    const closing = work()
      .catch((error: unknown) => this.#settings.onError(error, `closing tenant "${orgId}"`))
      .then(() => {
        this.#closing.delete(closing);
      });
    this.#closing.add(closing);
  }
}
