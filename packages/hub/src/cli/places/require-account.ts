import { accounts, type SelectAccount, type SystemDatabase } from "@alkdev/storage/sqlite";
import { eq, like, or } from "drizzle-orm";
import { HubError } from "../../errors.ts";

/** The account of an id, or of an email address in any case. @throws HubError `NOT_FOUND` */
export function requireAccount(system: SystemDatabase, idOrEmail: string): SelectAccount {
  const account =
    system
      .select()
      .from(accounts)
      .where(or(eq(accounts.id, idOrEmail), eq(accounts.email, idOrEmail)))
      .get() ?? accountOfEmail(system, idOrEmail);
  if (account !== undefined) return account;
  throw new HubError("NOT_FOUND", `there is no account "${idOrEmail}"`, {
    hint: "alkdev account list shows them",
    details: { account: idOrEmail },
  });
}

/** Letters compare without case in LIKE, but `_` and `%` stand for others there, so it is looked at again. */
function accountOfEmail(system: SystemDatabase, email: string): SelectAccount | undefined {
  const wanted = email.toLowerCase();
  const rows = system.select().from(accounts).where(like(accounts.email, email)).all();
  return rows.find((row) => row.email.toLowerCase() === wanted);
}
