import type { WriteStream } from "node:tty";

/** How far the run is. */
export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

const BAR_WIDTH = 30;
/** Milliseconds between two updates of the line. */
const UPDATE_EVERY_MS = 40;

/** Shows progress on stderr: one line that updates itself on a terminal, a line per step elsewhere. */
export class ProgressLine {
  readonly #out: WriteStream;
  #shown = "";
  #phase = "";
  #tenths = -1;
  #updatedAt = 0;

  constructor(out: WriteStream = process.stderr) {
    this.#out = out;
  }

  /** Prints a line of its own. */
  say(line: string): void {
    const shown = this.#shown;
    this.clear();
    this.#out.write(`${line}\n`);
    this.#draw(shown);
  }

  update({ phase, done, total }: Progress): void {
    const share = total === 0 ? 1 : done / total;
    if (this.#out.isTTY) {
      const now = performance.now();
      if (done < total && now - this.#updatedAt < UPDATE_EVERY_MS) return;
      this.#updatedAt = now;
      const filled = Math.round(share * BAR_WIDTH);
      const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
      this.#draw(`  ${bar} ${phase} ${done}/${total}`);
      return;
    }
    const tenths = Math.floor(share * 10);
    if (phase === this.#phase && tenths === this.#tenths) return;
    this.#phase = phase;
    this.#tenths = tenths;
    this.#out.write(`${phase} ${done}/${total}\n`);
  }

  /** Removes the updating line. */
  clear(): void {
    if (this.#shown !== "") this.#out.write("\r\u001b[2K");
    this.#shown = "";
  }

  #draw(line: string): void {
    if (!this.#out.isTTY || line === "") return;
    if (line !== this.#shown)
      this.#out.write(`\r\u001b[2K${line.slice(0, (this.#out.columns || 80) - 1)}`);
    this.#shown = line;
  }
}
