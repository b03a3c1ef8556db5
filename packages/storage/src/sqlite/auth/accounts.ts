import { eq } from "drizzle-orm";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import { accountOperations } from "../operations/tables/accounts.ts";
import type { JsonObject } from "../tables/common.ts";
import {
  type ACCOUNT_ACCESS_LEVELS,
  type ACCOUNT_STATUSES,
  accounts,
} from "../tables/identity/accounts.ts";
import type { SelectAccount } from "../tables/identity/accounts-schemas.ts";
import { type Actor, recordAudit } from "./audit.ts";
import { callTable } from "./call-table.ts";

/** A new account. */
export interface AccountInput {
  /** Default: a new UUID. */
  readonly id?: string;
  /** Unique, whatever its case. */
  readonly email: string;
  readonly displayName?: string;
  /** Default `"user"`. `"admin"` may do everything in every organisation. */
  readonly accessLevel?: (typeof ACCOUNT_ACCESS_LEVELS)[number];
  readonly metadata?: JsonObject;
  /** Who does it. Default: the account itself. */
  readonly by?: Actor;
}

/** What of an account changes; what is left out stays. */
export interface AccountChanges {
  readonly email?: string;
  readonly displayName?: string | null;
  readonly accessLevel?: (typeof ACCOUNT_ACCESS_LEVELS)[number];
  readonly status?: (typeof ACCOUNT_STATUSES)[number];
  readonly metadata?: JsonObject;
}

/**
 * Creates an account, with `account:created` and its line of the audit trail in the same commit.
 *
 * @throws StorageError `INVALID_ARGUMENT`, `ALREADY_EXISTS` for a taken email or id
 * @example
 * ```ts
 * const ada = createAccount(system, { email: "ada@example.com" });
 * ```
 */
export function createAccount(
  system: SystemDatabase,
  { by, ...input }: AccountInput,
): SelectAccount {
  return system.transaction(() => {
    const { id } = callTable({ system, operations: accountOperations }, "create", input);
    recordAudit(system, {
      action: "account.created",
      by: by ?? { accountId: id },
      details: { accountId: id },
    });
    return requireAccount(system, id);
  });
}

/**
 * Changes an account, with `account:updated` and its line of the audit trail, which names the columns, in
 * the same commit. Its keys stop at once where `status` is no longer `active`.
 *
 * @throws StorageError `NOT_FOUND`, `INVALID_ARGUMENT`, `ALREADY_EXISTS`
 */
export function updateAccount(
  system: SystemDatabase,
  id: string,
  { changes, by }: { readonly changes: AccountChanges; readonly by?: Actor },
): SelectAccount {
  return system.transaction(() => {
    callTable({ system, operations: accountOperations }, "update", { id, changes });
    const { accessLevel, status } = changes;
    recordAudit(system, {
      action: "account.updated",
      by: by ?? { accountId: id },
      details: {
        accountId: id,
        columns: Object.keys(changes),
        ...(accessLevel === undefined ? {} : { accessLevel }),
        ...(status === undefined ? {} : { status }),
      },
    });
    return requireAccount(system, id);
  });
}

/** An account. @throws StorageError `NOT_FOUND` */
export function requireAccount(system: SystemDatabase, id: string): SelectAccount {
  const account = system.select().from(accounts).where(eq(accounts.id, id)).get();
  if (account !== undefined) return account;
  throw new StorageError("NOT_FOUND", `there is no account "${id}"`, {
    details: { accountId: id },
  });
}

/** Refuses an account that may not sign in. @throws StorageError `NOT_FOUND`, `ACCOUNT_STATE` */
export function requireActiveAccount(
  system: SystemDatabase,
  id: string,
  action: string,
): SelectAccount {
  const account = requireAccount(system, id);
  if (account.status === "active") return account;
  throw new StorageError(
    "ACCOUNT_STATE",
    `cannot ${action} of account "${id}": it is ${account.status}`,
    {
      hint: "updateAccount with the status active first",
      details: { accountId: id, status: account.status },
    },
  );
}
