import {
  type CallHandler,
  createCallHandler,
  OperationRegistry,
  type OperationSpecJson,
  specToJson,
} from "@alkdev/operations";
import type { TypedEventTarget } from "@alkdev/pubsub";
import { createCallJournal, type TenantDatabase } from "@alkdev/storage/sqlite";
import type { HubOperation } from "../journal/hub-operation.ts";
import { journaled } from "../journal/journaled.ts";
import { noCallLog } from "../journal/no-call-log.ts";
import { SPOKE_ROUTE } from "../protocol/spoke-protocol.ts";

/** Options of {@link createSpokeService}. */
export interface SpokeServiceOptions {
  readonly name: string;
  readonly operations: readonly HubOperation[];
  readonly maxCalls: number;
  /** Seconds that calls are remembered. */
  readonly rememberSeconds: number;
  readonly onError: (error: unknown, context: string) => void;
}

/** The operations of a spoke, served to its hub. */
export interface SpokeService {
  /** The operations as the hub is told of them. */
  readonly specs: readonly OperationSpecJson[];
  /** Takes calls of the hub from now on. */
  serve(target: TypedEventTarget): void;
  /** Takes no more calls, and waits for those that run. */
  close(drainMs: number): Promise<void>;
}

const PRUNE_MS = 3_600_000;

/**
 * Serves what the hub asks for. Every call is in the journal of the spoke's file, so that one that is sent
 * again is answered again, and not run again, whatever was killed.
 *
 * @throws OperationsError `INVALID_SPEC`, `INVALID_HANDLER`, `INVALID_SCHEMA`, `ALREADY_REGISTERED`
 */
export function createSpokeService(db: TenantDatabase, options: SpokeServiceOptions): SpokeService {
  const { name, operations, maxCalls, rememberSeconds, onError } = options;
  const journal = createCallJournal(db, { owner: `spoke:${name}`, onError });
  const registry = new OperationRegistry({
    onError: (error, { operationId, requestId }) =>
      onError(error, `call ${requestId} of ${operationId}`),
  });
  registry.registerAll(operations.map((one) => journaled(one, { journalOf: () => journal })));
  const specs = registry.list().map((spec) => specToJson(spec));
  let handler: CallHandler | undefined;
  let timer: NodeJS.Timeout | undefined;
  const prune = (): void => {
    try {
      journal.prune({ olderThanSeconds: rememberSeconds });
      db.$client.prune({ streams: { "call-protocol": { maxAgeSeconds: rememberSeconds } } });
    } catch (error) {
      onError(error, "forgetting old calls");
    }
  };
  return {
    specs,
    serve(eventTarget) {
      handler = createCallHandler({
        registry,
        eventTarget,
        route: SPOKE_ROUTE,
        trustIdentity: true, // the hub put it there, over the connection that this spoke made to it
        callLog: noCallLog,
        maxCalls,
        onError,
      });
      timer = setInterval(prune, PRUNE_MS);
      timer.unref();
    },
    async close(drainMs) {
      clearInterval(timer);
      await handler?.close({ drainMs });
      journal.close();
    },
  };
}
