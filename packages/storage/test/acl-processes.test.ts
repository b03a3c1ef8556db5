import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { open } from "@alkdev/honker";
import { type Acl, createAcl, createTenantDatabase, principalKey } from "@alkdev/storage/sqlite";
import { tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

async function aclWriter(path: string): Promise<ChildProcess> {
  const child = fork(new URL("./children/acl-writer.ts", import.meta.url), [path], {
    execArgv: ["--conditions=@alkdev/source"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const died = once(child, "exit").then(([code]) => Promise.reject(new Error(`exit code ${code}`)));
  await Promise.race([once(child, "message"), died]);
  died.catch(() => {}); // later it is killed on purpose
  return child;
}

/** The child's answer, which it gives after its commit. */
async function call(child: ChildProcess, method: keyof Acl, ...args: unknown[]): Promise<string> {
  child.send([method, ...args]);
  const [answer] = await once(child, "message");
  return answer as string;
}

describe("an ACL in two processes (M31)", () => {
  it("never decides by what another process has revoked", async () => {
    const db = tempDatabase();
    const acl = createAcl(createTenantDatabase(db), { maxAgeSeconds: 1_000 });
    acl.putPrincipal("account:ada", { scopes: ["graphs:*"] });
    acl.putPrincipal("service:indexer");
    const other = await aclWriter(db.path);
    for (let round = 0; round < 50; round++) {
      const terms = { narrowedScopes: ["graphs:read"] };
      expect(await call(other, "delegate", "account:ada", "service:indexer", terms)).toBe("done");
      expect(acl.identityOf("service:indexer")?.scopes).toEqual(["graphs:read"]);
      expect(await call(other, "revoke", "account:ada", "service:indexer")).toBe("done");
      expect(acl.identityOf("service:indexer")?.scopes).toEqual([]);
    }
  });

  it("keeps what it knows while others write something else", async () => {
    const db = tempDatabase();
    const acl = createAcl(createTenantDatabase(db), { maxAgeSeconds: 1_000 });
    acl.putPrincipal("account:ada", { scopes: ["graphs:*"] });
    const identity = acl.identityOf("account:ada");
    const other = await aclWriter(db.path);
    expect(await call(other, "reconcileMembers", "acme", [])).toBe("done");
    expect(acl.identityOf("account:ada")).toBe(identity);
  });

  it("lets one of two delegations that together close a circle through, and names why", async () => {
    const db = tempDatabase();
    const tenant = createTenantDatabase(db);
    const acl = createAcl(tenant);
    const rounds = 30;
    for (let round = 0; round < rounds; round++) {
      acl.putPrincipal(principalKey("role", `left-${round}`), { scopes: ["a"] });
      acl.putPrincipal(principalKey("role", `right-${round}`), { scopes: ["a"] });
    }
    const [one, other] = await Promise.all([aclWriter(db.path), aclWriter(db.path)]);
    const terms = { narrowedScopes: ["a"] };
    for (let round = 0; round < rounds; round++) {
      const [left, right] = [`role:left-${round}`, `role:right-${round}`];
      const answers = await Promise.all([
        call(one, "delegate", left, right, terms),
        call(other, "delegate", right, left, terms),
      ]);
      expect(answers.sort()).toEqual(["DELEGATION_CYCLE", "done"]);
    }
    expect(acl.listDelegations().items).toHaveLength(rounds);
  });

  it("creates one graph when both write first", async () => {
    const path = `${tempFolder()}/tenant.db`;
    const writers = await Promise.all([aclWriter(path), aclWriter(path)]);
    const answers = await Promise.all(
      writers.map((writer, at) => call(writer, "putPrincipal", `role:${at}`)),
    );
    expect(answers).toEqual(["done", "done"]);
    using db = open(path);
    const acl = createAcl(createTenantDatabase(db));
    expect(acl.listPrincipals().items.map(({ key }) => key)).toEqual(["role:0", "role:1"]);
  });

  it("holds each delegation with its event and its job, or none of them, after kill -9", async () => {
    const path = `${tempFolder()}/tenant.db`;
    for (let round = 0; round < 3; round++) {
      const child = await aclWriter(path);
      expect(await call(child, "putPrincipal", "account:root", { scopes: ["a"] })).toBe("done");
      child.send("flood");
      await once(child, "message");
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    using db = open(path);
    const acl = createAcl(createTenantDatabase(db));
    const count = (sql: string): unknown => db.rows(sql)[0]?.[0];
    const delegations = acl.listDelegations({ limit: 10_000 }).items.length;
    expect(delegations).toBeGreaterThanOrEqual(21);
    expect(acl.listPrincipals({ limit: 10_000, identityType: "role" }).items).toHaveLength(
      delegations,
    );
    const pairs = "WHERE payload ->> 'agentId' <> payload ->> 'principalId'";
    expect(count(`SELECT count(*) FROM _honker_live ${pairs}`)).toBe(delegations);
    expect(count(`SELECT count(*) FROM _honker_notifications ${pairs}`)).toBe(delegations);
    expect(acl.identityOf("role:20")?.scopes).toEqual(["a"]);
  });
});
