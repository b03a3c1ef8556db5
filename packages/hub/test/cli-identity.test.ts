import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { createAuthenticator, createSystemDatabase } from "@alkdev/storage/sqlite";
import { describe, expect, it } from "vitest";
import { cli, sharedFolder } from "./cli-fixture.ts";

interface Made {
  readonly account: { readonly id: string; readonly email: string };
  readonly key: { readonly id: string; readonly key: string };
  readonly org: { readonly id: string; readonly slug: string };
}

const folder = sharedFolder();
const { run, json } = cli(folder);

/** Whether a key signs in. */
function signsIn(key: string): boolean {
  const system = createSystemDatabase(open(join(folder, "data", "system.db")));
  const auth = createAuthenticator(system);
  try {
    return auth.authenticate(key, { source: "test" }).ok;
  } finally {
    auth.close();
    system.$client.close();
  }
}

describe("alkdev init, account, key, peer-key, org and member (M44)", () => {
  it("makes an installation whose key signs in, and does not make it twice", async () => {
    const made = await json<Made>(["init", "--email", "ada@example.com", "--org", "acme"]);
    expect(made).toMatchObject({ account: { email: "ada@example.com" }, org: { slug: "acme" } });
    expect(signsIn(made.key.key)).toBe(true);
    const again = await run(["init"]);
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("has an administrator already: ada@example.com");
  });

  it("makes accounts, members and organisations, and names them by email and slug", async () => {
    const bot = ["account", "create", "bot@example.com", "--level", "service", "--name", "Bot"];
    const { id } = await json<{ id: string }>([...bot, "--by", "ada@example.com"]);
    await json(["member", "add", "acme", "BOT@example.com", "--level", "admin"]);
    await json(["org", "create", "beta", "--owner", id, "--no-tenant"]);
    const { members } = await json<{ members: { email: string; level: string }[] }>([
      "member",
      "list",
      "acme",
    ]);
    expect(members.map(({ email, level }) => `${email} ${level}`)).toEqual([
      "ada@example.com owner",
      "bot@example.com admin",
    ]);
    const { stdout } = await run(["org", "list"]);
    expect(stdout.split("\n")[0]).toMatch(/^SLUG +NAME +OWNER +TENANT +ID$/);
    expect(stdout).toMatch(/^acme +acme +ada@example\.com +active +[0-9a-f-]{36}$/m);
    expect(stdout).toMatch(/^beta +beta +bot@example\.com +- +[0-9a-f-]{36}$/m);
  });

  it("makes, limits, rotates and revokes keys; each works or not as it says", async () => {
    const made = await json<{ id: string; key: string }>([
      "key",
      "create",
      "bot@example.com",
      ...["--name", "build", "--expires", "90d", "--scope", "graphs:read", "--org", "acme"],
    ]);
    const rotated = await json<{ id: string; key: string }>([
      ...["key", "rotate", made.id, "--grace", "0"],
    ]);
    expect([made.key, rotated.key].map(signsIn)).toEqual([false, true]);
    expect(await json(["key", "revoke", rotated.id])).toEqual({ id: rotated.id, revoked: true });
    expect(signsIn(rotated.key)).toBe(false);
    const { keys } = await json<{ keys: { id: string; scopes: string[]; name: string }[] }>([
      "key",
      "list",
      "bot@example.com",
    ]);
    expect(keys.map(({ id, name, scopes }) => [id, name, scopes])).toEqual([
      [made.id, "build", ["graphs:read"]],
      [rotated.id, "build", ["graphs:read"]],
    ]);
    expect(JSON.stringify(keys)).not.toContain(rotated.key);
  });

  it("takes public keys from stdin, and refuses what is none", async () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    const part = (bytes: Uint8Array): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    };
    const wire = Buffer.concat([part(Buffer.from("ssh-ed25519")), part(raw)]);
    const line = `ssh-ed25519 ${wire.toString("base64")} spoke\n`;
    const added = await json<{ id: string; fingerprint: string }>(
      ["peer-key", "add", "bot@example.com", "-", "--name", "north"],
      line,
    );
    expect(added.fingerprint).toMatch(/^SHA256:/);
    const refused = await run(["peer-key", "add", "bot@example.com", "nonsense", "--json"]);
    expect(refused.code).toBe(2);
    expect(JSON.parse(refused.stderr).error.code).toBe("INVALID_ARGUMENT");
  });

  it("ends an account only when that is confirmed", async () => {
    const asked = await run(["account", "deactivate", "bot@example.com"]);
    expect(asked).toMatchObject({ code: 4, stdout: "" });
    expect(asked.stderr).toContain("not confirmed: account bot@example.com and all its keys");
    const done = await json<{ suspended: string[]; kept: string[] }>([
      ...["account", "deactivate", "bot@example.com", "--yes"],
    ]);
    expect([done.suspended, done.kept.length]).toEqual([[], 1]);
    const { status } = await json<{ status: string }>(["account", "show", "bot@example.com"]);
    expect(status).toBe("deactivated");
    const { entries } = await json<{ entries: { action: string; account: string }[] }>([
      ...["audit", "--account", "bot@example.com", "--limit", "2"],
    ]);
    expect(entries.map(({ action, account }) => [action, account])).toEqual([
      ["peer_key.revoked", "bot@example.com"],
      ["api_key.revoked", "bot@example.com"],
    ]);
    const { stdout } = await run(["audit", "--action", "account.created"]);
    expect(stdout).toMatch(/^\S+Z +account\.created +ada@example\.com +\{/m);
    const missing = await run(["account", "show", "b_t@example.com"]);
    expect(missing).toMatchObject({ code: 3, stdout: "" });
  });
});
