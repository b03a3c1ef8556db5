import { StorageError } from "../../errors.ts";
import type { PrincipalKey } from "../../graphs/index.ts";
import type { Graph } from "../graph-store/graph.ts";
import { edgeName, type StoredEdge } from "../graph-store/rows.ts";
import { MEMBERSHIP_LEVELS } from "../tables/identity/organization-members.ts";
import type { AclContext } from "./acl-context.ts";
import { readPrincipalKey } from "./acl-keys.ts";
import { allPages } from "./all-pages.ts";

/** What a row of `organization_members` says about one account. */
export interface Member {
  readonly accountId: string;
  readonly membershipLevel: (typeof MEMBERSHIP_LEVELS)[number];
}

/** What reconciling changed: ids of accounts. */
export interface MembershipChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Makes the `belongs_to` edges of an organisation equal to its rows of members. */
export function reconcileMembers(
  context: AclContext,
  orgId: string,
  members: Iterable<Member>,
): MembershipChanges {
  const org = readPrincipalKey(`org:${orgId}`).key;
  const levels = readMembers(members);
  return context.write((graph) => {
    const stored = new Map<string, StoredEdge>();
    const edges = (cursor: string | null) =>
      graph.listEdges({ type: "belongs_to", target: org, limit: PER_PAGE, cursor });
    for (const edge of allPages(edges)) stored.set(edge.source, edge);
    const added = [...levels.keys()].filter((key) => !stored.has(key));
    const changed = [...levels].flatMap(([key, level]) => {
      const edge = stored.get(key);
      return edge === undefined || edge.attributes.membershipLevel === level ? [] : [key];
    });
    const removed = [...stored.keys()].filter((key) => !levels.has(key as PrincipalKey));
    createPrincipals(graph, [org, ...added]);
    graph.upsertEdges(
      [...added, ...changed].map((source) => ({
        type: "belongs_to",
        source,
        target: org,
        attributes: { membershipLevel: levels.get(source) as string },
      })),
    );
    graph.deleteEdges(removed.map((key) => edgeName(stored.get(key) as StoredEdge)));
    return { added: added.map(idOf), changed: changed.map(idOf), removed: removed.map(idOf) };
  });
}

const PER_PAGE = 10_000;

/** Read to its end before the transaction begins: it may be a query that is still running. */
function readMembers(members: Iterable<Member>): Map<PrincipalKey, string> {
  const levels = new Map<PrincipalKey, string>();
  for (const { accountId, membershipLevel } of members) {
    if (typeof accountId !== "string" || !MEMBERSHIP_LEVELS.includes(membershipLevel)) {
      throw new StorageError(
        "INVALID_ARGUMENT",
        `member "${accountId}" has the level "${membershipLevel}"`,
        {
          hint: `Levels are ${MEMBERSHIP_LEVELS.join(", ")}, accounts have a text as id`,
          details: { accountId, membershipLevel },
        },
      );
    }
    const { key } = readPrincipalKey(`account:${accountId}`);
    const before = levels.get(key);
    if (before !== undefined && before !== membershipLevel) {
      throw new StorageError(
        "INVALID_ARGUMENT",
        `member "${accountId}" is given twice, as ${before} and as ${membershipLevel}`,
        { details: { accountId, levels: [before, membershipLevel] } },
      );
    }
    levels.set(key, membershipLevel);
  }
  return levels;
}

/** Those that are there keep what they hold. */
function createPrincipals(graph: Graph, keys: readonly PrincipalKey[]): void {
  const found = graph.getNodes(keys);
  const missing = keys.filter((_, at) => found[at] === null);
  graph.insertNodes(
    missing.map((principal) => {
      const { key, identityType, identityId } = readPrincipalKey(principal);
      return { key, type: "principal", attributes: { identityType, identityId, scopes: [] } };
    }),
  );
}

function idOf(key: string): string {
  return key.slice(key.indexOf(":") + 1);
}
