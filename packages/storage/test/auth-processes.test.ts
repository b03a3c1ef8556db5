import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openCatalogQueue, systemCatalog } from "@alkdev/storage/catalog";
import {
  addPeerKey,
  createApiKey,
  listApiKeys,
  revokeApiKey,
  updateAccount,
} from "@alkdev/storage/sqlite";
import { eventually, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { authSetup } from "./auth-fixture.ts";
import type { AuthMessage } from "./children/auth-server.ts";

function start(child: string, args: readonly string[]): ChildProcess {
  const options = { execArgv: ["--conditions=@alkdev/source"] };
  const process = fork(new URL(`./children/${child}.ts`, import.meta.url), args, options);
  onTestFinished(() => void process.kill("SIGKILL"));
  return process;
}

async function authServer(path: string): Promise<(message: AuthMessage) => Promise<boolean>> {
  const child = start("auth-server", [path]);
  await once(child, "message");
  return async (message) => {
    child.send(message);
    const [answer] = await once(child, "message");
    return answer as boolean;
  };
}

describe("authentication in two processes (M41)", () => {
  it("a key that one revokes the other refuses from then on, both ways", async () => {
    const { path, system, ada, authenticator } = authSetup();
    const auth = authenticator();
    const other = await authServer(path);
    for (let round = 0; round < 25; round += 1) {
      const here = createApiKey(system, { ownerId: ada.id });
      expect(auth.authenticate(here.key).ok).toBe(true);
      expect(await other({ authenticate: here.key })).toBe(true);
      if (round % 2 === 0) expect(await other({ revoke: here.id })).toBe(true);
      else expect(revokeApiKey(system, here.id)).toBe(true);
      expect(auth.authenticate(here.key).ok).toBe(false);
      expect(await other({ authenticate: here.key })).toBe(false);
    }
  });

  it("an account that one suspends the other refuses", async () => {
    const { path, system, key } = authSetup();
    const other = await authServer(path);
    expect(await other({ authenticate: key.key })).toBe(true);
    updateAccount(system, "ada", { changes: { status: "suspended" } });
    expect(await other({ authenticate: key.key })).toBe(false);
    updateAccount(system, "ada", { changes: { status: "active" } });
    expect(await other({ authenticate: key.key })).toBe(true);
  });

  it("a challenge made in one is answered in another, once in all of them", async () => {
    const { path, system, authenticator } = authSetup();
    const folder = tempFolder();
    const file = join(folder, "id");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    const publicKey = readFileSync(`${file}.pub`, "utf8");
    const { fingerprint } = addPeerKey(system, { ownerId: "ada", publicKey });
    const servers = [await authServer(path), await authServer(path)];
    for (let round = 0; round < 5; round += 1) {
      const { nonce, namespace } = authenticator().createChallenge(fingerprint);
      const args = ["-Y", "sign", "-f", file, "-n", namespace, "-q"];
      const signature = execFileSync("ssh-keygen", args, { input: nonce, encoding: "utf8" });
      const verify = { fingerprint, nonce, signature };
      const answers = await Promise.all(servers.map((server) => server({ verify })));
      expect(answers.sort()).toEqual([false, true]);
    }
  });
});

describe("rotation that is killed (M41, M35)", () => {
  it.each([
    ["delivery", 1],
    ["delivery", 2],
    ["commit", 1],
    ["commit", 2],
  ])(
    "at %s %d: another worker ends it, and the key that was delivered last works",
    async (when, at) => {
      const { path, system, ada, authenticator } = authSetup();
      const auth = authenticator({ failureLimit: null });
      const vault = join(tempFolder(), "vault");
      const source = { db: system.$client, entries: systemCatalog.queues };
      const queue = openCatalogQueue(source, "key-management");
      const old = [0, 1, 2].map(() => createApiKey(system, { ownerId: ada.id }));
      for (const { id } of old)
        queue.enqueue({ task: "rotate-key", keyId: id, graceSeconds: 3_600 });
      const [, signal] = await once(start("rotate-keys", [path, vault, when, String(at)]), "exit");
      expect(signal).toBe("SIGKILL");
      for (const { key } of old) expect(auth.authenticate(key).ok).toBe(true);
      start("rotate-keys", [path, vault, when, "0"]);
      const isDone = () => {
        const { pending, running } = queue.stats();
        return pending + running === 0;
      };
      await eventually("every key is rotated", isDone, 20_000);
      expect(queue.stats().dead).toBe(0);
      const delivered = readFileSync(vault, "utf8").trim().split("\n");
      const last = new Map(delivered.map((line) => line.split(" ") as [string, string]));
      expect([...last.keys()].sort()).toEqual(old.map(({ id }) => id).sort());
      for (const key of last.values()) expect(auth.authenticate(key).ok).toBe(true);
      const lost = delivered
        .map((line) => line.split(" ")[1])
        .filter((key) => ![...last.values()].includes(key as string));
      for (const key of lost) expect(auth.authenticate(key).ok).toBe(false);
      const keys = listApiKeys(system, { ownerId: ada.id }).items;
      expect(keys.filter(({ rotatedToId }) => rotatedToId !== null)).toHaveLength(3);
      expect(keys).toHaveLength(7);
    },
    60_000,
  );
});
