import type { Io } from "./io.ts";

/** How far long work is. */
export interface ProgressStep {
  readonly label: string;
  readonly done: number;
  /** Null: not known. */
  readonly total: number | null;
}

const BAR_WIDTH = 24;
/** Milliseconds between two updates of the line. */
const UPDATE_EVERY_MS = 50;

/** A line on stderr that updates itself; silent where nobody looks, or with `--json`. */
export class ProgressBar implements Disposable {
  readonly #shows: boolean;
  readonly #out: Io["stderr"];
  #shown = false;
  #updatedAtMs = Number.NEGATIVE_INFINITY;

  constructor(out: Io["stderr"], { json }: { readonly json: boolean }) {
    this.#out = out;
    this.#shows = !json && out.isTTY === true;
  }

  update({ label, done, total }: ProgressStep): void {
    if (!this.#shows) return;
    const nowMs = performance.now();
    if ((total === null || done < total) && nowMs - this.#updatedAtMs < UPDATE_EVERY_MS) return;
    this.#updatedAtMs = nowMs;
    const line = total === null ? label : `${barOf(done, total)}  ${label}`;
    this.#out.write(`\r\u001b[2K${line.slice(0, (this.#out.columns || 80) - 1)}`);
    this.#shown = true;
  }

  /** Removes the line. */
  clear(): void {
    if (this.#shown) this.#out.write("\r\u001b[2K");
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

function barOf(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(done / total, 1);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %`;
}
