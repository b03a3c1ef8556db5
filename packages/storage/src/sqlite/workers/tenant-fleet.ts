import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Notification, Sequence } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import type { TenantHandle } from "../tenants/tenant-handle.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { TENANT_STATE_CHANGED } from "../tenants/tenant-table.ts";
import { DueTenants } from "./due-tenants.ts";
import { dueWork } from "./due-work.ts";
import { FileWorkers, type FileWorkersOptions } from "./file-workers.ts";
import type { QueueHandlers } from "./queue-handlers.ts";
import { type TenantFolderWatch, watchTenantFolder } from "./tenant-folder-watch.ts";
import { seedSchedules, type TenantSchedule } from "./tenant-schedules.ts";

/** What {@link TenantFleet} works with. */
export interface TenantFleetOptions extends FileWorkersOptions {
  readonly tenants: TenantManager;
  readonly system: SystemDatabase;
  readonly queues: readonly string[];
  readonly handlersOf: (handle: TenantHandle) => QueueHandlers;
  readonly schedules: readonly TenantSchedule[];
  /** Tenants that are worked on at a time. */
  readonly maxActive: number;
  /** Seconds after which a tenant is looked at though nothing said so. */
  readonly sweepSeconds: number;
  /** Milliseconds a tenant is worked on while others wait. */
  readonly turnMs: number;
  readonly onError: (error: unknown, context: string) => void;
}

/** A tenant that has work: its file stays open, and its workers are woken by commits. */
interface ActiveTenant {
  readonly handle: TenantHandle;
  readonly workers: FileWorkers;
  readonly sinceMs: number;
  /** Set once it is being stopped. */
  stopping: Promise<void> | null;
}

/** Between two turns while there is something to do. */
const BUSY_MS = 20;
/** Between two turns while there is nothing; a write or a change of state ends it early. */
const IDLE_MS = 1_000;
/** Most milliseconds of a turn for looking at tenants: a third of the time of the event loop. */
const LOOK_MS = 10;

/**
 * Works on the queues of many tenants while few of their files are open. A tenant is looked at when its
 * file was written, when something in it is due, and in a slow sweep; it gets workers while it has work.
 */
export class TenantFleet {
  readonly #options: TenantFleetOptions;
  readonly #due = new DueTenants();
  readonly #active = new Map<string, ActiveTenant>();
  /** Tenants by the names of their files. */
  readonly #files = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #states: Sequence<Notification>;
  readonly #ended: Promise<void>;
  #watch: TenantFolderWatch | null = null;
  #wake: (() => void) | null = null;
  #listedMs = Number.NEGATIVE_INFINITY;

  constructor(options: TenantFleetOptions) {
    this.#options = options;
    this.#states = options.system.$client.listen(TENANT_STATE_CHANGED);
    this.#ended = Promise.all([this.#listen(), this.#run()]).then(() => undefined);
  }

  /** Tenants that are worked on now. */
  get active(): number {
    return this.#active.size;
  }

  /** Tenants that wait to be looked at. */
  get waiting(): number {
    return this.#due.waiting;
  }

  /** Ends it; always resolves. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#states.close();
    this.#watch?.close();
    await Promise.all([...this.#active.keys()].map((orgId) => this.#release(orgId)));
    await this.#ended;
  }

  async #listen(): Promise<void> {
    try {
      for await (const { payload } of this.#states) {
        const { orgId, state } = (payload ?? {}) as { orgId?: unknown; state?: unknown };
        if (typeof orgId !== "string") continue;
        if (state === "active") this.#lookSoon(orgId);
        else {
          // whoever puts the file away waits until nobody has it open
          this.#due.remove(orgId);
          void this.#release(orgId);
        }
      }
    } catch (error) {
      this.#options.onError(error, "listening to the states of tenants");
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let nextMs = Number.POSITIVE_INFINITY;
      try {
        nextMs = this.#turn();
        this.#lookAtSome();
      } catch (error) {
        if (isClosed(error)) break;
        this.#options.onError(error, "looking for work of tenants");
      }
      await setTimeout(BUSY_MS, undefined, { signal }).catch(() => undefined);
      if (this.#active.size + this.#due.waiting === 0) {
        await this.#rest(Math.min(IDLE_MS, nextMs - Date.now()));
      }
    }
  }

  /** Waits for so long, or until a tenant is to be looked at. */
  async #rest(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const signal = AbortSignal.any([this.#stop.signal, woken.signal]);
    await setTimeout(Math.max(ms, 0), undefined, { signal }).catch(() => undefined);
    this.#wake = null;
  }

  #lookSoon(orgId: string): void {
    this.#due.soon(orgId);
    this.#wake?.();
  }

  /**
   * Lists tenants anew now and then, moves what is due to the line, and lets go of what is idle.
   *
   * @returns when the next tenant is due
   */
  #turn(): number {
    const { tenants, sweepSeconds } = this.#options;
    const nowMs = Date.now();
    if (Math.abs(nowMs - this.#listedMs) >= sweepSeconds * 1_000) {
      this.#listedMs = nowMs;
      for (const { orgId } of tenants.list({ state: "active" })) this.#due.at(orgId, nowMs);
    }
    const nextMs = this.#due.advance(nowMs);
    for (const [orgId, active] of this.#active) {
      if (active.stopping !== null) continue;
      try {
        this.#tend(orgId, active, nowMs);
      } catch (error) {
        this.#options.onError(error, `working on the queues of tenant "${orgId}"`);
        void this.#release(orgId);
      }
    }
    return nextMs;
  }

  /** Fires what is due in the file, and lets go of it when it is idle or others have waited long. */
  #tend(orgId: string, { handle, workers, sinceMs }: ActiveTenant, nowMs: number): void {
    const { queues, turnMs, maxActive } = this.#options;
    if (!handle.isOpen) {
      this.#active.delete(orgId);
      return;
    }
    const client = handle.db.$client;
    client.scheduler().tick();
    const isIdle = workers.running === 0 && !dueWork(client, queues, nowMs).now;
    const isFull = this.#active.size >= maxActive && this.#due.waiting > 0;
    if (isIdle || (isFull && nowMs - sinceMs >= turnMs)) void this.#release(orgId);
  }

  /** Looks at tenants in the line, while there is room for one that has work. */
  #lookAtSome(): void {
    const until = performance.now() + LOOK_MS;
    while (this.#active.size < this.#options.maxActive && performance.now() < until) {
      const orgId = this.#due.take();
      if (orgId === null) return;
      if (!this.#active.has(orgId)) this.#lookAt(orgId);
    }
  }

  #lookAt(orgId: string): void {
    const { tenants, onError, sweepSeconds } = this.#options;
    let handle: TenantHandle | null = null;
    try {
      handle = tenants.open(orgId);
      if (!this.#beginWork(orgId, handle)) handle.close();
    } catch (error) {
      handle?.close();
      if (isClosed(error)) throw error;
      // it is suspended or gone: its next change of state says when to look again
      if (error instanceof StorageError && UNAVAILABLE.includes(error.code)) return;
      this.#due.at(orgId, Date.now() + sweepSeconds * 1_000);
      onError(error, `looking for work of tenant "${orgId}"`);
    }
  }

  /** Starts workers where there is work; else notes when to look again. */
  #beginWork(orgId: string, handle: TenantHandle): boolean {
    const { queues, schedules, handlersOf } = this.#options;
    const client = handle.db.$client;
    this.#watchFolderOf(orgId, client.path);
    seedSchedules(client, schedules);
    client.scheduler().tick();
    const nowMs = Date.now();
    const work = dueWork(client, queues, nowMs);
    if (!work.now) {
      this.#lookAgain(orgId, work.nextMs);
      return false;
    }
    const workers = new FileWorkers(handle.db, handlersOf(handle), this.#options);
    this.#active.set(orgId, { handle, workers, sinceMs: nowMs, stopping: null });
    return true;
  }

  #lookAgain(orgId: string, nextMs: number | null): void {
    const sweepMs = Date.now() + this.#options.sweepSeconds * 1_000;
    this.#due.at(orgId, Math.min(nextMs ?? sweepMs, sweepMs));
  }

  /** Stops the workers of a tenant and gives its file back. Never rejects. */
  #release(orgId: string): Promise<void> {
    const active = this.#active.get(orgId);
    if (active === undefined) return Promise.resolve();
    active.stopping ??= active.workers.stop().then(() => {
      this.#active.delete(orgId);
      const { handle } = active;
      try {
        // what was given back, or came while it stopped, is found by looking again
        if (handle.isOpen && !this.#stop.signal.aborted) {
          const { now, nextMs } = dueWork(handle.db.$client, this.#options.queues, Date.now());
          if (now) this.#due.soon(orgId);
          else this.#lookAgain(orgId, nextMs);
        }
      } catch (error) {
        this.#options.onError(error, `giving the file of tenant "${orgId}" back`);
      }
      handle.close();
    });
    return active.stopping;
  }

  /** All tenants are in one folder, which the first file tells. */
  #watchFolderOf(orgId: string, path: string): void {
    const folder = dirname(path);
    this.#files.set(path.slice(folder.length + 1), orgId);
    this.#watch ??= watchTenantFolder(
      folder,
      (file) => {
        const written = this.#files.get(file);
        if (written !== undefined && !this.#active.has(written)) this.#lookSoon(written);
      },
      (error) => this.#options.onError(error, `watching "${folder}"; tenants are only swept now`),
    );
  }
}

const UNAVAILABLE: readonly string[] = ["TENANT_STATE", "NOT_FOUND", "TENANT_ELSEWHERE"];

function isClosed(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === "CLOSED";
}
