import type { Closable } from "../core/closable.ts";
import type { Engine } from "../core/engine.ts";
import type { Handle } from "../core/handle.ts";
import type { Transaction } from "../core/transaction.ts";
import { UntilClosed } from "../operations/until-closed.ts";
import { closedError } from "../sqlite/sqlite-errors.ts";

/** One handle of an open file, and what lives only as long as it does. */
export class OpenHandle implements Disposable {
  readonly #engine: Engine;
  readonly #release: () => void;
  readonly #open = new Set<Closable>();
  /** Transactions begun without a callback; closing this handle rolls them back. */
  #begun: Transaction[] = [];
  #closed = false;

  /** @internal */
  protected readonly handle: Handle = {
    use: () => this.use(),
    track: (resource) => this.track(resource),
  };

  /** @internal Use {@link open}. */
  constructor(engine: Engine, release: () => void) {
    this.#engine = engine;
    this.#release = release;
  }

  /** Absolute path of the file, or `":memory:"`. */
  get path(): string {
    return this.#engine.path;
  }

  /** Whether this handle can be used. */
  get open(): boolean {
    return !this.#closed;
  }

  /** Whether a transaction is open on the connection. */
  get inTransaction(): boolean {
    return this.#engine.inTransaction;
  }

  /** Whether Honker's SQL functions (`honker_enqueue(…)`, `notify(…)`) can be called in SQL. */
  get hasExtension(): boolean {
    return this.#engine.hasExtension;
  }

  /**
   * Ends this handle's listeners and subscriptions, rolls back an open transaction and, with the last
   * handle of the file in this process, closes the file. Idempotent.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const tx of this.#begun.reverse()) tx[Symbol.dispose]();
    for (const resource of [...this.#open]) resource.close();
    this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal @throws `CLOSED` */
  protected use(): Engine {
    if (this.#closed) throw closedError(this.#engine.path);
    return this.#engine;
  }

  /** @internal Closes `resource` with this handle, unless it is closed before. */
  protected track<T extends Closable>(resource: T): T {
    this.#open.add(resource);
    resource.onEnd(() => this.#open.delete(resource));
    return resource;
  }

  /** @internal Rolls `tx` back with this handle, unless it ends before. */
  protected trackTransaction(tx: Transaction): Transaction {
    this.#begun = [...this.#begun.filter((begun) => begun.open), tx];
    return tx;
  }

  /** @internal Runs work that takes time; closing this handle ends it with `CLOSED`. */
  protected async untilClosed<T>(
    signal: AbortSignal | undefined,
    work: (engine: Engine, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const engine = this.use();
    const untilClosed = this.track(new UntilClosed(() => closedError(engine.path)));
    return await untilClosed.run((either) => work(engine, either), signal);
  }
}
