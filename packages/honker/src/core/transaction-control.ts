import { HonkerError } from "../errors.ts";
import type { TransactionBehavior } from "./transaction.ts";
import type { TransactionStack } from "./transaction-stack.ts";

/** A statement that begins or ends a whole transaction. */
export type TransactionControl =
  | { readonly action: "begin"; readonly behavior: TransactionBehavior }
  | { readonly action: "commit" | "rollback" };

/**
 * Recognises BEGIN, COMMIT, END and ROLLBACK, which must go through the transaction stack so that
 * notifications of the transaction are delivered or dropped with it. SAVEPOINT, RELEASE and
 * ROLLBACK TO are left to SQLite.
 */
export function transactionControl(sql: string): TransactionControl | undefined {
  const first = sql.charCodeAt(0);
  // most statements are told apart by their first letter: B, C, E, R, or white space before it
  if (first > 32 && !FIRST_LETTERS.has(first)) return undefined;
  const match = CONTROL.exec(sql);
  if (match === null) return undefined;
  const keyword = (match[1] as string).toLowerCase();
  if (keyword === "begin") {
    const behavior = (match[2] ?? "deferred").toLowerCase() as TransactionBehavior;
    return { action: "begin", behavior };
  }
  return { action: keyword === "rollback" ? "rollback" : "commit" };
}

/** Does what the statement says. @throws `TRANSACTION_STATE` when it does not fit the open state */
export function applyControl(control: TransactionControl, stack: TransactionStack): void {
  if (control.action === "begin") {
    if (stack.active) {
      throw new HonkerError("TRANSACTION_STATE", "cannot BEGIN inside a transaction", {
        hint: "Use SAVEPOINT, or transaction(), which nests",
      });
    }
    stack.begin({ behavior: control.behavior });
    return;
  }
  const current = stack.current;
  if (current === undefined || current.depth > 0) {
    throw new HonkerError(
      "TRANSACTION_STATE",
      current === undefined
        ? `cannot ${control.action}: no transaction is open`
        : `cannot ${control.action} from inside a nested transaction`,
      { hint: "End a transaction where it was begun" },
    );
  }
  if (control.action === "commit") current.commit();
  else current.rollback();
}

const FIRST_LETTERS = new Set([..."bBcCeErR"].map((letter) => letter.charCodeAt(0)));

const CONTROL =
  /^\s*(begin|commit|end|rollback)\b(?!\s+(?:transaction\s+)?to\b)(?:\s+(deferred|immediate|exclusive))?(?:\s+transaction)?\s*;?\s*$/i;
