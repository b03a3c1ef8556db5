import type { Database } from "@alkdev/honker";
import { CallError, type Identity, OperationRegistry } from "@alkdev/operations";
import {
  createSystemDatabase,
  createTenantDatabase,
  registerTables,
  systemTables,
  type TenantDatabase,
  tenantTables,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { expect } from "vitest";

/** A row as operations return it. */
export type Row = Record<string, unknown> & { id: string };

const root: Identity = { id: "root", scopes: ["*"] };

/** Both files with the operations of all their tables. */
export interface Tables {
  readonly registry: OperationRegistry;
  readonly system: Database;
  readonly tenant: TenantDatabase;
  /** What handlers failed with that no spec declares. */
  readonly reported: unknown[];
  call<T = Row>(id: string, input: unknown): Promise<T>;
  /** The error a call ends with. */
  failure(id: string, input: unknown): Promise<CallError>;
}

export function openTables(openFile: () => Database = tempDatabase): Tables {
  const reported: unknown[] = [];
  const registry = new OperationRegistry({ onError: (error) => reported.push(error) });
  const system = openFile();
  const tenant = createTenantDatabase(openFile());
  registerTables(registry, createSystemDatabase(system), systemTables);
  registerTables(registry, () => tenant, tenantTables);
  const execute = (id: string, input: unknown) => registry.execute(id, input, { identity: root });
  return {
    registry,
    system,
    tenant,
    reported,
    call: async (id, input) => (await execute(id, input)).data as never,
    failure: async (id, input) => {
      const outcome = await execute(id, input).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(CallError);
      return outcome as CallError;
    },
  };
}

/** Notifications of a file so far: channel and payload. */
export function notifications(db: Database): [string, unknown][] {
  return db
    .rows("SELECT channel, payload FROM _honker_notifications ORDER BY id")
    .map(([channel, payload]) => [channel as string, JSON.parse(payload as string)]);
}
