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
  close(): void;
}

/** Called when the number of waiters leaves or reaches zero. */
export interface WakeObserver {
  onWaiting(waiting: boolean): void;
}

/**
 * Who waits for what in one database (M11). A wake says "look again", never what happened: the
 * tables are the truth, so a wake too many is harmless and only a missing one is a bug.
 */
export class WakeBus {
  readonly #waiters = new Map<string, Set<TopicWaiter>>();
  readonly #observer: WakeObserver;
  #count = 0;
  #closed = false;

  constructor(observer: WakeObserver) {
    this.#observer = observer;
  }

  /** Starts listening for `topic`; the first wait returns at once when a wake came in between. */
  waiter(topic: string): Waiter {
    const waiter = new TopicWaiter(() => this.#remove(topic, waiter));
    if (this.#closed) {
      waiter.end();
      return waiter;
    }
    const set = this.#waiters.get(topic);
    if (set === undefined) this.#waiters.set(topic, new Set([waiter]));
    else set.add(waiter);
    this.#count += 1;
    if (this.#count === 1) this.#observer.onWaiting(true);
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

  /** Ends every wait with `"closed"`, now and later. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const set of this.#waiters.values()) for (const waiter of [...set]) waiter.end();
    this.#waiters.clear();
    if (this.#count > 0) this.#observer.onWaiting(false);
    this.#count = 0;
  }

  #remove(topic: string, waiter: TopicWaiter): void {
    const set = this.#waiters.get(topic);
    if (set === undefined || !set.delete(waiter)) return;
    if (set.size === 0) this.#waiters.delete(topic);
    this.#count -= 1;
    if (this.#count === 0) this.#observer.onWaiting(false);
  }
}

class TopicWaiter implements Waiter {
  readonly #onClose: () => void;
  #pending = false;
  #ended = false;
  #settle: ((reason: WakeReason) => void) | undefined;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
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
    this.#onClose();
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
