import { createHash } from "node:crypto";
import { literal } from "../expressions.ts";

/** A row of a seeded hub that is hard to take, and what becomes of it. */
export interface HardCase {
  readonly table: string;
  /** What the id of the row is made of. */
  readonly name: string;
  /** The code that the report of rows gives it; null when it is taken as it is. */
  readonly code: string | null;
  readonly taken: boolean;
  /** Values behind id, metadata, created_at and updated_at. */
  readonly values: string;
  /** Instead of `{}` and the usual moment. */
  readonly metadata?: string;
  readonly createdAt?: string;
}

/** The id of a hard case, for SQL. */
function hardId(seed: string, name: string): string {
  return `md5(${literal(`${seed}:hard:${name}`)})::uuid`;
}

/** Rows that an import must take exactly, change with a word, or refuse with a reason. */
export function hardCases(seed: string): readonly HardCase[] {
  const id = (name: string): string => hardId(seed, name);
  const first = (kind: string): string => `md5(${literal(`${seed}:${kind}:1`)})::uuid`;
  const nobody = id("nobody");
  const node = (key: string, attributes: string): string =>
    `${first("graph")}, '${key}', ${attributes}`;
  const taken = (table: string, name: string, values: string): HardCase => {
    return { table, name, values, code: null, taken: true };
  };
  const changed = (table: string, name: string, code: string, values: string): HardCase => {
    return { table, name, values, code, taken: true };
  };
  const refused = (table: string, name: string, code: string, values: string): HardCase => {
    return { table, name, values, code, taken: false };
  };
  const account = (email: string): string => `'${email}', NULL, 'user', 'active', NULL`;
  const hash = (name: string): string => `sha256('${name}'::bytea)`;
  return [
    ...twins(seed).map(({ name, email, code }) => ({
      ...taken("accounts", name, account(email)),
      code,
    })),
    changed("accounts", "blank-email", "EMAIL_TRIMMED", account(" blank@example.org ")),
    changed(
      "organizations",
      "same-slug",
      "SLUG_CHANGED",
      `'ORGANIZATION 1', 'ORG-1', ${first("account")}`,
    ),
    changed(
      "organizations",
      "umlaut-slug",
      "SLUG_CHANGED",
      `'Zoë', 'Zoë & Söhne_', ${first("account")}`,
    ),
    refused(
      "organizations",
      "no-owner",
      "REFERENCE_NOT_FOUND",
      `'Ownerless', 'ownerless', ${nobody}`,
    ),
    changed(
      "organization_members",
      "second-owner",
      "MEMBERSHIP_LEVEL",
      `${first("org")}, ${id("blank-email")}, 'owner'`,
    ),
    refused(
      "organization_members",
      "dangling",
      "REFERENCE_NOT_FOUND",
      `${first("org")}, ${nobody}, 'member'`,
    ),
    changed(
      "api_keys",
      "never",
      "NEVER_EXPIRES",
      `${first("account")}, ${hash("never")}, NULL, true, 'infinity', NULL, NULL, NULL`,
    ),
    refused(
      "api_keys",
      "revoked-for-ever",
      "TIME_OUT_OF_RANGE",
      `${first("account")}, ${hash("revoked")}, NULL, true, NULL, 'infinity', NULL, NULL`,
    ),
    refused(
      "api_keys",
      "short-hash",
      "CONSTRAINT",
      `${first("account")}, '\\x0102', NULL, true, NULL, NULL, NULL, NULL`,
    ),
    changed(
      "api_keys",
      "dangling-rotation",
      "REFERENCE_REMOVED",
      `${first("account")}, ${hash("rotated")}, NULL, true, NULL, NULL, ${nobody}, NULL`,
    ),
    refused(
      "api_keys",
      "nobodys",
      "REFERENCE_NOT_FOUND",
      `${nobody}, ${hash("nobodys")}, NULL, true, NULL, NULL, NULL, NULL`,
    ),
    changed(
      "audit_logs",
      "gone-org",
      "REFERENCE_REMOVED",
      `'org.deleted', ${first("account")}, NULL, NULL, ${nobody}, NULL`,
    ),
    refused(
      "audit_logs",
      "nobodys-act",
      "REFERENCE_NOT_FOUND",
      `'x', ${nobody}, NULL, NULL, NULL, NULL`,
    ),
    refused(
      "audit_logs",
      "half-credential",
      "CONSTRAINT",
      `'x', ${first("account")}, ${nobody}, NULL, NULL, NULL`,
    ),
    refused(
      "graphs",
      "unowned",
      "NO_ORGANIZATION",
      `${first("graph-type")}, 'Nobody''s', '', 'draft', NULL, NULL`,
    ),
    changed(
      "graphs",
      "no-type",
      "REFERENCE_REMOVED",
      `${nobody}, 'Typeless', '', 'draft', NULL, ${first("project")}`,
    ),
    refused("nodes", "in-unowned", "NO_ORGANIZATION", `${id("unowned")}, 'a', '{}'`),
    refused("nodes", "in-nothing", "NO_ORGANIZATION", `${nobody}, 'a', '{}'`),
    taken(
      "nodes",
      "emoji",
      node("emoji 🧪 \\ \t \n key", `'{"text": "👩‍👩‍👧 \\\\u0000 \\\\ \\n \\t"}'`),
    ),
    taken("nodes", "huge-integer", node("huge-integer", `'{"n": 123456789012345678901234567890}'`)),
    taken(
      "nodes",
      "long-decimal",
      node("long-decimal", `'{"n": 1234567890.12345678901234567890}'`),
    ),
    refused("nodes", "infinite-number", "NUMBER_OUT_OF_RANGE", node("infinite", `'{"n": 1e400}'`)),
    taken(
      "nodes",
      "deep",
      node("deep", `(repeat('{"a":', 900) || '1' || repeat('}', 900))::jsonb`),
    ),
    refused(
      "nodes",
      "too-deep",
      "JSON_TOO_DEEP",
      node("too-deep", `(repeat('{"a":', 1100) || '1' || repeat('}', 1100))::jsonb`),
    ),
    taken(
      "nodes",
      "megabyte",
      node("megabyte", `jsonb_build_object('text', repeat('ä', 1000000))`),
    ),
    {
      ...refused("nodes", "from-infinity", "TIME_OUT_OF_RANGE", node("from-infinity", "'{}'")),
      createdAt: "'-infinity'::timestamptz",
    },
    {
      ...taken("nodes", "bc", node("bc", "'{}'")),
      createdAt: "'0044-03-15 12:00:00 BC'::timestamptz",
    },
    {
      ...changed("nodes", "array-metadata", "METADATA_WRAPPED", node("array-metadata", "'{}'")),
      metadata: "'[1, 2]'",
    },
    refused(
      "edges",
      "no-end",
      "REFERENCE_NOT_FOUND",
      `${first("graph")}, 'no-end', 'deep', 'not there', '{}', false`,
    ),
    taken("edges", "loop", `${first("graph")}, NULL, 'deep', 'deep', '{}', false`),
    refused(
      "sessions",
      "nobodys-session",
      "NO_ORGANIZATION",
      "NULL, NULL, 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
    ),
    taken(
      "sessions",
      "not-a-number",
      `${first("project")}, NULL, 'NaN', '{}', -9223372036854775808, 'NaN', 'Infinity', ''::bytea, '-infinity', NULL, NULL`,
    ),
  ];
}

/** Two accounts whose emails differ in case: the first by its id keeps its own. */
function twins(seed: string): { name: string; email: string; code: string | null }[] {
  const order = ["twin", "TWIN"].toSorted((a, b) =>
    digestOf(seed, a) < digestOf(seed, b) ? -1 : 1,
  );
  return order.map((name, index) => {
    return { name, email: `${name}@example.org`, code: index === 0 ? null : "EMAIL_TAKEN" };
  });
}

function digestOf(seed: string, name: string): string {
  return createHash("md5").update(`${seed}:hard:${name}`).digest("hex");
}

/** The statements that insert the hard cases. */
export function hardRows(seed: string): readonly string[] {
  return hardCases(seed).map(({ table, name, values, metadata = "'{}'", createdAt }) => {
    const at = "timestamptz '2026-01-01 12:34:56.789012+05:30'";
    const id = hardId(seed, name);
    return `INSERT INTO ${table} VALUES (${id}, ${metadata}, ${createdAt ?? at}, ${at}, ${values})`;
  });
}
