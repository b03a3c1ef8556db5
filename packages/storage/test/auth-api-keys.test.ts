import { createHash } from "node:crypto";
import {
  apiKeys,
  createAccount,
  createApiKey,
  isApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
  updateAccount,
} from "@alkdev/storage/sqlite";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuthSetup, auditTrail, authSetup } from "./auth-fixture.ts";

describe("API keys refuse (M41)", () => {
  it.each<[string, string, (it: AuthSetup) => unknown]>([
    [
      "an owner that is not there",
      "NOT_FOUND",
      ({ system }) => createApiKey(system, { ownerId: "nobody" }),
    ],
    [
      "an owner that is suspended",
      "ACCOUNT_STATE",
      ({ system }) => {
        updateAccount(system, "ada", { changes: { status: "suspended" } });
        createApiKey(system, { ownerId: "ada" });
      },
    ],
    [
      "an expiry in the past",
      "INVALID_ARGUMENT",
      ({ system }) => createApiKey(system, { ownerId: "ada", expiresAt: new Date(0) }),
    ],
    [
      "an expiry that is no moment",
      "INVALID_ARGUMENT",
      ({ system }) => createApiKey(system, { ownerId: "ada", expiresAt: new Date(Number.NaN) }),
    ],
    [
      "a scope with a wildcard inside",
      "INVALID_ARGUMENT",
      ({ system }) => createApiKey(system, { ownerId: "ada", scopes: ["graphs:*:read"] }),
    ],
    [
      "an empty scope",
      "INVALID_ARGUMENT",
      ({ system }) => createApiKey(system, { ownerId: "ada", scopes: [""] }),
    ],
    [
      "scopes that are no list",
      "INVALID_ARGUMENT",
      ({ system }) => createApiKey(system, { ownerId: "ada", scopes: "graphs:read" as never }),
    ],
    [
      "a name that is a number",
      "INVALID_ARGUMENT",
      ({ system }) => createApiKey(system, { ownerId: "ada", name: 5 as never }),
    ],
    ["to revoke what is not there", "NOT_FOUND", ({ system }) => revokeApiKey(system, "none")],
    [
      "to rotate what is not there",
      "NOT_FOUND",
      ({ system }) => rotateApiKey(system, "none", { graceSeconds: 1 }),
    ],
    [
      "a grace below nothing",
      "INVALID_ARGUMENT",
      ({ system, key }) => rotateApiKey(system, key.id, { graceSeconds: -1 }),
    ],
    [
      "a grace that is no number",
      "INVALID_ARGUMENT",
      ({ system, key }) => rotateApiKey(system, key.id, { graceSeconds: Number.NaN }),
    ],
    [
      "a grace without end",
      "INVALID_ARGUMENT",
      ({ system, key }) => rotateApiKey(system, key.id, { graceSeconds: Number.POSITIVE_INFINITY }),
    ],
    [
      "to rotate twice",
      "CREDENTIAL_STATE",
      ({ system, key }) => {
        rotateApiKey(system, key.id, { graceSeconds: 60 });
        rotateApiKey(system, key.id, { graceSeconds: 60 });
      },
    ],
    [
      "to rotate a revoked key",
      "CREDENTIAL_STATE",
      ({ system, key }) => {
        revokeApiKey(system, key.id);
        rotateApiKey(system, key.id, { graceSeconds: 60 });
      },
    ],
    [
      "to rotate a disabled key",
      "CREDENTIAL_STATE",
      ({ system, key }) => {
        system.update(apiKeys).set({ enabled: false }).where(eq(apiKeys.id, key.id)).run();
        rotateApiKey(system, key.id, { graceSeconds: 60 });
      },
    ],
    [
      "to rotate for a deactivated account",
      "ACCOUNT_STATE",
      ({ system, key }) => {
        updateAccount(system, "ada", { changes: { status: "deactivated" } });
        rotateApiKey(system, key.id, { graceSeconds: 60 });
      },
    ],
    [
      "pages of nothing",
      "INVALID_ARGUMENT",
      ({ system }) => listApiKeys(system, { ownerId: "ada", limit: 0 }),
    ],
  ])("%s: %s", (_, code, call) => {
    const setup = authSetup();
    expect(() => call(setup)).toThrow(expect.objectContaining({ name: "StorageError", code }));
  });
});

describe("API keys refuse expiries and organisations that are none (M41)", () => {
  it.each<[string, object]>([
    ["a text", { expiresAt: "2999-01-01" }],
    ["null", { expiresAt: null }],
    ["this very moment", { expiresAt: new Date(5_000), now: 5_000 }],
    ["an empty organisation", { orgId: "" }],
    ["an organisation that is a path", { orgId: "../x" }],
    ["an organisation that is a number", { orgId: 5 }],
  ])("%s", (_, input) => {
    const { system } = authSetup();
    expect(() => createApiKey(system, { ownerId: "ada", ...input })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    expect(listApiKeys(system, { ownerId: "ada" }).items).toHaveLength(1);
  });
});

describe("API keys (M41)", () => {
  it("are a prefix, 256 random bits and a checksum, and only their hash is in the file", () => {
    const { system, key } = authSetup();
    expect(key.key).toMatch(/^alk_[A-Za-z0-9_-]{49}$/);
    expect(system.select().from(apiKeys).get()?.keyHash).toBe(
      createHash("sha256").update(key.key).digest("hex"),
    );
    const { $client: db } = system;
    const tables = db.rows("SELECT name FROM sqlite_master WHERE type = 'table'").flat();
    for (const table of tables) {
      expect(JSON.stringify(db.rows(`SELECT * FROM "${table}"`))).not.toContain(
        key.key.slice(4, 47),
      );
    }
  });

  it("that were mistyped are told from unknown ones", () => {
    const { system, ada } = authSetup();
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    const { key } = createApiKey(system, { ownerId: ada.id });
    expect(isApiKey(key)).toBe(true);
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.constantFrom(...alphabet), (at, letter) => {
        fc.pre(key[at] !== letter);
        return !isApiKey(key.slice(0, at) + letter + key.slice(at + 1));
      }),
    );
    for (const other of [null, 5, "", key.slice(1), `${key} `, `${key}A`, "x".repeat(1e7)]) {
      expect(isApiKey(other)).toBe(false);
    }
  });

  it("are listed without hash, page by page, with their limits", () => {
    const { system, ada, key } = authSetup();
    const limited = createApiKey(system, {
      ownerId: ada.id,
      scopes: ["graphs:read"],
      orgId: "acme",
    });
    const first = listApiKeys(system, { ownerId: ada.id, limit: 1 });
    const second = listApiKeys(system, { ownerId: ada.id, limit: 1, cursor: first.cursor });
    expect(first.items).toMatchObject([{ id: key.id, name: "laptop", scopes: null, orgId: null }]);
    expect(second.items).toMatchObject([
      { id: limited.id, scopes: ["graphs:read"], orgId: "acme" },
    ]);
    expect(second.cursor).toBeNull();
    expect(JSON.stringify([first, second])).not.toMatch(/hash|[0-9a-f]{64}/i);
    expect(listApiKeys(system, { ownerId: "nobody" }).items).toEqual([]);
  });

  it("end once, with one line of the audit trail", () => {
    const { system, key } = authSetup();
    expect([revokeApiKey(system, key.id), revokeApiKey(system, key.id)]).toEqual([true, false]);
    expect(auditTrail(system, "api_key.revoked")).toEqual([
      ["api_key.revoked", { keyId: key.id, ownerId: "ada" }],
    ]);
  });

  it("are rotated with their limits; the old one never lives longer than it would have", () => {
    const { system, clock, ada } = authSetup();
    const now = clock.now();
    const soon = new Date(now + 10_000);
    const old = createApiKey(system, {
      ...{ ownerId: ada.id, name: "n", scopes: ["graphs:*"], orgId: "acme" },
      ...{ expiresAt: soon, now },
    });
    const { id } = rotateApiKey(system, old.id, { graceSeconds: 3_600, now });
    const [, was, is] = listApiKeys(system, { ownerId: ada.id }).items;
    expect(was).toMatchObject({ id: old.id, rotatedToId: id, expiresAt: soon });
    expect(is).toMatchObject({ id, name: "n", scopes: ["graphs:*"], orgId: "acme" });
    const life = Number(is?.expiresAt) - now;
    expect(life).toBeGreaterThanOrEqual(8_000);
    expect(life).toBeLessThanOrEqual(12_000);
  });

  it("lose their limits with their row, but not by being replaced", () => {
    const { system, ada } = authSetup();
    const { id, key } = createApiKey(system, { ownerId: ada.id, scopes: [] });
    const hash = createHash("sha256").update(key).digest("hex");
    const { $client: db } = system;
    db.execute("INSERT OR REPLACE INTO api_keys (id, owner_id, key_hash) VALUES (?, 'ada', ?)", [
      id,
      hash,
    ]);
    expect(listApiKeys(system, { ownerId: "ada" }).items.at(-1)?.scopes).toEqual([]);
    system.delete(apiKeys).where(eq(apiKeys.id, id)).run();
    expect(db.rows("SELECT * FROM _alk_api_key_limits")).toEqual([]);
  });

  it("of a deleted account go with it", () => {
    const { system } = authSetup();
    createAccount(system, { id: "x", email: "x@y", by: { accountId: "ada" } });
    createApiKey(system, { ownerId: "x", scopes: [], by: { accountId: "ada" } });
    system.$client.execute("DELETE FROM accounts WHERE id = 'x'");
    expect(system.$client.rows("SELECT * FROM _alk_api_key_limits")).toEqual([]);
  });
});
