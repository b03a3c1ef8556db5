import { hash } from "node:crypto";

/** A {@link RowSum} as it is kept and reported. */
export interface RowSumState {
  readonly rows: number;
  /** Sum of the rows' digests, decimal. */
  readonly sum: string;
}

/** Stands between two values, and for an absent one: neither occurs in what is compared. */
export const SEPARATOR = "\x1f";
export const ABSENT = "\x1e";

const TWO_32 = 4_294_967_296n;
/** Sums of 32-bit halves stay exact as numbers for 2^21 rows. */
const FOLD_EVERY = 1 << 20;

/**
 * Count and checksum of rows, whatever their order: the sum of the first 64 bits of each row's MD5, which
 * PostgreSQL can compute too. It finds accidents, not attacks.
 */
export class RowSum {
  #rows: number;
  #sum: bigint;
  #high = 0;
  #low = 0;
  #pending = 0;

  constructor(state: RowSumState = { rows: 0, sum: "0" }) {
    this.#rows = state.rows;
    this.#sum = BigInt(state.sum);
  }

  get rows(): number {
    return this.#rows;
  }

  add(values: readonly unknown[]): void {
    const digest = hash("md5", rowText(values), "buffer");
    this.#high += digest.readInt32BE(0);
    this.#low += digest.readUInt32BE(4);
    this.#rows += 1;
    this.#pending += 1;
    if (this.#pending === FOLD_EVERY) this.#fold();
  }

  state(): RowSumState {
    this.#fold();
    return { rows: this.#rows, sum: String(this.#sum) };
  }

  #fold(): void {
    this.#sum += BigInt(this.#high) * TWO_32 + BigInt(this.#low);
    this.#high = 0;
    this.#low = 0;
    this.#pending = 0;
  }
}

function rowText(values: readonly unknown[]): string {
  let text = "";
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += SEPARATOR;
    text += values[i] ?? ABSENT;
  }
  return text;
}
