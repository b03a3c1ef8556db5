import { readFileSync, writeFileSync } from "node:fs";
import type { Database, OpenOptions } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { deleteAllCalls } from "../call-journal/call-log-table.ts";
import { dropDelegations } from "../cross-tenant/drop-delegations.ts";
import { syncFile } from "./local-tenant-store.ts";
import { applyQuota } from "./quota-enforcement.ts";
import { openTenantFile, readOwner, writeOwner } from "./tenant-file.ts";
import type { TenantSchema } from "./tenant-schema.ts";

/** What the builder makes files with. */
export interface TenantBuilderOptions {
  readonly openOptions: OpenOptions;
  readonly schema: TenantSchema;
}

/** What is to be kept of a copied file. */
export interface AdoptOptions {
  /** False: jobs, schedules and locks are removed, since they are done for the original. */
  readonly keepWork: boolean;
}

/** What another organisation must not do again. Unique keys would keep out jobs for ones that are gone. */
const DROP_WORK = [
  "DELETE FROM _honker_live",
  "DELETE FROM _honker_scheduler_tasks",
  "DELETE FROM _honker_locks",
  "DELETE FROM _alk_unique_windows",
] as const;

/** A file without a name is worth nothing after a power cut; it is flushed once, when it is complete. */
const NO_FLUSH = "PRAGMA synchronous = OFF";

/** Makes the file of a tenant under a temporary name, complete and flushed to disk. */
export class TenantBuilder {
  readonly #options: TenantBuilderOptions;
  /** An empty tenant's file: copying it was measured at a fifth of the time of creating its schema. */
  #template: Buffer | undefined;

  constructor(options: TenantBuilderOptions) {
    this.#options = options;
  }

  /** Makes an empty file. */
  create(orgId: string, path: string): void {
    this.#template ??= this.#makeTemplate(orgId, path);
    writeFileSync(path, this.#template);
    const client = this.#open(orgId, path);
    try {
      writeOwner(client, orgId);
    } finally {
      client.close();
    }
    syncFile(path, "r+");
  }

  /**
   * Makes a copied tenant file the file of `orgId`: migrated, its foreign keys checked, without the
   * quota of the original, and for another organisation without the delegations from and to others and the
   * calls that are remembered.
   *
   * @throws {@link StorageError} `TENANT_FILE` when it is not the file of a tenant, `UNKNOWN_SCHEMA`
   */
  async adopt(orgId: string, path: string, { keepWork }: AdoptOptions): Promise<void> {
    const client = this.#open(orgId, path);
    try {
      requireTenantFile(client, orgId);
      const tenant = this.#options.schema.create(client);
      const { ok, foreignKeyViolations, problems } = await client.integrityCheck({ limit: 3 });
      if (!ok) {
        const rows = foreignKeyViolations.map(({ table, parent }) => `${table} without ${parent}`);
        throw new StorageError(
          "TENANT_FILE",
          `the copy for tenant "${orgId}" is damaged: ${[...problems, ...rows].join("; ")}`,
          { details: { orgId, problems, foreignKeyViolations } },
        );
      }
      client.transaction((tx) => {
        if (readOwner(client) !== orgId) {
          dropDelegations(tenant);
          deleteAllCalls(client);
        }
        writeOwner(client, orgId);
        applyQuota(client, null);
        if (!keepWork) for (const statement of DROP_WORK) tx.execute(statement);
      });
    } finally {
      client.close();
    }
    syncFile(path, "r+");
  }

  #makeTemplate(orgId: string, path: string): Buffer {
    const client = this.#open(orgId, path);
    try {
      this.#options.schema.create(client);
    } finally {
      client.close();
    }
    // closed, so reading it through fs takes no lock from anybody
    return readFileSync(path);
  }

  #open(orgId: string, path: string): Database {
    const client = openTenantFile(orgId, path, this.#options.openOptions);
    client.execute(NO_FLUSH);
    return client;
  }
}

function requireTenantFile(client: Database, orgId: string): void {
  if (readOwner(client) !== null) return;
  throw new StorageError(
    "TENANT_FILE",
    `the file for tenant "${orgId}" says of no organisation that it is its own`,
    {
      hint: "Give a file made by exportTo(), or the file of a tenant",
      details: { orgId, path: client.path },
    },
  );
}
