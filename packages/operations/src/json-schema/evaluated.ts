/** Which properties and items of one value a schema has looked at, for "unevaluated…" keywords. */
export class Evaluated {
  readonly keys: Set<string> = new Set();
  readonly items: Set<number> = new Set();

  get size(): number {
    return this.keys.size + this.items.size;
  }

  add(other: Evaluated): void {
    for (const key of other.keys) this.keys.add(key);
    for (const item of other.items) this.items.add(item);
  }
}
