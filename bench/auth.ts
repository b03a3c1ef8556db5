// Authentication: microseconds per API key, known and unknown, refused, while others write, and of the whole
// way to an identity in a tenant; SSH challenges. Run: npm run bench:auth [-- --keys 10000]
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { open } from "@alkdev/honker";
import {
  addPeerKey,
  createAccount,
  createApiKey,
  createAuthenticator,
  createOrganization,
  createSystemDatabase,
  createTenantManager,
  resolveIdentity,
  revokeApiKey,
} from "@alkdev/storage/sqlite";

const { values } = parseArgs({
  options: {
    keys: { type: "string", default: "10000" },
    rounds: { type: "string", default: "5" },
  },
});
const KEYS = Number(values.keys);
const ROUNDS = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), "bench-auth-"));

function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

/** Prints p50 and p99 in microseconds, medians of the rounds, after a warm-up. */
function measure(name: string, count: number, call: (at: number) => void): void {
  for (let at = 0; at < Math.min(count, 500); at++) call(at);
  const rounds: number[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const samples: number[] = [];
    for (let at = 0; at < count; at++) {
      const before = performance.now();
      call(at);
      samples.push((performance.now() - before) * 1_000);
    }
    rounds.push(samples);
  }
  const of = (share: number): string =>
    percentile(
      rounds.map((samples) => percentile(samples, share)),
      0.5,
    ).toFixed(1);
  console.log(`| ${name} | ${of(0.5)} | ${of(0.99)} |`);
}

const system = createSystemDatabase(open(join(folder, "system.db")));
const tenants = createTenantManager({ folder: join(folder, "tenants"), system });
createAccount(system, { id: "root", email: "root@example.com" });
createOrganization(system, { id: "acme", name: "Acme", slug: "acme", ownerId: "root" });
tenants.create("acme");
const keys: string[] = [];
system.transaction(() => {
  for (let at = 0; at < KEYS; at++) keys.push(createApiKey(system, { ownerId: "root" }).key);
});
const revoked = createApiKey(system, { ownerId: "root" });
revokeApiKey(system, revoked.id);
const unlimited = { keyLimit: null, failureLimit: null };
const auth = createAuthenticator(system, unlimited);
const limited = createAuthenticator(system);
const cold = createAuthenticator(system, { ...unlimited, cacheSize: 0 });
const keyAt = (at: number): string => keys[(at * 7) % KEYS] as string;
const bearer = keys[0] as string;

console.log(`${KEYS} keys, medians of ${ROUNDS} rounds\n`);
console.log("| µs per call | p50 | p99 |\n| --- | --- | --- |");
measure("authenticate, in memory", 20_000, () => auth.authenticate(bearer));
measure("the same with a limit per key", 5_000, (at) => limited.authenticate(keyAt(at)));
measure("authenticate, read from the file", 10_000, (at) => cold.authenticate(keyAt(at)));
measure("refused: unknown", 10_000, () => auth.authenticate(`alk_${"A".repeat(49)}`));
measure("refused: malformed", 10_000, () => auth.authenticate("guess"));
measure("refused: revoked", 10_000, () => auth.authenticate(revoked.key));
measure("createApiKey, a commit each", 300, () => createApiKey(system, { ownerId: "root" }));
measure("from key to identity in a tenant", 2_000, () => {
  const access = resolveIdentity({ auth, tenants }, { bearer, orgId: "acme" });
  if (access.ok) access.tenant.close();
});

const file = join(folder, "id");
execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
const publicKey = readFileSync(`${file}.pub`, "utf8");
const { fingerprint } = addPeerKey(system, { ownerId: "root", publicKey });
measure("createChallenge", 10_000, () => auth.createChallenge(fingerprint));
const answers = Array.from({ length: 50 }, () => {
  const { nonce, namespace } = auth.createChallenge(fingerprint);
  const args = ["-Y", "sign", "-f", file, "-n", namespace, "-q"];
  const signature = execFileSync("ssh-keygen", args, { input: nonce, encoding: "utf8" });
  return { fingerprint, nonce, signature };
});
measure("verifyChallenge, used before", 50, (at) => auth.verifyChallenge(answers[at] as never));
for (const one of [auth, limited, cold, tenants, system.$client]) one.close();
rmSync(folder, { recursive: true });
