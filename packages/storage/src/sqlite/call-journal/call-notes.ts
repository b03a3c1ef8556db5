import type { CallOutcome } from "@alkdev/operations";
import { type JournalEvent, outcomeEvent, requestedEvent } from "./journal-event.ts";
import type { CallNote, JournaledCall } from "./journaled-call.ts";

/** Answers of a subscription so far. */
interface Answers {
  readonly count: number;
  readonly last: CallOutcome;
}

/**
 * The events of queries and subscriptions. Of a subscription the first answer is told at once and the
 * last one, with its number, when it ends: a million answers are two events.
 */
export class CallNotes {
  readonly #maxBytes: number;
  readonly #answers = new WeakMap<JournaledCall, Answers>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The events to write. */
  eventsOf(call: JournaledCall, note: CallNote): readonly JournalEvent[] {
    const maxBytes = this.#maxBytes;
    if (note === "requested") return [requestedEvent(call, maxBytes)];
    if (call.answers !== "many") return [outcomeEvent(call, note, { maxBytes })];
    const before = this.#answers.get(call);
    const count = before?.count ?? 0;
    if (note.type === "responded") {
      this.#answers.set(call, { count: count + 1, last: note });
      return count === 0 ? [outcomeEvent(call, note, { maxBytes, sequence: 1 })] : [];
    }
    this.#answers.delete(call);
    const end = outcomeEvent(call, note, { maxBytes, sequence: count + 1 });
    if (before === undefined || count === 1) return [end];
    return [outcomeEvent(call, before.last, { maxBytes, sequence: count }), end];
  }
}
