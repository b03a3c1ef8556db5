import { type Core, topics } from "../core/core.ts";
import type { Handle } from "../core/handle.ts";
import { handleWaiter } from "../core/handle-waiter.ts";
import { HonkerError } from "../errors.ts";
import { type Lock, takeLock } from "../lock/lock.ts";
import { lockTakenHere, readLock } from "../lock/lock-table.ts";
import { type ScheduleScope, soonestAfter } from "./schedule-table.ts";

/** What {@link lead} is asked for. */
interface LeadOptions {
  readonly owner: string;
  readonly signal: AbortSignal | undefined;
  /** Fires what is due. */
  readonly fire: (scope: ScheduleScope) => void;
}

/** The lock that Honker's own schedulers elect their leader with. */
const LEADER_LOCK = "honker-scheduler";
/** Seconds, as Honker's: how long a killed leader leaves the schedules unattended. */
const LEADER_TTL_SECONDS = 60;
/** Longest sleep: the lead is renewed that often, and a clock that jumps is noticed. */
const MAX_SLEEP_MS = 20_000;
const RETRY_MS = 1_000;

/** Leads, or waits to lead, until the signal is aborted or the handle is closed. */
export async function lead(handle: Handle, options: LeadOptions): Promise<void> {
  const { signal } = options;
  const core = handle.use();
  const waiter = handleWaiter(handle, topics.schedule);
  const lead = new Lead(handle, options.owner);
  try {
    while (signal?.aborted !== true) {
      let timeoutMs = MAX_SLEEP_MS;
      // inside somebody's open transaction all this could be rolled back; woken again at its end
      if (!waiter.held()) {
        try {
          const scope = lead.scope();
          if (scope !== undefined) options.fire(scope);
          timeoutMs = sleepMs(core, scope);
        } catch (error) {
          if (isClosed(error)) return;
          core.onError(error, "running the scheduler");
          timeoutMs = RETRY_MS;
        }
      }
      const reason = await waiter.wait({ signal, timeoutMs });
      if (reason === "closed") return;
    }
  } finally {
    waiter.close();
    try {
      lead.end();
      if (!core.closed) core.touch(topics.schedule);
    } catch (error) {
      // the lead then ends with its time
      core.onError(error, "giving up the lead of the schedules");
    }
  }
}

/** The leader's lock, taken, renewed and lost. */
class Lead {
  readonly #handle: Handle;
  readonly #owner: string;
  #lock: Lock | null = null;
  #renewAt = 0;
  /** Only at first: later, a scheduler of the same name that is alive keeps the lead. */
  #takeOver = true;

  constructor(handle: Handle, owner: string) {
    this.#handle = handle;
    this.#owner = owner;
  }

  /** What this scheduler should fire now; `undefined`: nothing, another one leads. */
  scope(): ScheduleScope | undefined {
    if (this.#keep() || this.#take()) return "all";
    // a leader that is Honker's own never fires the schedules that are ours alone
    return lockTakenHere(this.#handle.use(), LEADER_LOCK) ? undefined : "unshared";
  }

  end(): void {
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
  }

  #keep(): boolean {
    if (this.#lock === null) return false;
    const due = performance.now() >= this.#renewAt;
    if (!(due ? this.#lock.heartbeat() : this.#lock.held)) {
      this.#lock = null;
      return false;
    }
    if (due) this.#renewAt = performance.now() + MAX_SLEEP_MS;
    return true;
  }

  #take(): boolean {
    const takeOver = this.#takeOver;
    this.#lock = takeLock(this.#handle, LEADER_LOCK, {
      owner: this.#owner,
      ttlSeconds: LEADER_TTL_SECONDS,
      takeOver,
    });
    this.#takeOver = false;
    this.#renewAt = performance.now() + MAX_SLEEP_MS;
    return this.#lock !== null;
  }
}

/** Until the next slot or, for one that waits, the end of the leader's time. */
function sleepMs(core: Core, scope: ScheduleScope | undefined): number {
  const waits = [MAX_SLEEP_MS];
  if (scope !== undefined) {
    const soonest = soonestAfter(core, core.nowSeconds(), scope);
    if (soonest !== undefined) waits.push(soonest * 1_000 - core.nowMs());
  }
  if (scope !== "all") {
    const leader = readLock(core, LEADER_LOCK);
    waits.push((leader?.expiresAt.getTime() ?? 0) - core.nowMs());
  }
  return Math.max(0, Math.min(...waits));
}

function isClosed(error: unknown): boolean {
  return error instanceof HonkerError && error.code === "CLOSED";
}
