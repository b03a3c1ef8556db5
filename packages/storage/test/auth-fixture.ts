import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  type Authenticator,
  type AuthenticatorOptions,
  createAccount,
  createApiKey,
  createAuthenticator,
  createSystemDatabase,
  type NewApiKey,
  type SystemDatabase,
} from "@alkdev/storage/sqlite";
import { FakeClock, tempFolder } from "@alkdev/testkit";
import { onTestFinished } from "vitest";

/** A system database with one account and one key of it, on a clock that stands still. */
export interface AuthSetup {
  readonly path: string;
  readonly system: SystemDatabase;
  readonly clock: FakeClock;
  readonly ada: { readonly id: string };
  readonly key: NewApiKey;
  /** Another authenticator over the file; closed when the test ends. */
  authenticator(options?: AuthenticatorOptions): Authenticator;
}

export function authSetup(): AuthSetup {
  const path = join(tempFolder(), "system.db");
  const clock = new FakeClock(Math.floor(Date.now() / 1_000) * 1_000);
  const system = createSystemDatabase(open(path, { clock }));
  onTestFinished(() => system.$client.close());
  const ada = createAccount(system, { id: "ada", email: "ada@example.com" });
  return {
    path,
    system,
    clock,
    ada,
    key: createApiKey(system, { ownerId: ada.id, name: "laptop" }),
    authenticator: (options = {}) => {
      const auth = createAuthenticator(system, { clock, ...options });
      onTestFinished(() => auth.close());
      return auth;
    },
  };
}

/** Rows of the audit trail: action, details. */
export function auditTrail(system: SystemDatabase, action = "%"): [string, unknown][] {
  return system.$client
    .rows("SELECT action, details FROM audit_logs WHERE action LIKE ? ORDER BY id", [action])
    .map(([name, details]) => [name as string, JSON.parse((details as string | null) ?? "null")]);
}

/** Notifications so far, and events of `audit-events`. */
export function told(system: SystemDatabase): { channels: string[]; stream: string[] } {
  const { $client: db } = system;
  return {
    channels: db.rows("SELECT channel FROM _honker_notifications ORDER BY id").flat() as string[],
    stream: db
      .rows("SELECT json_extract(payload, '$.action') FROM _honker_stream ORDER BY offset")
      .flat() as string[],
  };
}
