import { LockFileError } from "./package-graph.ts";

/** One package of a lock file of any version. */
export interface LockEntry {
  readonly name: string | undefined;
  readonly version: string | null;
  /** Key of the entry this one points to. */
  readonly linkTo: string | undefined;
  /** Name to range. */
  readonly dependencies: ReadonlyMap<string, string>;
  readonly devDependencies: ReadonlyMap<string, string>;
  readonly optionalDependencies: ReadonlyMap<string, string>;
  readonly peerDependencies: ReadonlyMap<string, string>;
  readonly optionalPeers: ReadonlySet<string>;
}

/** Entries by location; the project's is `""`, as npm writes it. */
export type LockEntries = ReadonlyMap<string, LockEntry>;

type JsonObject = Readonly<Record<string, unknown>>;

/** Versions 2 and 3: `packages` lists every location. */
export function entriesOfPackages(packages: unknown): LockEntries {
  const entries = new Map<string, LockEntry>();
  for (const [location, value] of Object.entries(asObject(packages, "packages"))) {
    const at = `packages[${JSON.stringify(location)}]`;
    const entry = asObject(value, at);
    entries.set(location, {
      name: asText(entry["name"]),
      version: asText(entry["version"]) ?? null,
      linkTo: entry["link"] === true ? linkTarget(entry["resolved"], at) : undefined,
      dependencies: asRanges(entry["dependencies"], `${at}.dependencies`),
      devDependencies: asRanges(entry["devDependencies"], `${at}.devDependencies`),
      optionalDependencies: asRanges(entry["optionalDependencies"], `${at}.optionalDependencies`),
      peerDependencies: asRanges(entry["peerDependencies"], `${at}.peerDependencies`),
      optionalPeers: optionalPeers(entry["peerDependenciesMeta"], `${at}.peerDependenciesMeta`),
    });
  }
  return entries;
}

/**
 * Version 1: `dependencies` nests as the folders do. It does not list what the project itself depends
 * on (that is only in package.json), so the project has no dependencies here.
 */
export function entriesOfNestedDependencies(root: JsonObject): LockEntries {
  const entries = new Map<string, LockEntry>([
    ["", { ...NOTHING, version: asText(root["version"]) ?? null }],
  ]);
  const folders: [location: string, dependencies: unknown][] = [["", root["dependencies"]]];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const [parent, dependencies] = folder;
    if (dependencies === undefined) continue;
    const nested = asObject(dependencies, `dependencies of ${JSON.stringify(parent)}`);
    for (const [name, value] of Object.entries(nested)) {
      const location = `${parent === "" ? "" : `${parent}/`}node_modules/${name}`;
      const entry = asObject(value, JSON.stringify(location));
      // npm 5 wrote `"requires": true` where there was nothing to list
      const requires = typeof entry["requires"] === "boolean" ? undefined : entry["requires"];
      entries.set(location, {
        ...NOTHING,
        version: asText(entry["version"]) ?? null,
        dependencies: asRanges(requires, `requires of ${JSON.stringify(location)}`),
      });
      folders.push([location, entry["dependencies"]]);
    }
  }
  return entries;
}

/** @throws {@link LockFileError} naming the place */
export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new LockFileError(`${what} should be a JSON object`);
}

const NOTHING: LockEntry = {
  name: undefined,
  version: null,
  linkTo: undefined,
  dependencies: new Map(),
  devDependencies: new Map(),
  optionalDependencies: new Map(),
  peerDependencies: new Map(),
  optionalPeers: new Set(),
};

function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function asRanges(value: unknown, what: string): ReadonlyMap<string, string> {
  if (value === undefined) return NOTHING.dependencies;
  return new Map(
    Object.entries(asObject(value, what)).map(([name, range]) => [name, String(range)]),
  );
}

function optionalPeers(value: unknown, what: string): ReadonlySet<string> {
  if (value === undefined) return NOTHING.optionalPeers;
  const optional = Object.entries(asObject(value, what)).filter(
    ([name, meta]) => asObject(meta, `${what}.${name}`)["optional"] === true,
  );
  return new Set(optional.map(([name]) => name));
}

function linkTarget(resolved: unknown, at: string): string {
  if (typeof resolved !== "string") throw new LockFileError(`${at} is a link without "resolved"`);
  return resolved.replace(/^\.\//, "").replace(/\/$/, "");
}
