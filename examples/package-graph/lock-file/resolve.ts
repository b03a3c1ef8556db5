import { basename } from "node:path/posix";
import type { LockEntries, LockEntry } from "./entries.ts";
import type {
  Dependency,
  DependencyKind,
  LockedPackage,
  MissingDependency,
  PackageGraph,
} from "./package-graph.ts";

interface Declared {
  readonly spec: string;
  readonly kind: DependencyKind;
}

/** Finds for every declared dependency the package that Node would load. */
export function resolveEntries(
  entries: LockEntries,
  project: { readonly name: string; readonly lockfileVersion: number },
): PackageGraph {
  const packages: LockedPackage[] = [];
  const dependencies: Dependency[] = [];
  const missing: MissingDependency[] = [];
  let links = 0;
  for (const [location, entry] of entries) {
    if (follow(entries, location) !== location) {
      links += 1;
      continue;
    }
    packages.push(describe(location, entry, project.name));
    for (const [name, { spec, kind }] of declaredBy(location, entry)) {
      const declared = { from: keyOf(location), name, spec, kind };
      const found = lookUp(entries, location, name);
      if (found === undefined) missing.push(declared);
      else dependencies.push({ ...declared, to: keyOf(found) });
    }
  }
  packages.sort((a, b) => (a.location < b.location ? -1 : a.location > b.location ? 1 : 0));
  return { ...project, packages, dependencies, missing, links };
}

/** The project's location is `""` in npm's file and `.` here, since a key should not look like none. */
function keyOf(location: string): string {
  return location === "" ? "." : location;
}

/**
 * Looks in the package's own `node_modules`, then in that of every folder above it, as Node does
 * (https://nodejs.org/api/modules.html#loading-from-node_modules-folders).
 */
function lookUp(entries: LockEntries, from: string, name: string): string | undefined {
  for (const folder of foldersUp(from)) {
    const candidate = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (entries.has(candidate)) return follow(entries, candidate);
  }
  return undefined;
}

function* foldersUp(location: string): Generator<string> {
  const parts = location === "" ? [] : location.split("/");
  for (let length = parts.length; length > 0; length--) {
    if (parts[length - 1] === "node_modules") continue;
    yield parts.slice(0, length).join("/");
  }
  // a folder outside of the project ("../lib") does not have the project above it
  if (parts[0] !== "..") yield "";
}

/** Where a link leads; a link whose target the file does not list stands for itself. */
function follow(entries: LockEntries, location: string): string {
  const target = entries.get(location)?.linkTo;
  return target !== undefined && entries.has(target) ? target : location;
}

function describe(location: string, entry: LockEntry, projectName: string): LockedPackage {
  const { version } = entry;
  if (location === "") return { location: ".", name: projectName, version, kind: "project" };
  const inModules = location.lastIndexOf("node_modules/");
  return {
    location,
    version,
    name: entry.name ?? (inModules < 0 ? basename(location) : location.slice(inModules + 13)),
    kind: isFolderOfProject(location) ? "workspace" : "installed",
  };
}

function isFolderOfProject(location: string): boolean {
  return !location.split("/").includes("node_modules");
}

/** Each name once: like npm, the later of peer, prod, optional, dev decides what it counts as. */
function declaredBy(location: string, entry: LockEntry): Map<string, Declared> {
  const declared = new Map<string, Declared>();
  const add = (ranges: ReadonlyMap<string, string>, kind: DependencyKind): void => {
    for (const [name, spec] of ranges) declared.set(name, { spec, kind });
  };
  for (const [name, spec] of entry.peerDependencies) {
    declared.set(name, { spec, kind: entry.optionalPeers.has(name) ? "optional peer" : "peer" });
  }
  add(entry.dependencies, "prod");
  add(entry.optionalDependencies, "optional");
  if (location === "" || isFolderOfProject(location)) add(entry.devDependencies, "dev");
  return declared;
}
