// Access control: identities of 10,000 principals in delegation chains of ten, cold and kept, with and
// without another process that writes; grants per second. Run: npm run bench:acl [-- --principals 10000]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { open } from "@alkdev/honker";
import { type Acl, createAcl, createTenantDatabase, principalKey } from "@alkdev/storage/sqlite";

const { values } = parseArgs({
  options: {
    principals: { type: "string", default: "10000" },
    rounds: { type: "string", default: "5" },
  },
});
const PRINCIPALS = Number(values.principals);
const ROUNDS = Number(values.rounds);
const CHAIN = 10;
const SCOPES = ["graphs:read", "graphs:write", "tasks:*", "secrets:use", "calls:read"];
const folder = mkdtempSync(join(tmpdir(), "bench-acl-"));

const keyOf = (at: number) => principalKey("service", String(at));

function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

const median = (samples: readonly number[]): number => percentile(samples, 0.5);

function row(name: string, ...cells: string[]): void {
  console.log(`| ${[name, ...cells].join(" | ")} |`);
}

/** Milliseconds of one call each, after a warm-up. */
function times(count: number, call: (at: number) => void): number[] {
  for (let at = 0; at < Math.min(count, 500); at++) call(at);
  const samples: number[] = [];
  for (let at = 0; at < count; at++) {
    const before = performance.now();
    call(at);
    samples.push(performance.now() - before);
  }
  return samples;
}

function latency(name: string, rounds: readonly number[][]): void {
  const of = (share: number) => median(rounds.map((samples) => percentile(samples, share)));
  row(name, `${of(0.5).toFixed(4)} ms`, `${of(0.99).toFixed(4)} ms`);
}

function perSecond(count: number, work: () => void): number {
  const before = performance.now();
  work();
  return Math.round((count / (performance.now() - before)) * 1_000);
}

function delegateAll(acl: Acl, from: number, to: number): void {
  for (let at = from; at < to; at++) {
    if (at % CHAIN === 0) continue;
    acl.delegate(keyOf(at - 1), keyOf(at), { narrowedScopes: SCOPES });
  }
}

const path = join(folder, "tenant.db");
const db = open(path);
const tenant = createTenantDatabase(db);
const acl = createAcl(tenant, { cacheSize: PRINCIPALS });
const ends = Array.from({ length: PRINCIPALS / CHAIN }, (_, at) => keyOf(at * CHAIN + CHAIN - 1));
const endOf = (at: number) => ends[(at * 7) % ends.length] as (typeof ends)[number];

console.log(`${PRINCIPALS} principals, chains of ${CHAIN}, medians of ${ROUNDS} rounds\n`);
row("writes", "per second");
row("---", "---");
const puts = perSecond(PRINCIPALS, () => {
  tenant.transaction(() => {
    for (let at = 0; at < PRINCIPALS; at++) {
      acl.putPrincipal(keyOf(at), at % CHAIN === 0 ? { scopes: ["*"] } : {});
    }
  });
});
row("principals, one transaction", String(puts));
const single = Math.min(1_000, PRINCIPALS / 2);
const alone = perSecond(single, () => delegateAll(acl, 0, single));
row("delegations, a commit each", String(alone));
const together = perSecond(PRINCIPALS - single, () => {
  tenant.transaction(() => delegateAll(acl, single, PRINCIPALS));
});
row("delegations, one transaction", String(together));
const members = Array.from({ length: PRINCIPALS }, (_, at) => ({
  accountId: `a${at}`,
  membershipLevel: "member" as const,
}));
const first = perSecond(PRINCIPALS, () => acl.reconcileMembers("acme", members));
row("members reconciled, all new", String(first));
const again = perSecond(PRINCIPALS, () => acl.reconcileMembers("acme", members));
row("members reconciled, all as they were", String(again));

console.log("");
row("identity of the last of a chain", "p50", "p99");
row("---", "---", "---");
const cold: number[][] = [];
const kept: number[][] = [];
const changed: number[][] = [];
const uncached = createAcl(tenant, { cacheSize: 0 });
for (let round = 0; round < ROUNDS; round++) {
  cold.push(times(3_000, (at) => uncached.identityOf(endOf(at))));
  for (const end of ends) acl.identityOf(end);
  kept.push(times(20_000, (at) => acl.identityOf(endOf(at))));
  const samples: number[] = [];
  for (let at = 0; at < 300; at++) {
    acl.grantScopes(keyOf(0), [`round${round}:s${at}`]);
    const before = performance.now();
    acl.identityOf(endOf(at));
    samples.push(performance.now() - before);
  }
  changed.push(samples);
  acl.putPrincipal(keyOf(0), { scopes: ["*"] });
}
latency("cold", cold);
latency("kept", kept);
latency("the first after a change", changed);

// an organisation that delegates to one of its many members
acl.putPrincipal("org:acme", { scopes: ["org:*"] });
acl.delegate("org:acme", "account:a1", { narrowedScopes: ["org:read"] });
latency(`cold, below an organisation with ${PRINCIPALS} members`, [
  times(1_000, () => uncached.identityOf("account:a1")),
]);
db.close();
rmSync(folder, { recursive: true });
