import type { Refusal } from "./api-key-reader.ts";

/** Failures of one kind: the same credential, reason and source. */
export interface FailureCount {
  readonly refusal: Refusal;
  readonly source: string | undefined;
  /** How many since they were last written. */
  readonly count: number;
}

interface Entry {
  readonly refusal: Refusal;
  readonly source: string | undefined;
  count: number;
  writtenAt: number;
}

/** Kinds told apart at a time: the audit trail cannot be emptied, so nobody may fill it as he likes. */
const MOST_KINDS = 100;

/** Counts failures, so that a flood of them is written as a number. */
export class FailureCounts {
  readonly #everyMs: number;
  readonly #entries = new Map<string, Entry>();

  /** @param everyMs how long after a kind was written it is not written again */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Whether anything is counted and not yet written. */
  get waiting(): boolean {
    return [...this.#entries.values()].some(({ count }) => count > 0);
  }

  add(refusal: Refusal, source: string | undefined): void {
    const entry =
      this.#entryOf(refusal, source) ?? this.#entryOf(anybody(refusal), "others", "always");
    if (entry !== null) entry.count += 1;
  }

  /** What is to be written at `now`. */
  due(now: number, what: "due" | "everything"): FailureCount[] {
    return [...this.#entries.values()]
      .filter(({ count, writtenAt }) => {
        const age = now - writtenAt;
        return count > 0 && (what === "everything" || age >= this.#everyMs || age < 0);
      })
      .map((entry) => ({ ...entry }));
  }

  /** These were written: what came since then stays. */
  written(counts: readonly FailureCount[], now: number): void {
    for (const { refusal, source, count } of counts) {
      const entry = this.#entries.get(keyOf(refusal, source));
      if (entry === undefined) continue;
      entry.count -= count;
      entry.writtenAt = now;
    }
    for (const [key, { count, writtenAt }] of this.#entries) {
      if (count === 0 && now - writtenAt >= this.#everyMs) this.#entries.delete(key);
    }
  }

  #entryOf(refusal: Refusal, source: string | undefined, room?: "always"): Entry | null {
    const key = keyOf(refusal, source);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= MOST_KINDS && room !== "always") return null;
    const entry = { refusal, source, count: 0, writtenAt: Number.NEGATIVE_INFINITY };
    this.#entries.set(key, entry);
    return entry;
  }
}

function keyOf({ credentialId, reason }: Refusal, source: string | undefined): string {
  return `${credentialId ?? ""}\0${reason}\0${source ?? ""}`;
}

function anybody({ reason, credentialType }: Refusal): Refusal {
  return { reason, credentialType, credentialId: null, accountId: null };
}
