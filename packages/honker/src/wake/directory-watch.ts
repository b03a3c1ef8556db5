import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Something in a watched directory that wants to look at its file when the directory changed. */
export interface WatchedFile {
  readonly path: string;
  /** The file may have changed. Called from the event loop, often, and for own writes too. */
  onHint(): void;
  /**
   * Called every 5 seconds. Returns whether the file had changed without a hint, which
   * means that this file system sends no events.
   */
  onSafetyPoll(): boolean;
}

/** How often a file with waiters is looked at although no event came, in milliseconds. */
const SAFETY_POLL_MS = 5_000;

const POLL_FASTEST_MS = 5;
const POLL_SLOWEST_MS = 100;

/**
 * One watch for all databases of a directory, kept only while one of them has waiters (M11). Files
 * are never opened, only the directory is watched: closing any descriptor of a database file would
 * release SQLite's locks on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
class DirectoryWatch {
  readonly #directory: string;
  readonly #files = new Map<string, Set<WatchedFile>>();
  #watcher: FSWatcher | undefined;
  #safety: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  get empty(): boolean {
    return this.#files.size === 0;
  }

  add(file: WatchedFile): void {
    const name = basename(file.path);
    const files = this.#files.get(name);
    if (files === undefined) this.#files.set(name, new Set([file]));
    else files.add(file);
    this.#start();
  }

  remove(file: WatchedFile): void {
    const name = basename(file.path);
    const files = this.#files.get(name);
    files?.delete(file);
    if (files?.size === 0) this.#files.delete(name);
    if (this.empty) this.#stop();
  }

  #start(): void {
    if (this.#safety !== undefined) return;
    this.#safety = setInterval(() => this.#onSafetyPoll(), SAFETY_POLL_MS);
    try {
      this.#watcher = watch(this.#directory, (_event, name) => this.#onEvent(name));
      this.#watcher.on("error", () => this.#fallBackToPolling());
    } catch {
      // no inotify instances left, or a file system without change events
      this.#fallBackToPolling();
    }
  }

  #stop(): void {
    clearInterval(this.#safety);
    clearTimeout(this.#poll);
    this.#watcher?.close();
    this.#safety = undefined;
    this.#poll = undefined;
    this.#watcher = undefined;
  }

  #onEvent(name: string | null): void {
    if (name === null) {
      for (const files of this.#files.values()) for (const file of files) file.onHint();
      return;
    }
    const database = name.endsWith("-wal") ? name.slice(0, -4) : name;
    const files = this.#files.get(database);
    if (files !== undefined) for (const file of files) file.onHint();
  }

  #onSafetyPoll(): void {
    let missed = false;
    for (const files of this.#files.values()) {
      for (const file of files) missed = file.onSafetyPoll() || missed;
    }
    if (missed) this.#fallBackToPolling();
  }

  #fallBackToPolling(): void {
    if (this.#poll !== undefined) return;
    let delay = POLL_FASTEST_MS;
    const tick = (): void => {
      let changed = false;
      for (const files of this.#files.values()) {
        for (const file of files) changed = file.onSafetyPoll() || changed;
      }
      delay = changed ? POLL_FASTEST_MS : Math.min(delay * 1.5, POLL_SLOWEST_MS);
      this.#poll = setTimeout(tick, delay);
    };
    this.#poll = setTimeout(tick, delay);
  }
}

const directories = new Map<string, DirectoryWatch>();

/** Starts telling `file` about changes. @returns a function that stops it. */
export function watchFile(file: WatchedFile): () => void {
  const directory = dirname(file.path);
  let shared = directories.get(directory);
  if (shared === undefined) {
    shared = new DirectoryWatch(directory);
    directories.set(directory, shared);
  }
  shared.add(file);
  return () => {
    shared.remove(file);
    if (shared.empty && directories.get(directory) === shared) directories.delete(directory);
  };
}
