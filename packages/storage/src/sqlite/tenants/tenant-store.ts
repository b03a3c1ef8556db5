/** Where a tenant's file is: to be opened, or put away. */
export type TenantPlace = "live" | "archive";

/**
 * Where tenant files live, and who may open them. The default, {@link localTenantStore}, is a folder of
 * this machine. Every method is synchronous and finished when it returns; a file is moved or given its
 * name in one step, so that a killed process leaves it in one place or the other.
 *
 * The manager calls `publish`, `move` and `remove` only for files that no process has open, and only
 * while it holds the write lock of `system.db`.
 */
export interface TenantStore {
  /** Makes the folders. Called once, by the manager. */
  prepare(): void;
  /** The name of whoever owns this tenant now; `null` when this process may open it. */
  ownerElsewhere(orgId: string): string | null;
  /** Name of the tenant's file. */
  fileName(orgId: string): string;
  /** Absolute path of the tenant's file, whether or not it is there. */
  path(orgId: string, place: TenantPlace): string;
  /**
   * Size of the tenant's file in bytes; `null` when there is none.
   *
   * @throws `StorageError` `TENANT_FILE` when it is something else, such as a symbolic link
   */
  size(orgId: string, place: TenantPlace): number | null;
  /** Absolute path of the temporary file of an operation. */
  temporaryPath(operationId: string): string;
  /** Gives the temporary file, flushed to disk, the tenant's name. */
  publish(operationId: string, orgId: string): void;
  /** Moves the tenant's file. */
  move(orgId: string, from: TenantPlace, to: TenantPlace): void;
  /** Removes the tenant's file and what SQLite keeps beside it, as far as they are there. */
  remove(orgId: string, place: TenantPlace): void;
  /** Removes the temporary files of an operation, as far as they are there. */
  discard(operationId: string): void;
  /** Ids of operations of which temporary files are there. */
  temporaries(): readonly string[];
}
