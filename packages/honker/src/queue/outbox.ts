import type { Handle } from "../core/handle.ts";
import { requireName } from "../core/names.ts";
import type { Transaction } from "../core/transaction.ts";
import { HonkerError } from "../errors.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Job } from "./job.ts";
import { Queue } from "./queue.ts";
import type { EnqueueOptions, QueueOptions } from "./queue-options.ts";
import type { JobContext } from "./running-jobs.ts";
import type { Worker } from "./worker.ts";
import type { WorkOptions } from "./worker-options.ts";

/**
 * Hands one message to the outside world: an HTTP call, a mail, another broker. Throwing tries it again
 * later. It can be called twice for one message when the process dies in between: pass `job.id` on as
 * an idempotency key.
 */
export type Deliver<P> = (payload: P, job: Job<P>, context: JobContext) => unknown;

/** Options of `db.outbox()`: those of a queue, with 5 attempts and a backoff from 5 s on by default. */
export interface OutboxOptions<I = unknown, O = I> extends QueueOptions<I, O> {
  /** Upstream's way to say `backoff`: seconds before the first retry, doubled for each one after. */
  readonly baseBackoffS?: number;
}

/**
 * Messages that leave the database after the transaction that wrote them has committed, and never when
 * it was rolled back. A work queue named `_outbox:{name}`, as upstream calls it.
 *
 * @example
 * ```ts
 * const mails = db.outbox("mails", async (mail: Mail) => smtp.send(mail));
 * db.transaction((tx) => {
 *   tx.execute("INSERT INTO orders (id) VALUES (?)", ["o-1"]);
 *   mails.enqueueTx(tx, { to: "ada@example.org" });
 * });
 * mails.work();
 * ```
 */
export class Outbox<I = unknown, O = I> {
  readonly name: string;
  /** The queue behind it, for `get`, `cancel`, `pause`, `stats` and `history`. */
  readonly queue: Queue<I, O>;
  readonly #deliver: Deliver<O>;

  /** @internal Use `db.outbox()`. */
  constructor(
    handle: Handle,
    name: string,
    { deliver, ...options }: OutboxOptions<I, O> & { readonly deliver: Deliver<O> },
  ) {
    requireName(name, "outbox name");
    if (typeof deliver !== "function") {
      throw new HonkerError(
        "INVALID_ARGUMENT",
        `outbox "${name}" needs a function that delivers, got ${typeof deliver}`,
      );
    }
    const { baseBackoffS = 5, ...queueOptions } = options;
    this.name = name;
    this.queue = new Queue<I, O>(handle, `_outbox:${name}`, {
      maxAttempts: 5,
      backoff: { kind: "exponential", baseMs: baseBackoffS * 1_000 },
      ...queueOptions,
    });
    this.#deliver = deliver;
  }

  /** Messages that were given up. */
  get dead(): DeadLetters {
    return this.queue.dead;
  }

  /** Adds a message; inside a transaction it leaves when that commits. Returns its id. */
  enqueue(payload: I, options?: EnqueueOptions): number {
    return this.queue.enqueue(payload, options);
  }

  /** As {@link enqueue}, in `tx`, which must be open. @throws `TRANSACTION_STATE` */
  enqueueTx(tx: Transaction, payload: I, options?: EnqueueOptions): number {
    return this.queue.enqueueTx(tx, payload, options);
  }

  /** Delivers messages until it is stopped, here or in any process that calls it. */
  work(options: Omit<WorkOptions, "batchSize"> = {}): Worker {
    const deliver = async (job: Job<O>, context: JobContext): Promise<void> => {
      await this.#deliver(job.payload, job, context);
    };
    return this.queue.work(deliver, options);
  }

  /** Upstream's form of {@link work}: resolves when `signal` is aborted and the worker has stopped. */
  async runWorker(
    workerId: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    await this.work({ ...options, worker: workerId }).stopped;
  }
}
