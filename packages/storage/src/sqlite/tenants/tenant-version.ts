/** At which version a tenant's file is. */
export interface TenantVersion {
  /** Version of this package's tables. */
  readonly schema: number;
  /**
   * The newest migration of the application's own tables: when drizzle-kit generated it, in milliseconds
   * since 1970. 0: none.
   */
  readonly app: number;
}

/** What is noted of a version; `app` is null where a program does not know the application's tables. */
export interface NotedVersion {
  readonly schema: number;
  readonly app: number | null;
}

/** Whether two versions are the same. */
export function isSameVersion(a: TenantVersion, b: TenantVersion): boolean {
  return a.schema === b.schema && a.app === b.app;
}
