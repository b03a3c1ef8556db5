import { createHash } from "node:crypto";
import {
  type Authentication,
  type AuthenticatorOptions,
  addMember,
  apiKeys,
  createAccount,
  createApiKey,
  createAuthenticator,
  createOrganization,
  organizations,
  removeMember,
  revokeApiKey,
  rotateApiKey,
  type SystemDatabase,
  updateAccount,
} from "@alkdev/storage/sqlite";
import { eventually } from "@alkdev/testkit";
import { eq } from "drizzle-orm";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AuthSetup, auditTrail, authSetup } from "./auth-fixture.ts";

const OUT = { ok: false, code: "UNAUTHENTICATED", message: "the credential is not valid" };

/** Every way not to get in: what was shown. */
const REFUSED: readonly [string, (setup: AuthSetup) => unknown][] = [
  ["an unknown key", () => `alk_${"A".repeat(49)}`],
  ["a mistyped key", ({ key }) => `${key.key.slice(0, -1)}${key.key.endsWith("A") ? "B" : "A"}`],
  ["a key in other case", ({ key }) => key.key.toUpperCase()],
  ["the hash instead of the key", ({ key }) => createHash("sha256").update(key.key).digest("hex")],
  ["nothing", () => null],
  ["an empty text", () => ""],
  ["a number", () => 5],
  ["an object that says it is a key", ({ key }) => ({ toString: () => key.key, length: 53 })],
  ["ten megabytes", () => "x".repeat(1e7)],
  ["a key with zeros behind it", ({ key }) => `${key.key}\0`],
  ["SQL", () => "' OR 1=1 --"],
  ["half a surrogate", () => "\ud800"],
  [
    "a revoked key",
    ({ system, key }) => {
      revokeApiKey(system, key.id);
      return key.key;
    },
  ],
  [
    "a disabled key",
    ({ system, key }) => {
      system.update(apiKeys).set({ enabled: false }).where(eq(apiKeys.id, key.id)).run();
      return key.key;
    },
  ],
  [
    "an expired key",
    ({ system, clock, ada }) => {
      const expiresAt = new Date(clock.now() + 1_000);
      const { key } = createApiKey(system, { ownerId: ada.id, expiresAt, now: clock.now() });
      clock.advance(1_000);
      return key;
    },
  ],
  [
    "a key that was rotated, after its grace",
    ({ system, clock, key }) => {
      rotateApiKey(system, key.id, { graceSeconds: 60, now: clock.now() });
      clock.advance(60_000);
      return key.key;
    },
  ],
  ...(["suspended", "deactivated"] as const).map((status): (typeof REFUSED)[number] => [
    `a key of a ${status} account`,
    ({ system, key }) => {
      updateAccount(system, "ada", { changes: { status } });
      return key.key;
    },
  ]),
];

/** A database that notes every call which reaches SQLite; it changes none. */
function noting(system: SystemDatabase, calls: string[]): SystemDatabase {
  const note = <T extends object>(target: T, name: (method: string) => string): T =>
    new Proxy(target, {
      get(of, property) {
        const value: unknown = Reflect.get(of, property);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (property === "prepare") {
            const sql = String(args[0]).slice(0, 30);
            return note(value.apply(of, args) as object, () => sql);
          }
          calls.push(name(String(property)));
          return value.apply(of, args);
        };
      },
    });
  const $client = note(system.$client, (method) => method);
  return new Proxy(system, {
    get: (of, property) => {
      if (property === "$client") return $client;
      const value: unknown = Reflect.get(of, property);
      return typeof value === "function" ? value.bind(of) : value;
    },
  });
}

describe("authenticate refuses with one answer and the same work (M41)", () => {
  it.each(REFUSED)("%s", (_, prepare) => {
    const setup = authSetup();
    const shown = prepare(setup) as string;
    const calls: string[] = [];
    const auth = createAuthenticator(noting(setup.system, calls), { clock: setup.clock });
    onTestFinished(() => auth.close());
    calls.length = 0;
    const answer = auth.authenticate(shown, { source: "192.0.2.1" });
    expect(answer).toEqual(OUT);
    expect(calls).toEqual([
      "SELECT value FROM _alk_storage",
      "SELECT k.key_hash, k.enabled, ",
      "tryRateLimit",
    ]);
    expect(auth.authenticate(shown)).toBe(auth.authenticate(null));
  });

  it("nothing, though the hash of nothing is stored, as a placeholder might be", () => {
    const { system, authenticator } = authSetup();
    const hashes = ["0".repeat(64), createHash("sha256").update("").digest("hex")];
    for (const keyHash of hashes) system.insert(apiKeys).values({ ownerId: "ada", keyHash }).run();
    const auth = authenticator();
    for (const shown of [null, undefined, "", 5, [], "x".repeat(1e6), ...hashes]) {
      expect(auth.authenticate(shown as never)).toEqual(OUT);
    }
  });

  it.each<[string, AuthenticatorOptions]>([
    ["a limit of nothing", { keyLimit: { limit: 0, perSeconds: 60 } }],
    ["half a failure", { failureLimit: { limit: 0.5, perSeconds: 60 } }],
    ["no window", { failureLimit: { limit: 1, perSeconds: 0 } }],
    ["a window that is no number", { keyLimit: { limit: 1, perSeconds: Number.NaN } }],
    ["a cache below nothing", { cacheSize: -1 }],
    ["an unknown audit", { audit: "all" as never }],
    ["an empty namespace", { challengeNamespace: "" }],
  ])("options: %s", (_, options) => {
    const { system } = authSetup();
    expect(() => createAuthenticator(system, options)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("once it is closed, and when the database is", () => {
    const { system, key, authenticator } = authSetup();
    const [one, other] = [authenticator(), authenticator()];
    one.close();
    one.close();
    expect(() => one.authenticate(key.key)).toThrow(expect.objectContaining({ code: "CLOSED" }));
    expect(() => one.flush()).toThrow(expect.objectContaining({ code: "CLOSED" }));
    system.$client.close();
    expect(() => other.authenticate(key.key)).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });
});

describe("authenticate (M41)", () => {
  it("says who it is, with memberships and the limits of the key", () => {
    const { system, key, authenticator } = authSetup();
    createOrganization(system, { id: "acme", name: "Acme", slug: "acme", ownerId: "ada" });
    const limited = createApiKey(system, {
      ownerId: "ada",
      scopes: ["graphs:read"],
      orgId: "acme",
    });
    const auth = authenticator();
    const memberships = [{ orgId: "acme", membershipLevel: "owner" }];
    const who = { accountId: "ada", accessLevel: "user", credentialType: "api_key", memberships };
    expect(auth.authenticate(key.key)).toEqual({
      ok: true,
      principal: { ...who, credentialId: key.id, scopes: null, orgId: null },
    });
    expect(auth.authenticate(limited.key)).toEqual({
      ok: true,
      principal: { ...who, credentialId: limited.id, scopes: ["graphs:read"], orgId: "acme" },
    });
    const { principal } = auth.authenticate(key.key) as Extract<Authentication, { ok: true }>;
    expect(Object.isFrozen(principal) && Object.isFrozen(principal.memberships)).toBe(true);
  });

  it("accepts both keys during the grace of a rotation, and one after it", () => {
    const { system, clock, key, authenticator } = authSetup();
    const auth = authenticator();
    const next = rotateApiKey(system, key.id, { graceSeconds: 60, now: clock.now() });
    const ok = () => [auth.authenticate(key.key).ok, auth.authenticate(next.key).ok];
    expect(ok()).toEqual([true, true]);
    clock.advance(59_999);
    expect(ok()).toEqual([true, true]);
    clock.advance(1);
    expect(ok()).toEqual([false, true]);
  });

  it.each<[string, (setup: AuthSetup) => unknown]>([
    ["a revocation", ({ system, key }) => revokeApiKey(system, key.id)],
    ["raw SQL", ({ system }) => system.$client.execute("UPDATE api_keys SET enabled = 0")],
    ["a deletion", ({ system }) => system.$client.execute("DELETE FROM api_keys")],
    [
      "a replacement",
      ({ system, key }) =>
        system.$client.execute(
          `INSERT OR REPLACE INTO api_keys (id, owner_id, key_hash) VALUES (?, 'ada', '${"0".repeat(64)}')`,
          [key.id],
        ),
    ],
    [
      "a suspension",
      ({ system }) => updateAccount(system, "ada", { changes: { status: "suspended" } }),
    ],
  ])("never answers from memory after %s", (_, change) => {
    const setup = authSetup();
    const auth = setup.authenticator();
    expect(auth.authenticate(setup.key.key).ok).toBe(true);
    change(setup);
    expect(auth.authenticate(setup.key.key)).toEqual(OUT);
  });

  it("sees memberships and levels as they are, and its own transaction", () => {
    const { system, key, authenticator } = authSetup();
    createAccount(system, { id: "bob", email: "bob@example.com" });
    createOrganization(system, { id: "acme", name: "Acme", slug: "acme", ownerId: "bob" });
    const auth = authenticator();
    const orgs = () => {
      const answer = auth.authenticate(key.key);
      return answer.ok ? answer.principal.memberships.map(({ orgId }) => orgId) : "out";
    };
    expect(orgs()).toEqual([]);
    addMember(system, { orgId: "acme", accountId: "ada" });
    expect(orgs()).toEqual(["acme"]);
    expect(() =>
      system.transaction(() => {
        removeMember(system, { orgId: "acme", accountId: "ada" });
        expect(orgs()).toEqual([]);
        revokeApiKey(system, key.id);
        expect(orgs()).toBe("out");
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(orgs()).toEqual(["acme"]);
    system.delete(organizations).run();
    expect(orgs()).toEqual([]);
  });

  it("keeps at most as many as it is told, and none", () => {
    const { system, ada, authenticator } = authSetup();
    const keys = Array.from({ length: 5 }, () => createApiKey(system, { ownerId: ada.id }).key);
    for (const cacheSize of [0, 2]) {
      const auth = authenticator({ cacheSize });
      for (const key of [...keys, ...keys]) expect(auth.authenticate(key).ok).toBe(true);
    }
  });

  it("asks the file for nothing but its token once somebody is known", () => {
    const { system, clock, key } = authSetup();
    const calls: string[] = [];
    const auth = createAuthenticator(noting(system, calls), { clock });
    onTestFinished(() => auth.close());
    auth.authenticate(key.key);
    calls.length = 0;
    auth.authenticate(key.key, { source: "192.0.2.1" });
    expect(calls).toEqual(["SELECT value FROM _alk_storage"]);
  });
});

describe("clocks that jump (M41)", () => {
  it("forward: an expired key is out, though it was in memory; back: it is in again", () => {
    const { system, clock, ada, authenticator } = authSetup();
    const expiresAt = new Date(clock.now() + 5_000);
    const { key } = createApiKey(system, { ownerId: ada.id, expiresAt, now: clock.now() });
    const auth = authenticator();
    expect(auth.authenticate(key).ok).toBe(true);
    clock.advance(86_400_000);
    expect(auth.authenticate(key)).toEqual(OUT);
    clock.advance(-86_400_000);
    expect(auth.authenticate(key).ok).toBe(true);
  });

  it("back by a year: nobody is kept out for longer than the limit, uses are written again", () => {
    const { system, clock, key, authenticator } = authSetup();
    const auth = authenticator({ failureLimit: { limit: 1, perSeconds: 60 } });
    auth.authenticate("no", { source: "a" });
    expect(auth.authenticate("no", { source: "a" })).toMatchObject({ code: "RATE_LIMITED" });
    auth.authenticate(key.key);
    auth.flush();
    clock.advance(-365 * 86_400_000);
    expect(auth.authenticate(key.key, { source: "a" }).ok).toBe(true);
    auth.flush();
    const [row] = system.$client.rows("SELECT last_used_at FROM api_keys");
    expect(row?.[0]).toBe(clock.now() / 1_000);
  });
});

describe("limits (M41)", () => {
  it("of a key are shared by all processes, and say when to come again", () => {
    const { clock, key, authenticator } = authSetup();
    const keyLimit = { limit: 3, perSeconds: 60 };
    const [one, other] = [authenticator({ keyLimit }), authenticator({ keyLimit })];
    const answers = [one, other, one, other, one].map((auth) => auth.authenticate(key.key));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, false, false]);
    expect(answers[3]).toEqual({
      ...{ ok: false, code: "RATE_LIMITED", message: "too many requests" },
      retryAfterSeconds: 60,
    });
    clock.advance(60_000);
    expect(one.authenticate(key.key).ok).toBe(true);
  });

  it("large ones are exceeded by a twentieth per process at most", () => {
    const { key, authenticator } = authSetup();
    const keyLimit = { limit: 200, perSeconds: 60 };
    const auths = [authenticator({ keyLimit }), authenticator({ keyLimit })];
    let passed = 0;
    for (let i = 0; i < 300; i += 1) {
      for (const auth of auths) passed += auth.authenticate(key.key).ok ? 1 : 0;
    }
    expect(passed).toBeGreaterThanOrEqual(200);
    expect(passed).toBeLessThanOrEqual(220);
  });

  it("of failures stop what fails from a source, and no good key, known already or not", () => {
    const { system, ada, clock, key, authenticator } = authSetup();
    const auth = authenticator({ failureLimit: { limit: 3, perSeconds: 60 } });
    const other = createApiKey(system, { ownerId: ada.id }).key;
    expect(auth.authenticate(key.key, { source: "a" }).ok).toBe(true);
    const codes = [1, 2, 3, 4, 5].map((n) => {
      const answer = auth.authenticate(`guess ${n}`, { source: "a" });
      return answer.ok ? "ok" : answer.code;
    });
    const [no, later] = ["UNAUTHENTICATED", "RATE_LIMITED"];
    expect(codes).toEqual([no, no, no, later, later]);
    expect(auth.authenticate(key.key, { source: "a" }).ok).toBe(true);
    // also when any change of any account has emptied the memory
    updateAccount(system, ada.id, { changes: { displayName: "Ada L." } });
    expect(auth.authenticate(key.key, { source: "a" }).ok).toBe(true);
    expect(auth.authenticate(other, { source: "a" }).ok).toBe(true);
    expect(auth.authenticate("guess 6", { source: "a" })).toMatchObject({ code: later });
    expect(auth.authenticate(other, { source: "b" }).ok).toBe(true);
    clock.advance(60_000);
    expect(auth.authenticate("guess", { source: "a" })).toEqual(OUT);
  });
});

describe("what is written down (M41)", () => {
  const uses = (system: SystemDatabase) =>
    system.$client
      .rows("SELECT payload FROM _honker_notifications WHERE channel = 'auth:key_verified'")
      .map(([payload]) => JSON.parse(String(payload)));

  it("a use: last_used_at and one notification a minute, whichever process serves", () => {
    const { system, clock, key, authenticator } = authSetup();
    const [one, other] = [authenticator(), authenticator()];
    for (const auth of [one, other, one, other]) {
      auth.authenticate(key.key);
      auth.flush();
      clock.advance(10_000);
    }
    expect(uses(system)).toEqual([{ keyId: key.id, ownerId: "ada" }]);
    clock.advance(20_000);
    for (const auth of [one, other]) auth.authenticate(key.key);
    one.flush();
    other.flush();
    expect(uses(system)).toHaveLength(2);
    expect(auditTrail(system, "auth.%")).toEqual([]);
  });

  it("by itself, soon after", async () => {
    const { system, key, authenticator } = authSetup();
    authenticator().authenticate(key.key);
    await eventually("the use is written", () => uses(system).length === 1);
  });

  it("nothing changes for those in memory when a use is written", () => {
    const { system, clock, key } = authSetup();
    const calls: string[] = [];
    const auth = createAuthenticator(noting(system, calls), { clock });
    onTestFinished(() => auth.close());
    auth.authenticate(key.key);
    auth.flush();
    calls.length = 0;
    auth.authenticate(key.key);
    expect(calls).toEqual(["SELECT value FROM _alk_storage"]);
  });

  it("failures: with reason, source and number, also of callers that nobody knows", () => {
    const { system, key, authenticator } = authSetup();
    revokeApiKey(system, key.id);
    const auth = authenticator({ failureLimit: null });
    for (let i = 0; i < 3; i += 1) auth.authenticate(key.key, { source: "192.0.2.1" });
    auth.authenticate(`alk_${"A".repeat(49)}`);
    auth.close();
    const rows = system.$client.rows(
      `SELECT o.email, a.credential_id, a.details FROM audit_logs a JOIN accounts o ON o.id = a.owner_id
        WHERE action = 'auth.failed' ORDER BY a.id`,
    );
    expect(rows).toEqual([
      [
        ...["ada@example.com", key.id],
        JSON.stringify({ reason: "revoked", count: 3, source: "192.0.2.1" }),
      ],
      [
        ...["unknown-caller@alkdev.invalid", null],
        JSON.stringify({ reason: "malformed", count: 1 }),
      ],
    ]);
    expect(JSON.stringify(rows)).not.toContain(key.key);
  });

  it("a flood from everywhere is at most a hundred rows and a few, however long it lasts", () => {
    const { system, authenticator } = authSetup();
    const auth = authenticator({ failureLimit: null });
    for (let i = 0; i < 2_000; i += 1)
      auth.authenticate("guess", { source: `10.0.${i >> 8}.${i & 255}` });
    auth.flush();
    const trail = auditTrail(system, "auth.failed").map(([, details]) => details) as {
      source: string;
      count: number;
    }[];
    expect(trail).toHaveLength(101);
    expect(trail.reduce((sum, { count }) => sum + count, 0)).toBe(2_000);
    expect(trail.at(-1)).toMatchObject({ source: "others", count: 1_900 });
  });

  it("successes, when told to, once a minute", () => {
    const { system, clock, key, authenticator } = authSetup();
    const auth = authenticator({ audit: "failures-and-successes" });
    for (let i = 0; i < 4; i += 1) {
      auth.authenticate(key.key, { source: "192.0.2.1" });
      auth.flush();
      clock.advance(30_000);
    }
    expect(auditTrail(system, "auth.verified")).toEqual([
      ["auth.verified", { source: "192.0.2.1" }],
      ["auth.verified", { source: "192.0.2.1" }],
    ]);
  });
});
