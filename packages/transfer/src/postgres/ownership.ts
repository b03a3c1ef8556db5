import { literal } from "./expressions.ts";
import { identifier, type SourceSchema } from "./source-schema.ts";

/** Joins and an expression that give the organization of a row. */
export interface Ownership {
  readonly joins: string;
  /** The organization's id as text; NULL for a row that belongs to nobody. */
  readonly org: string;
}

/** What tells the organization of a row, beginning with what tells it best. */
export interface OwnershipOptions {
  /** The table and what it is called in the query. */
  readonly table: string;
  readonly alias: string;
  /** The organization of what belongs to nobody; otherwise it is reported. */
  readonly unownedTo: string | undefined;
}

const ACCOUNT_COLUMNS = ["owner_id", "account_id", "caller_account_id", "user_id"];

/**
 * Whose a row is: the organization it names; else that of its project; else that of its session; else the
 * only organization that its account is a member of. An organization that is not there counts as none.
 */
export function ownershipOf(schema: SourceSchema, options: OwnershipOptions): Ownership {
  const { table, alias, unownedTo } = options;
  const joins: string[] = [];
  const candidates: string[] = [];
  const existing = (name: string, id: string): void => {
    joins.push(
      `LEFT JOIN ${schema.qualified("organizations")} ${name} ON ${name}.id::text = (${id})::text`,
    );
    candidates.push(`${name}.id::text`);
  };
  if (schema.has(table, "org_id")) existing("own_org", `${alias}.org_id`);
  if (table !== "projects" && schema.has(table, "project_id") && schema.has("projects", "org_id")) {
    joins.push(
      `LEFT JOIN ${schema.qualified("projects")} own_project ON own_project.id::text = ${alias}.project_id::text`,
    );
    existing("project_org", "own_project.org_id");
  }
  if (table !== "sessions" && schema.has(table, "session_id") && schema.has("sessions", "org_id")) {
    joins.push(
      `LEFT JOIN ${schema.qualified("sessions")} own_session ON own_session.id::text = ${alias}.session_id::text`,
    );
    existing("session_org", "own_session.org_id");
  }
  const account = ACCOUNT_COLUMNS.find((column) => schema.has(table, column));
  if (account !== undefined && schema.has("organization_members", "account_id")) {
    joins.push(`LEFT JOIN (
      SELECT account_id::text AS account_id, min(org_id::text) AS org_id
      FROM ${schema.qualified("organization_members")} GROUP BY 1 HAVING count(*) = 1
    ) only_member ON only_member.account_id = ${alias}.${identifier(account)}::text`);
    existing("account_org", "only_member.org_id");
  }
  if (unownedTo !== undefined) candidates.push(literal(unownedTo));
  const org = candidates.length === 0 ? "NULL::text" : `coalesce(${candidates.join(", ")})`;
  return { joins: joins.join("\n"), org };
}
