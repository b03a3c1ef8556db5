/** A Map that forgets what was used longest ago once it holds more than `limit` entries. */
export class LruMap<Key, Item> {
  readonly #items = new Map<Key, Item>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#items.size;
  }

  get(key: Key): Item | undefined {
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    this.#items.delete(key);
    this.#items.set(key, item);
    return item;
  }

  set(key: Key, item: Item): void {
    this.#items.delete(key);
    this.#items.set(key, item);
    if (this.#items.size <= this.#limit) return;
    const [oldest] = this.#items.keys();
    this.#items.delete(oldest as Key);
  }

  delete(key: Key): void {
    this.#items.delete(key);
  }

  clear(): void {
    this.#items.clear();
  }
}
