import type { CallOutcome } from "@alkdev/operations";
import type { LoggedRow } from "./call-log-table.ts";
import { type JournalContext, publishEvent, requireOutside } from "./journal-context.ts";
import { outcomeEvent, requestedEvent } from "./journal-event.ts";
import { callKey, type JournaledCall } from "./journaled-call.ts";
import { didNotRun, hasUnknownEnd, keptAsFarAsPossible } from "./kept-outcome.ts";

/** What `begin` says of a call. */
export type JournalClaim =
  /** Run it, and end it with `finish`. */
  | "new"
  /** It runs, here or in another process. */
  | "running"
  /** It began, and whoever ran it is gone: nobody knows how far it came. */
  | { readonly interrupted: true }
  /** It ended so. */
  | CallOutcome;

/** What is known of a call that is in the log. */
export function claimOf(
  { lease }: JournalContext,
  { owner, outcome }: LoggedRow,
): Exclude<JournalClaim, "new"> {
  if (outcome !== null) return JSON.parse(outcome) as CallOutcome;
  return lease.isAlive(owner as string) ? "running" : { interrupted: true };
}

/** Calls that begin in one commit and end in another. */
export class ClaimedCalls {
  readonly #context: JournalContext;
  /** Ends that could not be written yet. */
  readonly #late = new Map<
    string,
    { readonly call: JournaledCall; readonly outcome: CallOutcome }
  >();

  constructor(context: JournalContext) {
    this.#context = context;
  }

  begin(call: JournaledCall): JournalClaim {
    const { client, log, lease, settings } = this.#context;
    const key = callKey(call);
    requireOutside(this.#context, "begin a call");
    // a look first: a call that is known takes no write lock
    const before = log.find(key);
    if (before !== null) return claimOf(this.#context, before);
    lease.ensure();
    const known = client.transaction(() => {
      if (!log.claim(key, lease.owner, settings.now())) return log.find(key);
      publishEvent(this.#context, requestedEvent(call, settings.maxRecordedBytes));
      return null;
    });
    if (known !== null) return claimOf(this.#context, known);
    lease.began(JSON.stringify(key));
    return "new";
  }

  takeOver(call: JournaledCall): boolean {
    const { client, log, lease, settings } = this.#context;
    const key = callKey(call);
    requireOutside(this.#context, "take a call over");
    lease.ensure();
    const taken = client.transaction(() => {
      const known = log.find(key);
      if (known === null || !mayBeTakenOver(claimOf(this.#context, known))) return false;
      log.takeOver(key, lease.owner, settings.now());
      return true;
    });
    if (taken) lease.began(JSON.stringify(key));
    return taken;
  }

  /** @param onLate called where the end is to be written later */
  finish(call: JournaledCall, end: CallOutcome, onLate: () => void): boolean {
    const name = JSON.stringify(callKey(call));
    requireOutside(this.#context, "end a call");
    // the first end counts, also where it could not be written
    const outcome = this.#late.get(name)?.outcome ?? end;
    try {
      const ours = this.#context.client.transaction(() => this.#end(call, outcome));
      this.#ended(name);
      return ours;
    } catch (error) {
      this.#late.set(name, { call, outcome });
      onLate();
      throw error;
    }
  }

  /** Writes ends that could not be written, in the open transaction. @returns what to call after it */
  writeLate(): () => void {
    const late = [...this.#late];
    for (const [, { call, outcome }] of late) this.#end(call, outcome);
    return () => {
      for (const [name] of late) this.#ended(name);
    };
  }

  #end(call: JournaledCall, outcome: CallOutcome): boolean {
    const { log, lease, settings } = this.#context;
    const ours = log.end(callKey(call), {
      owner: lease.owner,
      outcome: didNotRun(outcome) ? null : keptAsFarAsPossible(call, outcome),
      nowMs: settings.now(),
    });
    if (!ours) return false;
    const { maxRecordedBytes: maxBytes } = settings;
    publishEvent(this.#context, outcomeEvent(call, outcome, { maxBytes }));
    return true;
  }

  #ended(name: string): void {
    this.#late.delete(name);
    this.#context.lease.ended(name);
  }
}

function mayBeTakenOver(claim: JournalClaim): boolean {
  if (typeof claim === "string") return false;
  return "interrupted" in claim || hasUnknownEnd(claim);
}
