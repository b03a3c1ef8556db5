import type { CallOutcome, ResponseEnvelope } from "@alkdev/operations";
import { StorageError } from "../../errors.ts";
import { CALL_STREAM } from "../call-projection/call-stream.ts";
import type { SystemDatabase, TenantDatabase } from "../client.ts";
import { runAtomic } from "./atomic-call.ts";
import { CallLogTable } from "./call-log-table.ts";
import { CallNotes } from "./call-notes.ts";
import { ClaimedCalls, type JournalClaim } from "./claimed-calls.ts";
import { type JournalContext, requireOutside } from "./journal-context.ts";
import { type CallJournalOptions, resolveJournalOptions } from "./journal-options.ts";
import { type CallNote, callKey, type JournaledCall } from "./journaled-call.ts";
import { NoteBuffer } from "./note-buffer.ts";
import { OwnerLease } from "./owner-lease.ts";
import { type PruneCallsOptions, pruneCalls } from "./prune-calls.ts";

/** Writes calls down in the file they are made to, and keeps those that change something from being run twice. */
export interface CallJournal extends Disposable {
  /**
   * Runs a synchronous call that writes to this file alone: what it wrote, its outcome and its events are
   * one commit. Sent again it is not run again, whatever was killed when: the answer is the same. A
   * failure with a code of the operation's own is remembered like an answer; after any other nothing is
   * left but events, and the call may be sent again.
   *
   * @returns what `work` returned, in an envelope
   * @throws what `work` throws; as `CallError` a remembered failure, `OUTCOME_NOT_KEPT`, `CALL_RUNNING`,
   * `CALL_INTERRUPTED`; StorageError `TRANSACTION_STATE`, `INVALID_ARGUMENT`, `CLOSED`
   */
  runAtomic(call: JournaledCall, work: () => unknown): ResponseEnvelope;
  /**
   * Takes a call on that is not done in one commit. Of several that ask at once one gets `new`.
   *
   * @throws StorageError `TRANSACTION_STATE`, `INVALID_ARGUMENT`, `CLOSED`
   */
  begin(call: JournaledCall): JournalClaim;
  /**
   * Takes on again a call that was interrupted, or whose end nobody knows: `TIMEOUT`, `ABORTED`,
   * `TRANSPORT_ERROR`. Only for calls that do no harm when they are run twice, such as those that are
   * passed on under the same request id to somebody who remembers them.
   *
   * @returns false where it is not known, runs, ended, or another was faster
   * @throws as {@link begin}
   */
  takeOver(call: JournaledCall): boolean;
  /**
   * Writes down how a call ended that `begin` or `takeOver` gave to this journal. A failure that says that
   * it was not run (`ACCESS_DENIED`, `VALIDATION_ERROR`, `OVERLOADED`, `BUSY`, …) is forgotten: the call
   * may be sent again. Where it cannot be written it is tried again until it can, or until `close()`.
   *
   * @returns false where the call was not this journal's any more
   * @throws as {@link begin}; what the file says
   */
  finish(call: JournaledCall, outcome: CallOutcome): boolean;
  /**
   * Writes down a query or a subscription within `flushMs`. Of a subscription the first and the last
   * answer are kept, the last with its number: give the same object for all its notes. What the file says
   * against it goes to `onError`.
   *
   * @throws StorageError `INVALID_ARGUMENT`, `CLOSED`
   */
  note(call: JournaledCall, note: CallNote): void;
  /** Writes now what waits. @throws as {@link begin}; what the file says */
  flush(): void;
  /**
   * Forgets calls that ended long ago, as `pruneCalls` does. Sent again they would be run again.
   *
   * @returns how many; call again where it is `limit`
   * @throws StorageError `INVALID_ARGUMENT`, `CLOSED`
   */
  prune(options?: PruneCallsOptions): number;
  /** Writes what waits; calls that have not ended are interrupted from now on. Idempotent, never throws. */
  close(): void;
}

/**
 * The journal of calls of one file: every call is in the stream `call-protocol`, and calls that change
 * something are remembered by request id, caller and operation. Any number of processes may journal one
 * file.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const journal = createCallJournal(tenant, { owner: "hub-1" });
 * const call = { requestId, operationId: "tasks.create", input, identity };
 * const { data } = journal.runAtomic(call, () => createTask(tenant, input)); // once per requestId
 * ```
 */
export function createCallJournal(
  { $client: client }: TenantDatabase | SystemDatabase,
  options: CallJournalOptions,
): CallJournal {
  const settings = resolveJournalOptions(options);
  const context: JournalContext = {
    client,
    stream: client.stream(CALL_STREAM),
    log: new CallLogTable(client),
    lease: new OwnerLease(client, settings),
    settings,
  };
  return new FileCallJournal(context);
}

class FileCallJournal implements CallJournal {
  readonly #context: JournalContext;
  readonly #claimed: ClaimedCalls;
  readonly #notes: CallNotes;
  readonly #buffer: NoteBuffer;
  #closed = false;

  constructor(context: JournalContext) {
    const { client, settings } = context;
    this.#context = context;
    this.#claimed = new ClaimedCalls(context);
    this.#notes = new CallNotes(settings.maxRecordedBytes);
    this.#buffer = new NoteBuffer(client, {
      flushMs: settings.flushMs,
      onError: settings.onError,
      write: (events) => {
        context.stream.publishMany(events, ({ requestId }) => ({ key: requestId }));
        return this.#claimed.writeLate();
      },
    });
  }

  runAtomic(call: JournaledCall, work: () => unknown): ResponseEnvelope {
    this.#requireOpen();
    return runAtomic(this.#context, call, work);
  }

  begin(call: JournaledCall): JournalClaim {
    this.#requireOpen();
    return this.#claimed.begin(call);
  }

  takeOver(call: JournaledCall): boolean {
    this.#requireOpen();
    return this.#claimed.takeOver(call);
  }

  finish(call: JournaledCall, outcome: CallOutcome): boolean {
    this.#requireOpen();
    return this.#claimed.finish(call, outcome, () => this.#buffer.wake());
  }

  note(call: JournaledCall, note: CallNote): void {
    this.#requireOpen();
    callKey(call);
    this.#buffer.add(this.#notes.eventsOf(call, note));
  }

  flush(): void {
    this.#requireOpen();
    requireOutside(this.#context, "write calls down");
    this.#buffer.flush();
  }

  prune(options: PruneCallsOptions = {}): number {
    this.#requireOpen();
    const { client, settings } = this.#context;
    return pruneCalls(client, { now: settings.now, ...options });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const part of [this.#buffer, this.#context.lease]) {
      try {
        part.close();
      } catch (error) {
        this.#context.settings.onError(error, "closing a call journal");
      }
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(): void {
    if (!this.#closed) return;
    throw new StorageError(
      "CLOSED",
      `the call journal of "${this.#context.client.path}" is closed`,
    );
  }
}
