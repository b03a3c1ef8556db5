/** Why a wait ended. */
export type WakeReason = "wake" | "timeout" | "aborted" | "closed";

/** How long and until when to wait. */
export interface WaitOptions {
  /** Ends the wait with `"aborted"`. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the wait with `"timeout"` after this many milliseconds; absent or Infinity: never. */
  readonly timeoutMs?: number | undefined;
}

/** One party that waits for a topic. A wake between two waits is remembered, so none is lost. */
export interface Waiter {
  wait(options?: WaitOptions): Promise<WakeReason>;
  /**
   * Whether a transaction is open on the connection, so that reading now would see what may be rolled
   * back. When true, the waiter is woken as soon as that transaction has ended.
   */
  held(): boolean;
  close(): void;
}

/** What a {@link WakeBus} asks of its database. */
export interface WakeHost {
  /** Whether a transaction is open on the connection. */
  busy(): boolean;
  /** The number of waiters left or reached zero. */
  onWaiting(waiting: boolean): void;
}

/**
 * Who waits for what in one database (M11). A wake says "look again", never what happened: the
 * tables are the truth, so a wake too many is harmless and only a missing one is a bug.
 */
export class WakeBus {
  readonly #waiters = new Map<string, Set<TopicWaiter>>();
  readonly #held = new Set<TopicWaiter>();
  readonly #host: WakeHost;
  #count = 0;
  #closed = false;

  constructor(host: WakeHost) {
    this.#host = host;
  }

  /** Whether anybody waits. */
  get waiting(): boolean {
    return this.#count > 0;
  }

  /** Starts listening for `topic`; the first wait returns at once when a wake came in between. */
  waiter(topic: string): Waiter {
    const waiter: TopicWaiter = new TopicWaiter({
      held: () => this.#hold(waiter),
      onClose: () => this.#remove(topic, waiter),
    });
    if (this.#closed) {
      waiter.end();
      return waiter;
    }
    const set = this.#waiters.get(topic);
    if (set === undefined) this.#waiters.set(topic, new Set([waiter]));
    else set.add(waiter);
    this.#count += 1;
    if (this.#count === 1) this.#host.onWaiting(true);
    return waiter;
  }

  /** Wakes those who wait for `topic`. */
  wake(topic: string): void {
    const set = this.#waiters.get(topic);
    if (set === undefined) return;
    for (const waiter of set) waiter.wake();
  }

  /** Wakes everybody: another process committed, and what it touched is not known. */
  wakeAll(): void {
    for (const set of this.#waiters.values()) for (const waiter of set) waiter.wake();
  }

  /** Wakes those who found a transaction open; called when it has ended. */
  release(): void {
    if (this.#held.size === 0) return;
    const held = [...this.#held];
    this.#held.clear();
    for (const waiter of held) waiter.wake();
  }

  /** Ends every wait with `"closed"`, now and later. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const set of this.#waiters.values()) for (const waiter of [...set]) waiter.end();
    this.#waiters.clear();
    if (this.#count > 0) this.#host.onWaiting(false);
    this.#count = 0;
  }

  #hold(waiter: TopicWaiter): boolean {
    if (!this.#host.busy()) return false;
    this.#held.add(waiter);
    return true;
  }

  #remove(topic: string, waiter: TopicWaiter): void {
    this.#held.delete(waiter);
    const set = this.#waiters.get(topic);
    if (set === undefined || !set.delete(waiter)) return;
    if (set.size === 0) this.#waiters.delete(topic);
    this.#count -= 1;
    if (this.#count === 0) this.#host.onWaiting(false);
  }
}

interface WaiterOwner {
  held(): boolean;
  onClose(): void;
}

class TopicWaiter implements Waiter {
  readonly #owner: WaiterOwner;
  #pending = false;
  #ended = false;
  #settle: ((reason: WakeReason) => void) | undefined;

  constructor(owner: WaiterOwner) {
    this.#owner = owner;
  }

  held(): boolean {
    return this.#owner.held();
  }

  wake(): void {
    const settle = this.#settle;
    if (settle === undefined) this.#pending = true;
    else settle("wake");
  }

  end(): void {
    this.#ended = true;
    this.#settle?.("closed");
  }

  close(): void {
    this.#owner.onClose();
    this.end();
  }

  wait(options: WaitOptions = {}): Promise<WakeReason> {
    const { signal, timeoutMs } = options;
    if (this.#ended) return Promise.resolve("closed");
    if (signal?.aborted) return Promise.resolve("aborted");
    if (this.#pending) {
      this.#pending = false;
      return Promise.resolve("wake");
    }
    if (timeoutMs !== undefined && timeoutMs <= 0) return Promise.resolve("timeout");
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const onAbort = (): void => settle("aborted");
      const settle = (reason: WakeReason): void => {
        this.#settle = undefined;
        if (timer !== undefined) clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        resolve(reason);
      };
      this.#settle = settle;
      signal?.addEventListener("abort", onAbort, { once: true });
      // setTimeout turns longer delays into 1 ms; waking early only means looking again
      if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
        timer = setTimeout(() => settle("timeout"), Math.min(Math.ceil(timeoutMs), 2_147_483_647));
      }
    });
  }
}
