import { Type } from "@sinclair/typebox";
import { openCatalogStream, systemCatalog } from "../../../catalog/index.ts";
import { auditLogs } from "../../tables/identity/audit-logs.ts";
import type { AnyDatabase, RawRow } from "../row-fields.ts";
import { rowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, findSpec, listSpec } from "../table-specs.ts";

const Text = Type.String({ minLength: 1 });
const definition = defineTable(auditLogs, {
  noun: "an audit entry",
  create: [
    "id",
    "action",
    "ownerId",
    "credentialId",
    "credentialType",
    "orgId",
    "details",
    "metadata",
  ],
  update: [],
  refine: { id: Text, action: Text, ownerId: Text, credentialId: Text },
});

const writes = rowWrites(definition, { created: publishAudit });

/** The same entry on the stream `audit-events`, for those who follow the trail. */
function publishAudit({ $client }: AnyDatabase, row: RawRow): void {
  const { action, ownerId, createdAt, ...optional } = row;
  const given = ["credentialId", "credentialType", "orgId", "details"]
    .filter((name) => optional[name] !== null)
    .map((name) => [name, optional[name]]);
  const source = { db: $client, entries: systemCatalog.streams };
  openCatalogStream(source, "audit-events").publish({
    action: action as string,
    ownerId: ownerId as string,
    ...Object.fromEntries(given),
    at: Date.parse(createdAt as string),
  });
}

/** Operations of the audit trail, which only grows. */
export const auditLogSpecs = [
  createSpec(definition),
  findSpec(definition),
  listSpec(definition),
] as const;

/** {@link auditLogSpecs} with their handlers. */
export const auditLogOperations = tableOperations(definition, auditLogSpecs, writes);
