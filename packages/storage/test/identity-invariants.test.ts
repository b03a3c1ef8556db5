import type { Database } from "@alkdev/honker";
import { createSystemDatabase } from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";

let db: Database;

beforeEach(() => {
  db = systemFile();
});

/** Acme belongs to ada and has bob as a member, Beta belongs to bob; eve belongs nowhere. */
function systemFile(): Database {
  const file = tempDatabase();
  createSystemDatabase(file);
  file.execute(
    "INSERT INTO accounts (id, email) VALUES ('ada', 'ada@x'), ('bob', 'bob@x'), ('eve', 'eve@x')",
  );
  file.execute(
    `INSERT INTO organizations (id, name, slug, owner_id)
     VALUES ('acme', 'Acme', 'acme', 'ada'), ('beta', 'Beta', 'beta', 'bob')`,
  );
  file.execute(
    `INSERT INTO organization_members (id, org_id, account_id, membership_level)
     VALUES ('acme-bob', 'acme', 'bob', 'member')`,
  );
  return file;
}

function members(file: Database, org: string): Record<string, unknown> {
  return Object.fromEntries(
    file.rows(
      "SELECT account_id, membership_level FROM organization_members WHERE org_id = ? ORDER BY 1",
      [org],
    ) as [string, unknown][],
  );
}

function ownerRow(file: Database, org: string): string {
  const sql = "SELECT id FROM organization_members WHERE org_id = ? AND membership_level = 'owner'";
  return file.rows(sql, [org])[0]?.[0] as string;
}

/** Organizations whose owner rows are not exactly one, equal to owner_id. Always empty. */
const BROKEN = `SELECT o.id FROM organizations o
  WHERE (SELECT group_concat(account_id) FROM organization_members
    WHERE org_id = o.id AND membership_level = 'owner') IS NOT o.owner_id`;
/** Memberships of organizations or accounts that are gone. Always empty. */
const ORPHANS = `SELECT id FROM organization_members
  WHERE org_id NOT IN (SELECT id FROM organizations) OR account_id NOT IN (SELECT id FROM accounts)`;

function expectInvariants(file: Database): void {
  expect(file.rows(BROKEN)).toEqual([]);
  expect(file.rows(ORPHANS)).toEqual([]);
}

describe.each(["OFF", "ON"])("owner of an organization (M27), recursive_triggers %s", (pragma) => {
  beforeEach(() => {
    db.execute(`PRAGMA recursive_triggers = ${pragma}`);
  });

  const insert = "INTO organization_members (id, org_id, account_id, membership_level) VALUES";
  test.each([
    ["deleting the owner's row", "DELETE FROM organization_members WHERE org_id = 'acme'"],
    ["deleting every membership", "DELETE FROM organization_members"],
    [
      "demoting the owner",
      "UPDATE organization_members SET membership_level = 'admin' WHERE account_id = 'ada'",
    ],
    ["demoting everybody", "UPDATE OR IGNORE organization_members SET membership_level = 'member'"],
    ["demoting all it can", "UPDATE OR FAIL organization_members SET membership_level = 'member'"],
    [
      "promoting another",
      "UPDATE organization_members SET membership_level = 'owner' WHERE id = 'acme-bob'",
    ],
    ["inserting a second owner", `INSERT ${insert} ('x', 'acme', 'eve', 'owner')`],
    [
      "inserting a second owner, or nothing",
      `INSERT OR IGNORE ${insert} ('x', 'acme', 'eve', 'owner')`,
    ],
    [
      "demoting the owner by an upsert",
      `INSERT ${insert} ('x', 'acme', 'ada', 'member')
       ON CONFLICT (org_id, account_id) DO UPDATE SET membership_level = excluded.membership_level`,
    ],
    [
      "promoting a member by an upsert",
      `INSERT ${insert} ('x', 'acme', 'bob', 'member')
       ON CONFLICT DO UPDATE SET membership_level = 'owner'`,
    ],
    ["replacing the owner's row by pair", `REPLACE ${insert} ('x', 'acme', 'ada', 'member')`],
    ["a blob that reads owner", `INSERT ${insert} ('x', 'acme', 'eve', CAST('owner' AS BLOB))`],
    ["a null level", `REPLACE ${insert} ('x', 'acme', 'ada', NULL)`],
    [
      "moving a member onto the owner's place",
      "UPDATE OR REPLACE organization_members SET account_id = 'ada' WHERE id = 'acme-bob'",
    ],
    [
      "moving the owner's row to another account",
      "UPDATE organization_members SET account_id = 'eve' WHERE org_id = 'acme'",
    ],
    [
      "moving the owner's row to another organization",
      "UPDATE organization_members SET org_id = 'beta' WHERE account_id = 'ada'",
    ],
    [
      "giving an organization another id",
      "UPDATE organizations SET id = 'other' WHERE id = 'acme'",
    ],
    ["deleting an account that owns", "DELETE FROM accounts WHERE id = 'ada'"],
    ["replacing an account that owns", "REPLACE INTO accounts (id, email) VALUES ('ada', 'a@x')"],
    [
      "replacing an account that owns, by its email in other case",
      "REPLACE INTO accounts (id, email) VALUES ('new', 'ADA@X')",
    ],
    ["giving an owner's account another id", "UPDATE accounts SET id = 'ida' WHERE id = 'ada'"],
    [
      "an owner who is no account",
      "UPDATE organizations SET owner_id = 'nobody' WHERE id = 'acme'",
    ],
    [
      "a new organization of nobody",
      "INSERT OR IGNORE INTO organizations (id, name, slug, owner_id) VALUES ('c', 'C', 'c', 'nobody')",
    ],
  ])("refuses %s", (_what, sql) => {
    const before = db.rows("SELECT * FROM organization_members ORDER BY id");
    expect(() => db.execute(sql)).toThrow(expect.objectContaining({ code: "CONSTRAINT" }));
    expect(db.rows("SELECT * FROM organization_members ORDER BY id")).toEqual(before);
    expectInvariants(db);
  });

  test("refuses to replace the owner's row by its id, from any organization", () => {
    const id = ownerRow(db, "acme");
    for (const [org, account] of [
      ["acme", "eve"],
      ["beta", "eve"],
    ] as const) {
      for (const verb of ["REPLACE", "INSERT OR REPLACE"]) {
        expect(() =>
          db.execute(`${verb} ${insert} (?, ?, ?, 'member')`, [id, org, account]),
        ).toThrow(/organization_members_owner/);
      }
    }
    expect(() =>
      db.execute("UPDATE OR REPLACE organization_members SET id = ? WHERE id = 'acme-bob'", [id]),
    ).toThrow(/organization_members_identity_stays/);
    expectInvariants(db);
  });

  test("refuses to take an organization from its members by another id, also with deferred keys", () => {
    expect(() =>
      db.transaction((tx) => {
        tx.execute("PRAGMA defer_foreign_keys = ON");
        tx.execute("UPDATE organizations SET id = 'other' WHERE id = 'acme'");
      }),
    ).toThrow(/organizations_id_stays/);
  });

  test("has no rowid by which a row could be replaced unseen", () => {
    for (const table of ["organization_members", "audit_logs"]) {
      expect(() => db.rows(`SELECT rowid FROM ${table}`)).toThrow(/no such column/);
    }
  });

  test("enters with the organization, its id a UUID version 7", () => {
    expect(members(db, "acme")).toEqual({ ada: "owner", bob: "member" });
    const id = ownerRow(db, "acme");
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const ms = Number.parseInt(id.replace("-", "").slice(0, 12), 16);
    expect(Math.abs(Date.now() - ms)).toBeLessThan(60_000);
  });

  test("moves with owner_id, to a member or to somebody new; the one before becomes an admin", () => {
    db.execute("UPDATE organizations SET owner_id = 'bob' WHERE id = 'acme'");
    expect(members(db, "acme")).toEqual({ ada: "admin", bob: "owner" });
    expect(ownerRow(db, "acme")).toBe("acme-bob");
    db.execute("UPDATE OR IGNORE organizations SET owner_id = 'eve'");
    expect(members(db, "acme")).toEqual({ ada: "admin", bob: "admin", eve: "owner" });
    expect(members(db, "beta")).toEqual({ bob: "admin", eve: "owner" });
    expectInvariants(db);
  });

  test("moves with an upsert and with a replacing update of the organization", () => {
    db.execute(
      `INSERT INTO organizations (id, name, slug, owner_id) VALUES ('x', 'Acme', 'x', 'eve')
       ON CONFLICT (name) DO UPDATE SET owner_id = excluded.owner_id`,
    );
    expect(members(db, "acme")).toMatchObject({ ada: "admin", eve: "owner" });
    db.execute(
      "UPDATE OR REPLACE organizations SET name = 'Beta', owner_id = 'ada' WHERE id = 'acme'",
    );
    expect(members(db, "acme")).toMatchObject({ ada: "owner", eve: "admin" });
    expect(members(db, "beta")).toEqual({});
    expectInvariants(db);
  });

  test("stays where it is when owner_id is set to what it was", () => {
    const id = ownerRow(db, "acme");
    db.execute("UPDATE organizations SET owner_id = owner_id, name = 'Acme 2' WHERE id = 'acme'");
    expect(ownerRow(db, "acme")).toBe(id);
  });

  test("goes with its organization, also when that is replaced", () => {
    db.execute("DELETE FROM organizations WHERE id = 'acme'");
    expect(members(db, "acme")).toEqual({});
    db.execute(
      "REPLACE INTO organizations (id, name, slug, owner_id) VALUES ('beta', 'B', 'b', 'ada')",
    );
    expect(members(db, "beta")).toEqual({ ada: "owner" });
    expectInvariants(db);
  });

  test("other members come, rise and go; an account takes its memberships along", () => {
    db.execute("UPDATE organization_members SET membership_level = 'admin' WHERE id = 'acme-bob'");
    db.execute(`INSERT ${insert} ('acme-eve', 'acme', 'eve', 'member')`);
    db.execute(`REPLACE ${insert} ('acme-bob', 'acme', 'bob', 'member')`);
    expect(members(db, "acme")).toEqual({ ada: "owner", bob: "member", eve: "member" });
    db.execute("DELETE FROM accounts WHERE id = 'eve'");
    db.execute("DELETE FROM organization_members WHERE id = 'acme-bob'");
    expect(members(db, "acme")).toEqual({ ada: "owner" });
  });

  test("a row may be written again as it is", () => {
    db.execute(
      `INSERT ${insert} ('x', 'acme', 'ada', 'owner')
       ON CONFLICT (org_id, account_id) DO UPDATE SET metadata = '{"seen":1}'`,
    );
    expectInvariants(db);
  });

  test("members written before their organization, checked at commit, become what they must", () => {
    db.transaction((tx) => {
      tx.execute("PRAGMA defer_foreign_keys = ON");
      tx.execute(`INSERT ${insert} ('c-eve', 'c', 'eve', 'member')`);
      expect(() => tx.execute(`INSERT ${insert} ('c-ada', 'c', 'ada', 'owner')`)).toThrow(
        /organization_members_owner/,
      );
      tx.execute(
        "INSERT INTO organizations (id, name, slug, owner_id) VALUES ('c', 'C', 'c', 'eve')",
      );
    });
    expect(members(db, "c")).toEqual({ eve: "owner" });
    expectInvariants(db);
  });
});

describe("owner of an organization (M27), under any statements", () => {
  const conflict = fc.constantFrom("ABORT", "REPLACE", "IGNORE", "FAIL", "ROLLBACK");
  const account = fc.constantFrom("ada", "bob", "eve", "zoe");
  const org = fc.constantFrom("acme", "beta", "gamma");
  const level = fc.constantFrom("owner", "admin", "member");
  const id = fc.constantFrom("acme-bob", "m1", "m2", "$acme", "$beta");
  const name = fc.constantFrom("Acme", "Beta", "Gamma");
  const upsert = fc.constantFrom(
    "",
    "ON CONFLICT DO NOTHING",
    "ON CONFLICT (org_id, account_id) DO UPDATE SET membership_level = excluded.membership_level",
    "ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id",
  );
  const statement = fc.oneof(
    fc
      .tuple(conflict, id, org, account, level, upsert)
      .map(
        ([or, row, o, a, l, tail]) =>
          `INSERT OR ${or} INTO organization_members (id, org_id, account_id, membership_level) VALUES ('${row}', '${o}', '${a}', '${l}') ${tail}`,
      ),
    fc
      .tuple(conflict, org, name, account)
      .map(
        ([or, o, n, a]) =>
          `INSERT OR ${or} INTO organizations (id, name, slug, owner_id) VALUES ('${o}', '${n}', '${n.toLowerCase()}', '${a}')`,
      ),
    fc
      .tuple(conflict, org, account, name)
      .map(
        ([or, o, a, n]) =>
          `UPDATE OR ${or} organizations SET owner_id = '${a}', name = '${n}' WHERE id = '${o}'`,
      ),
    fc
      .tuple(conflict, id, level)
      .map(
        ([or, row, l]) =>
          `UPDATE OR ${or} organization_members SET membership_level = '${l}' WHERE id = '${row}'`,
      ),
    fc
      .tuple(
        conflict,
        id,
        fc.constantFrom("id", "org_id", "account_id"),
        fc.oneof(id, org, account),
      )
      .map(
        ([or, row, column, value]) =>
          `UPDATE OR ${or} organization_members SET ${column} = '${value}' WHERE id = '${row}'`,
      ),
    fc
      .tuple(conflict, account)
      .map(([or, a]) => `INSERT OR ${or} INTO accounts (id, email) VALUES ('${a}', '${a}@x')`),
    org.map((o) => `DELETE FROM organizations WHERE id = '${o}'`),
    account.map((a) => `DELETE FROM accounts WHERE id = '${a}'`),
    id.map((row) => `DELETE FROM organization_members WHERE id = '${row}'`),
    org.map((o) => `DELETE FROM organization_members WHERE org_id = '${o}'`),
    fc.constantFrom("PRAGMA recursive_triggers = ON", "PRAGMA recursive_triggers = OFF"),
  );

  test("there is exactly one, equal to owner_id", () => {
    const file = systemFile();
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1, maxLength: 12 }), (statements) => {
        for (const sql of statements) {
          const text = sql.replace(/'\$(\w+)'/g, (_all, o: string) => `'${ownerRow(file, o)}'`);
          attempt(file, text);
          expectInvariants(file);
        }
      }),
      { numRuns: 400 },
    );
  });
});

function attempt(file: Database, sql: string): void {
  try {
    file.execute(sql);
  } catch (error) {
    if ((error as { code?: string }).code !== "CONSTRAINT") throw error;
  }
}

describe("audit trail (M27) only grows", () => {
  const insert = "INTO audit_logs (id, action, owner_id, org_id, details) VALUES";

  beforeEach(() => {
    db.execute(`INSERT ${insert} ('1', 'login', 'eve', 'acme', '{"ip":"::1"}')`);
  });

  test.each([
    ["a change of its text", "UPDATE audit_logs SET action = 'nothing'"],
    ["a change of nothing", "UPDATE audit_logs SET action = action"],
    ["a change of its time", "UPDATE audit_logs SET created_at = 0"],
    ["a change of its id", "UPDATE audit_logs SET id = '2'"],
    ["forgetting an organization that is still there", "UPDATE audit_logs SET org_id = NULL"],
    ["naming another organization", "UPDATE audit_logs SET org_id = 'beta'"],
    ["a deletion", "DELETE FROM audit_logs WHERE id = '1'"],
    ["a deletion of all", "DELETE FROM audit_logs"],
    ["a replacement", `REPLACE ${insert} ('1', 'nothing', 'eve', 'acme', NULL)`],
    [
      "an upsert",
      `INSERT ${insert} ('1', 'x', 'eve', NULL, NULL) ON CONFLICT DO UPDATE SET action = 'x'`,
    ],
    ["the deletion of an account that acted", "DELETE FROM accounts WHERE id = 'eve'"],
    [
      "the replacement of an account that acted",
      "REPLACE INTO accounts (id, email) VALUES ('eve', 'e@x')",
    ],
  ])("refuses %s", (_what, sql) => {
    for (const pragma of ["ON", "OFF"]) {
      db.execute(`PRAGMA recursive_triggers = ${pragma}`);
      const before = db.rows("SELECT * FROM audit_logs");
      expect(() => db.execute(sql)).toThrow(expect.objectContaining({ code: "CONSTRAINT" }));
      expect(db.rows("SELECT * FROM audit_logs")).toEqual(before);
    }
  });

  test("forgets an organization when it goes, and nothing else", () => {
    const before = db.query("SELECT * FROM audit_logs")[0];
    db.execute("DELETE FROM organizations WHERE id = 'acme'");
    expect(db.query("SELECT * FROM audit_logs")[0]).toEqual({ ...before, org_id: null });
    expect(() => db.execute("UPDATE audit_logs SET org_id = 'beta'")).toThrow(/append_only/);
  });

  test("forgets an organization that is replaced", () => {
    db.execute(
      "REPLACE INTO organizations (id, name, slug, owner_id) VALUES ('acme', 'A', 'a', 'bob')",
    );
    expect(db.rows("SELECT org_id FROM audit_logs")).toEqual([[null]]);
  });

  test("refuses any other change on the way", () => {
    db.transaction((tx) => {
      tx.execute("PRAGMA defer_foreign_keys = ON");
      tx.execute(`INSERT ${insert} ('2', 'x', 'eve', 'none', NULL)`);
      expect(() =>
        tx.execute("UPDATE audit_logs SET org_id = NULL, details = 'null' WHERE id = '2'"),
      ).toThrow(/append_only/);
      tx.execute("UPDATE audit_logs SET org_id = NULL WHERE id = '2'");
    });
  });

  test("a row whose id is taken is refused, not skipped in silence", () => {
    expect(() => db.execute(`INSERT OR IGNORE ${insert} ('1', 'x', 'eve', NULL, NULL)`)).toThrow(
      /append_only/,
    );
  });
});
