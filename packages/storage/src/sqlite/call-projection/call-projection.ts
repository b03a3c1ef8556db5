import { setImmediate, setTimeout } from "node:timers/promises";
import { StorageError } from "../../errors.ts";
import type { TenantDatabase } from "../client.ts";
import { createGraphStore } from "../graph-store/graph-store.ts";
import { requireWhole } from "../graph-store/reachable.ts";
import { requireBatchSize } from "../require-batch-size.ts";
import { type CallQueries, createCallQueries } from "./call-queries.ts";
import { CALL_STREAM, NEWEST_CALL_EVENT } from "./call-stream.ts";
import { projectBatch } from "./project-batch.ts";
import { type ProjectionContext, requireNoTransaction } from "./projection-context.ts";
import { readProjection } from "./projection-state.ts";
import { type RebuildOptions, type RebuildResult, rebuild } from "./rebuild.ts";
import { countWaiting } from "./waiting-rows.ts";

/** Options of {@link createCallProjection}. */
export interface CallProjectionOptions {
  /** Whose place in the stream it is, as in `hub:hub-1:calls`; the same after a restart. */
  readonly consumer: string;
  /** Name of the graph, default `calls`. Each needs a consumer of its own. */
  readonly graphName?: string;
  /** Events per commit, 1 to 10,000, default 500. */
  readonly batchSize?: number;
  /**
   * Most of this process's time that `start()` may take while events keep coming, above 0 and at most 1,
   * which is the default. What it leaves is projected when there are fewer.
   */
  readonly share?: number;
  /**
   * Bytes of JSON, default 65,536. Of an event that is larger, input, output or error details are not
   * kept, and the call says so in `leftOut`.
   */
  readonly maxPayloadBytes?: number;
  /**
   * Whether calls of an operation expect a sequence of answers, asked where a request does not say so
   * itself (`answers`). Default no. Must not change: a rebuild asks again.
   */
  readonly isSubscription?: (operationId: string) => boolean;
  /** What fails while `start()` runs; it is tried again. Default: reported as a process warning. */
  readonly onError?: (error: unknown, context: string) => void;
}

/** How far a projection is. */
export interface ProjectionStatus {
  /** Null before the first event. */
  readonly graphId: string | null;
  /** Everything up to here is projected. */
  readonly offset: number;
  /** Events that are left. */
  readonly lag: number;
  /** Events and edges that wait for a call which has not been requested yet. */
  readonly waiting: number;
  /** How far a rebuild is that was begun and is not over; null without one. */
  readonly rebuildOffset: number | null;
}

/** Keeps a graph of calls up to date with the stream `call-protocol`. */
export interface CallProjection extends AsyncDisposable {
  /** Questions to the graph. */
  readonly calls: CallQueries;
  /**
   * Projects what is there now, in commits of `batchSize` events. Resolves with how many events.
   *
   * @throws StorageError `CONFLICT` where the graph has another consumer or the consumer another use,
   * `NOT_FOUND` where the graph was deleted, `READ_ONLY` where it was archived, `MIGRATION_STATE`,
   * `TRANSACTION_STATE`; the reason of `signal`
   */
  catchUp(options?: { readonly signal?: AbortSignal }): Promise<number>;
  /** Projects what is there and what comes, here or from other processes, until `stop()`. */
  start(): void;
  /** Ends `start()` after the batch that runs. Always resolves; idempotent. */
  stop(): Promise<void>;
  /**
   * Makes the graph anew from the oldest event on, beside the present one, which is shown and kept up to
   * date until the new one takes its place in one commit. Killed or aborted, it goes on with the next
   * call.
   *
   * @throws StorageError `NOT_FOUND` where events were pruned that the graph still shows,
   * `INVALID_ARGUMENT`, `TRANSACTION_STATE`; the reason of `options.signal`
   */
  rebuild(options?: RebuildOptions): Promise<RebuildResult>;
  /** How far it is. */
  status(): ProjectionStatus;
}

const RETRY_FASTEST_MS = 100;
const RETRY_SLOWEST_MS = 5_000;

/**
 * Makes a graph of type `call_graph` of the events of calls. A batch's effect on the graph and the
 * consumer's offset are one commit, so it is killed and restarted without loss or repetition, and any
 * number of processes may run it at once.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const projection = createCallProjection(tenant, { consumer: "hub:hub-1:calls" });
 * projection.start();
 * projection.calls.failures({ since: yesterday });
 * await projection.stop();
 * ```
 */
export function createCallProjection(
  tenant: TenantDatabase,
  options: CallProjectionOptions,
): CallProjection {
  const { consumer, graphName = "calls", batchSize = 500, maxPayloadBytes = 65_536 } = options;
  requireText("consumer", consumer);
  requireText("graphName", graphName);
  requireWhole("maxPayloadBytes", maxPayloadBytes, [0]);
  const client = tenant.$client;
  const context: ProjectionContext = {
    client,
    store: createGraphStore(tenant),
    stream: client.stream(CALL_STREAM),
    consumer,
    graphName,
    batchSize: requireBatchSize(batchSize),
    maxPayloadBytes,
    isSubscription: options.isSubscription ?? (() => false),
  };
  return new Projection(context, {
    calls: createCallQueries(tenant, { graphName }),
    share: requireShare(options.share ?? 1),
    onError: options.onError ?? warn,
  });
}

class Projection implements CallProjection {
  readonly calls: CallQueries;
  readonly #context: ProjectionContext;
  readonly #share: number;
  readonly #onError: (error: unknown, context: string) => void;
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(
    context: ProjectionContext,
    parts: {
      readonly calls: CallQueries;
      readonly share: number;
      readonly onError: (error: unknown, context: string) => void;
    },
  ) {
    this.calls = parts.calls;
    this.#context = context;
    this.#share = parts.share;
    this.#onError = parts.onError;
  }

  async catchUp({ signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    requireNoTransaction(this.#context.client, "project calls");
    let events = 0;
    for (;;) {
      signal?.throwIfAborted();
      const projected = projectBatch(this.#context);
      events += projected;
      if (projected < this.#context.batchSize) return events;
      await setImmediate();
    }
  }

  start(): void {
    if (this.#running !== undefined) return;
    const stop = new AbortController();
    this.#running = { stop, ended: this.#run(stop.signal) };
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.stop.abort();
    await running.ended;
    if (this.#running === running) this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  rebuild(options: RebuildOptions = {}): Promise<RebuildResult> {
    return rebuild(this.#context, options);
  }

  status(): ProjectionStatus {
    const { client, stream, consumer, graphName } = this.#context;
    const state = readProjection(client, graphName);
    const info = stream.consumers().find((one) => one.consumer === consumer);
    return {
      graphId: state?.graphId ?? null,
      offset: info?.offset ?? 0,
      lag: info?.lag ?? stream.info().count,
      waiting: state === null ? 0 : countWaiting(client, state.graphId),
      rebuildOffset: state?.rebuild?.offset ?? null,
    };
  }

  /** Never rejects. Ends with the signal, or when the database is closed. */
  async #run(signal: AbortSignal): Promise<void> {
    try {
      const newest = this.#context.client.live(NEWEST_CALL_EVENT, [], { signal });
      for await (const _ of newest) await this.#catchUpAtLast(signal);
    } catch (error) {
      if (signal.aborted || !this.#context.client.open) return;
      this.#onError(error, "a call projection ended");
    }
  }

  /** Rests after each batch for as long as its share asks for. */
  async #catchUpSlowly(signal: AbortSignal): Promise<void> {
    requireNoTransaction(this.#context.client, "project calls");
    for (;;) {
      signal.throwIfAborted();
      const began = performance.now();
      const projected = projectBatch(this.#context);
      const restMs = (performance.now() - began) * (1 / this.#share - 1);
      if (restMs > 0) await setTimeout(Math.ceil(restMs), undefined, { signal });
      else await setImmediate();
      if (projected < this.#context.batchSize) return;
    }
  }

  async #catchUpAtLast(signal: AbortSignal): Promise<void> {
    for (let waitMs = RETRY_FASTEST_MS; ; waitMs = Math.min(waitMs * 2, RETRY_SLOWEST_MS)) {
      try {
        await this.#catchUpSlowly(signal);
        return;
      } catch (error) {
        if (signal.aborted || !this.#context.client.open) throw error;
        this.#onError(error, `projecting calls for consumer "${this.#context.consumer}"`);
        await setTimeout(waitMs, undefined, { signal });
      }
    }
  }
}

function requireShare(share: number): number {
  if (typeof share === "number" && share > 0 && share <= 1) return share;
  throw new StorageError("INVALID_ARGUMENT", `share is ${share}; it must be above 0 and at most 1`);
}

function requireText(name: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw new StorageError("INVALID_ARGUMENT", `${name} must be a text that is not empty`);
}

function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "StorageWarning" });
}
