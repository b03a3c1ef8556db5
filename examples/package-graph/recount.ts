import { resolve } from "node:path/posix";

/**
 * Counts a lock file a second time, by other means than `lock-file/`: absolute folders or the chain of
 * enclosing `dependencies`, and closures by repeated union. The self-check compares the database to it.
 */
export interface Recount {
  readonly nodes: ReadonlySet<string>;
  /** `source>name>target` */
  readonly edges: ReadonlySet<string>;
  /** Node to the number of packages it needs, directly or not, without itself. */
  readonly reachable: ReadonlyMap<string, number>;
}

interface Entry {
  readonly link?: boolean;
  readonly resolved?: string;
  readonly requires?: Record<string, string> | boolean;
  readonly dependencies?: Record<string, Entry>;
}

interface Root {
  readonly lockfileVersion: number;
  readonly packages?: Record<string, Entry>;
  readonly dependencies?: Record<string, Entry>;
}

/** `json` must be a lock file that `readLockFile` accepted. */
export function recount(json: unknown): Recount {
  const root = json as Root;
  const nodes = new Set<string>();
  const edges = new Set<string>();
  const targets = new Map<string, Set<string>>();
  const found = (source: string, name: string, target: string): void => {
    edges.add(`${source}>${name}>${target}`);
    const known = targets.get(source);
    if (known === undefined) targets.set(source, new Set([target]));
    else known.add(target);
  };
  if (root.lockfileVersion === 1) countNested(root, nodes, found);
  else countLocations(new Map(Object.entries(root.packages ?? {})), nodes, found);
  return { nodes, edges, reachable: closureSizes([...nodes], targets) };
}

type Found = (source: string, name: string, target: string) => void;

/** Deep enough that `../..` in a link still has a folder to be in. */
const PROJECT = "/1/2/3/4/5/6/7/8/project";
const DECLARING = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

function countLocations(packages: Map<string, Entry>, nodes: Set<string>, found: Found): void {
  const folders = new Map([...packages.keys()].map((key) => [resolve(PROJECT, key), key]));
  const keyAt = new Map<string, string>();
  for (const [location, entry] of packages) {
    const real = entry.link ? folders.get(resolve(PROJECT, entry.resolved ?? "")) : undefined;
    keyAt.set(resolve(PROJECT, location), (real ?? location) || ".");
    if (real === undefined) nodes.add(location || ".");
  }
  for (const [location, entry] of packages) {
    const source = location || ".";
    if (!nodes.has(source)) continue;
    const installed = location.split("/").includes("node_modules");
    const names = DECLARING.filter((field) => !(installed && field === "devDependencies")).flatMap(
      (field) => Object.keys((entry as Record<string, object | undefined>)[field] ?? {}),
    );
    for (const name of new Set(names)) {
      let folder = resolve(PROJECT, location);
      let target: string | undefined;
      while (target === undefined) {
        if (!folder.endsWith("/node_modules")) target = keyAt.get(`${folder}/node_modules/${name}`);
        if (folder === "/") break;
        folder = resolve(folder, "..");
      }
      if (target !== undefined) found(source, name, target);
    }
  }
}

/** Version 1: the nearest enclosing `dependencies` that has the name. */
function countNested(root: Root, nodes: Set<string>, found: Found): void {
  nodes.add(".");
  const visit = (
    entry: Entry,
    key: string,
    scopes: readonly (readonly [string, Entry])[],
  ): void => {
    const inside = [[key, entry] as const, ...scopes];
    const requires = typeof entry.requires === "object" ? entry.requires : {};
    for (const name of key === "." ? [] : Object.keys(requires)) {
      const scope = inside.find(([, { dependencies }]) => Object.hasOwn(dependencies ?? {}, name));
      if (scope !== undefined) found(key, name, childKey(scope[0], name));
    }
    for (const [name, child] of Object.entries(entry.dependencies ?? {})) {
      nodes.add(childKey(key, name));
      visit(child, childKey(key, name), inside);
    }
  };
  visit({ dependencies: root.dependencies ?? {} }, ".", []);
}

function childKey(parent: string, name: string): string {
  return parent === "." ? `node_modules/${name}` : `${parent}/node_modules/${name}`;
}

/** Unites the bit sets of what each node reaches until none grows any more. */
function closureSizes(
  nodes: readonly string[],
  targets: ReadonlyMap<string, ReadonlySet<string>>,
): Map<string, number> {
  const index = new Map(nodes.map((key, position) => [key, position]));
  const words = Math.ceil(nodes.length / 32);
  const reach = nodes.map(() => new Uint32Array(words));
  const successors = nodes.map((key) =>
    [...(targets.get(key) ?? [])].map((to) => index.get(to) ?? 0),
  );
  for (let grown = true; grown; ) {
    grown = false;
    // last first: dependencies often sort after their dependents' folders, which saves rounds
    for (let node = nodes.length - 1; node >= 0; node--) {
      const own = reach[node] as Uint32Array;
      for (const next of successors[node] ?? []) {
        const bit = 1 << (next & 31);
        const word = own[next >> 5] as number;
        if ((word & bit) === 0) {
          own[next >> 5] = word | bit;
          grown = true;
        }
        const theirs = reach[next] as Uint32Array;
        for (let i = 0; i < words; i++) {
          const united = ((own[i] as number) | (theirs[i] as number)) >>> 0;
          if (united !== own[i]) {
            own[i] = united;
            grown = true;
          }
        }
      }
    }
  }
  return new Map(
    nodes.map((key, position) => {
      const own = reach[position] as Uint32Array;
      own[position >> 5] = (own[position >> 5] as number) & ~(1 << (position & 31));
      return [key, own.reduce((sum, word) => sum + bitCount(word), 0)];
    }),
  );
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
