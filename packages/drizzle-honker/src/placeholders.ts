import { placeholderParam } from "./drizzle-internals.ts";

interface Slot {
  readonly index: number;
  readonly name: string;
  readonly encode: ((value: unknown) => unknown) | undefined;
}

/** Where a query has placeholders, found once, so that each run only fills them in. */
export class Placeholders {
  readonly #params: readonly unknown[];
  readonly #slots: readonly Slot[];

  constructor(params: readonly unknown[]) {
    this.#params = params;
    this.#slots = params.flatMap((param, index) => {
      const placeholder = placeholderParam(param);
      return placeholder === undefined ? [] : [{ index, ...placeholder }];
    });
  }

  /** The parameters of one run. @throws when a placeholder has no value, with Drizzle's message */
  fill(values: Readonly<Record<string, unknown>> = {}): unknown[] {
    const params = this.#params.slice();
    for (const { index, name, encode } of this.#slots) {
      if (!(name in values)) throw new Error(`No value for placeholder "${name}" was provided`);
      const value = values[name];
      params[index] = encode === undefined ? value : encode(value);
    }
    return params;
  }
}
