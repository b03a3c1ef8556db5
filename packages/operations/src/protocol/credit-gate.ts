/** Lets as many answers through as the caller has room for. */
export class CreditGate {
  #credit: number;
  #passed = 0;
  #wake: (() => void) | undefined;
  #open = false;

  /** @param credit answers that may pass before any more credit; infinity where the caller counts none */
  constructor(credit: number) {
    this.#credit = credit;
  }

  /** Credit counts from the first answer on, so an old one that comes late changes nothing. */
  grant(credit: number): void {
    if (credit <= this.#credit) return;
    this.#credit = credit;
    this.#wake?.();
  }

  /** Lets everything through: nobody waits for answers any more. */
  open(): void {
    this.#open = true;
    this.#wake?.();
  }

  /** Counts one answer; the promise, if there is one, settles when there is room for the next. */
  pass(): Promise<void> | undefined {
    this.#passed += 1;
    if (this.#open || this.#passed < this.#credit) return undefined;
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
