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

/** Whether two versions are the same. */
export function isSameVersion(a: TenantVersion, b: TenantVersion): boolean {
  return a.schema === b.schema && a.app === b.app;
}
