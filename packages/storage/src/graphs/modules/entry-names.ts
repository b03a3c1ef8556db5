/** What an entry of a Module is, by its name. */
export type EntryKind = "config" | "node" | "edge" | "constraints" | "base" | "shared";

/** The kind of an entry, or why its name is refused. */
export type EntryName =
  | { readonly kind: EntryKind; readonly problem?: undefined }
  | { readonly kind?: undefined; readonly problem: string };

const PASCAL_CASE = /^[A-Z][A-Za-z0-9]*$/;
/** Endings that look like one of the conventional ones and are not: the type would silently vanish. */
const MISSPELT: readonly (readonly [pattern: RegExp, meant: string])[] = [
  [/EdgeConstraints?$|EdgesConstraints?$|EdgeConstrain(t|s|ts)?$/, "EdgeConstraints"],
  [/Constraints?$/, "EdgeConstraints"],
  [/(Nodes|NODES?|Nod|Noed|Ndoe|Noode)$/, "Node"],
  [/(Edges|EDGES?|Edg|Edeg|Egde|Eedge)$/, "Edge"],
  [/^Confi?gs?$|^Configs$|^Configuration$|^CONFIG$/, "Config"],
  [/Enums$|ENUMS?$/, "Enum"],
];

/** Tells what an entry is from its name, and refuses names that are nearly one of the conventions. */
export function entryName(name: string): EntryName {
  if (!PASCAL_CASE.test(name)) {
    return { problem: "is not PascalCase: capital first, then letters and digits" };
  }
  if (name === "Config") return { kind: "config" };
  if (name === "BaseNode" || name === "BaseEdge") return { kind: "base" };
  if (name === "Node" || name === "Edge" || name === "EdgeConstraints") {
    return { problem: `is only the suffix; put the type's name before it, as in "Call${name}"` };
  }
  if (name.endsWith("EdgeConstraints")) return { kind: "constraints" };
  if (name.endsWith("Node")) return { kind: "node" };
  if (name.endsWith("Edge")) return { kind: "edge" };
  const misspelt = MISSPELT.find(([pattern]) => pattern.test(name));
  if (misspelt === undefined) return { kind: "shared" };
  return { problem: `misuses a suffix; "${misspelt[1]}" is the one that is understood` };
}

const SUFFIX = /(Node|Edge)$/;

/**
 * The name under which an entry's type is stored: without its suffix, in snake_case.
 *
 * @example
 * ```ts
 * typeNameOf("CallNode"); // "call"
 * typeNameOf("DependsOnEdge"); // "depends_on"
 * ```
 */
export function typeNameOf(entry: string): string {
  return entry
    .replace(SUFFIX, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}
