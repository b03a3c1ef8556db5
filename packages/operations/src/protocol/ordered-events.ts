/** What became of an event: next in turn, held until its turn comes, seen before, or one too many. */
export type Turn = "now" | "held" | "duplicate" | "full";

/**
 * Puts the events of one subscription back in the order they were sent in. Transports keep the order within
 * a topic, and answers and the end take different ones.
 */
export class OrderedEvents<Event> {
  readonly #capacity: number;
  readonly #held = new Map<number, Event>();
  #next = 1;

  /** @param capacity how many events may wait for one before them */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether something that was sent has not arrived. */
  get gap(): boolean {
    return this.#held.size > 0;
  }

  /** Place of the last event that had its turn, 0 before the first. */
  get last(): number {
    return this.#next - 1;
  }

  /** Takes an event in. After `now`, take what waited for it with {@link release}. */
  take(event: Event, sequence: number): Turn {
    if (sequence < this.#next || this.#held.has(sequence)) return "duplicate";
    if (sequence === this.#next) {
      this.#next += 1;
      return "now";
    }
    if (this.#held.size >= this.#capacity) return "full";
    this.#held.set(sequence, event);
    return "held";
  }

  /** The event whose turn it is now, if it has arrived. */
  release(): Event | undefined {
    const event = this.#held.get(this.#next);
    if (event === undefined) return undefined;
    this.#held.delete(this.#next);
    this.#next += 1;
    return event;
  }
}
