/** Why a package needs another one; the strongest reason where it is listed more than once. */
export type DependencyKind = "prod" | "dev" | "optional" | "peer" | "optional peer";

/** The project itself, a folder of it (workspace, `file:` dependency), or an installed package. */
export type PackageKind = "project" | "workspace" | "installed";

/** One package at one place. The same name and version may be installed at several. */
export interface LockedPackage {
  /** Where it is, relative to the project: `node_modules/a/node_modules/b`; `.` is the project. */
  readonly location: string;
  readonly name: string;
  readonly version: string | null;
  readonly kind: PackageKind;
}

/** A declared dependency and the package that Node finds for it. */
export interface Dependency {
  /** Locations. */
  readonly from: string;
  readonly to: string;
  /** As declared, so the alias where there is one. */
  readonly name: string;
  readonly spec: string;
  readonly kind: DependencyKind;
}

/** A declared dependency that is not in the lock file. */
export type MissingDependency = Omit<Dependency, "to">;

/** What a lock file says. */
export interface PackageGraph {
  readonly lockfileVersion: number;
  readonly name: string;
  /** Sorted by location, so that every reader of one file makes the same batches. */
  readonly packages: readonly LockedPackage[];
  readonly dependencies: readonly Dependency[];
  readonly missing: readonly MissingDependency[];
  /** Entries that only point to another one (`"link": true`); they are followed, not stored. */
  readonly links: number;
}

/** A file that is not a lock file; the message says what is wrong and what to do. */
export class LockFileError extends Error {
  override readonly name: string = "LockFileError";
}
