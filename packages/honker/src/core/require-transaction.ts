import { HonkerError } from "../errors.ts";
import type { Core } from "./core.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Checks that `tx` is open and belongs to this database, so that what is written next commits with it.
 *
 * @throws `TRANSACTION_STATE`
 */
export function requireTransaction(core: Core, tx: Transaction, what: string): void {
  if (core.owns(tx)) return;
  const ended = tx?.open !== true;
  throw new HonkerError(
    "TRANSACTION_STATE",
    ended
      ? `${what} needs an open transaction; this one has ended`
      : `${what} was given a transaction of another database than "${core.path}"`,
    { hint: "Pass the tx of the transaction() callback, and call it inside" },
  );
}
