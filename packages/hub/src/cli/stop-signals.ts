import { EXIT } from "./exit-codes.ts";

const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type StopSignal = keyof typeof CODES;

/** Turns Ctrl-C and SIGTERM into an `AbortSignal`. The second one ends the process at once. */
export class StopSignals implements Disposable {
  readonly #stop = new AbortController();
  readonly #listeners: readonly (readonly [StopSignal, () => void])[];
  #exitCode: number | null = null;

  constructor() {
    this.#listeners = (Object.keys(CODES) as StopSignal[]).map((name) => {
      const listener = (): void => this.#end(CODES[name]);
      process.on(name, listener);
      return [name, listener] as const;
    });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The status that stands for the signal that came; null before one. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }

  #end(code: number): void {
    if (this.#exitCode !== null) process.exit(code);
    this.#exitCode = code;
    this.#stop.abort(new DOMException("stopped by a signal", "AbortError"));
  }
}

/** Ends without a word when whoever reads the output, such as `head`, has gone. */
export function endOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(EXIT.brokenPipe);
      throw error;
    });
  }
}
