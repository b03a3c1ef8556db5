import type { Connection } from "../sqlite/connection.ts";
import { type WatchedFile, watchFile } from "./directory-watch.ts";

/**
 * The event of a write can arrive before the commit is visible, so an unchanged `data_version` is
 * looked at again. Measured: the last change was always seen within 5 ms; 25 ms is for loaded machines.
 */
const RECHECK_AFTER_MS = [1, 4, 20] as const;

/**
 * Notices commits of other connections to the same file. Active only between `start` and `stop`;
 * while stopped it costs nothing.
 */
export class RemoteChanges implements WatchedFile {
  readonly path: string;
  readonly #connection: Connection;
  readonly #onChange: () => void;
  readonly #onPoll: () => void;
  #version = 0;
  #hinted = false;
  #recheck = 0;
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;

  /**
   * @param onChange another connection committed
   * @param onPoll the slow safety poll came round: look at everything once, changed or not
   */
  constructor(connection: Connection, onChange: () => void, onPoll: () => void) {
    this.path = connection.path;
    this.#connection = connection;
    this.#onChange = onChange;
    this.#onPoll = onPoll;
  }

  start(): void {
    if (this.#unwatch !== undefined) return;
    this.#version = this.#connection.dataVersion();
    this.#unwatch = watchFile(this);
  }

  stop(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  onHint(): void {
    this.#hinted = true;
    this.#recheck = 0;
    this.#check();
  }

  onSafetyPoll(): boolean {
    const missed = this.#changed() && !this.#hinted;
    this.#hinted = false;
    this.#onPoll();
    return missed;
  }

  #check(): void {
    if (this.#unwatch === undefined) return;
    if (this.#changed()) {
      this.#onChange();
      return;
    }
    if (this.#timer !== undefined) return;
    const delay = RECHECK_AFTER_MS[this.#recheck];
    if (delay === undefined) return;
    this.#recheck += 1;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#check();
    }, delay);
  }

  #changed(): boolean {
    if (!this.#connection.open) return false;
    const version = this.#connection.dataVersion();
    if (version === this.#version) return false;
    this.#version = version;
    return true;
  }
}
