import type { Hub, HubCall, HubCore, Session } from "@alkdev/hub";
import { accounts, createAccount, createApiKey, revokeApiKey } from "@alkdev/storage/sqlite";
import type { BullMqReport, RedisStreamReport } from "@alkdev/transfer";
import { eq } from "drizzle-orm";

/** A key that the old hub had given out. */
export interface OldKey {
  readonly key: string;
  readonly accountId: string;
  readonly orgId: string;
}

/** What the hub has, asked by operations. */
export interface Found {
  readonly key: Omit<OldKey, "key">;
  /** By HTTP, with the old key. */
  readonly graphsOfKey: number;
  /** Rows by table; those of tenants in all of them together. */
  readonly rows: Readonly<Record<string, number>>;
  /** Entries of the stream, in the order in which they were made. */
  readonly entries: number;
  readonly inOrder: boolean;
  readonly jobs: number;
}

/** Makes an account and keys that the old hub did not have. */
const OPERATOR = "example-operator";
const SYSTEM_TABLES = [
  ["accounts", { id: { ne: OPERATOR } }],
  ["organizations", {}],
  ["organization_members", {}],
  ["api_keys", { ownerId: { ne: OPERATOR } }],
] as const;

/** How the seed makes keys: the hub knows their SHA-256 only. */
const seededKeys = Array.from({ length: 200 }, (_, at) => `key${at + 1}`);

/** The first seeded key that still signs in and is in an organisation. */
export function keyOfOldHub(core: HubCore): OldKey {
  for (const key of seededKeys) {
    const answer = core.auth.authenticate(key);
    if (!answer.ok) continue;
    const { accountId, memberships } = answer.principal;
    const active = memberships.find(({ orgId }) => core.tenants.get(orgId)?.state === "active");
    if (active !== undefined) return { key, accountId, orgId: active.orgId };
  }
  throw new Error("none of the seeded keys signs in");
}

/** What {@link askHub} is to find. */
export interface AskOptions extends OldKey {
  readonly stream: RedisStreamReport;
  readonly jobs: BullMqReport;
}

/** Counts through the hub what was imported. */
export function askHub({ core, url }: Hub, options: AskOptions): Promise<Found> {
  return asOperator(core, (bearer) => count(core, { ...options, url, bearer }));
}

async function count(
  core: HubCore,
  options: AskOptions & { readonly url: string; readonly bearer: string },
): Promise<Found> {
  const { key, accountId, orgId, stream, jobs, url, bearer } = options;
  const rows: Record<string, number> = {};
  const admin = core.signIn({ bearer }, { org: null, source: "example" });
  for (const [table, filter] of SYSTEM_TABLES) {
    rows[table] = await countRows(core, admin, { table, filter });
  }
  for (const { orgId: org } of core.tenants.list({ state: "active" })) {
    const inOrg = core.signIn({ bearer }, { org, source: "example" });
    for (const table of ["graphs", "nodes", "edges"]) {
      rows[table] = (rows[table] ?? 0) + (await countRows(core, inOrg, { table }));
    }
  }
  const numbers = await streamNumbers(core, admin, stream.stream);
  const waiting = await ask<QueueCounts>(core, admin, {
    operationId: "queues.stats",
    input: { queue: jobs.queue },
  });
  return {
    key: { accountId, orgId },
    graphsOfKey: await graphsByHttp(url, { key, orgId }),
    rows,
    entries: numbers.length,
    inOrder: numbers.every((n, at) => n === at),
    jobs: waiting.ready + waiting.delayed,
  };
}

interface QueueCounts {
  readonly ready: number;
  readonly delayed: number;
}

/** Runs work with a key of an operator of this example, whom the old hub did not have. */
async function asOperator<Result>(
  core: HubCore,
  work: (key: string) => Promise<Result>,
): Promise<Result> {
  const { system } = core;
  if (core.system.select().from(accounts).where(eq(accounts.id, OPERATOR)).get() === undefined) {
    createAccount(system, { id: OPERATOR, email: "operator@localhost", accessLevel: "admin" });
  }
  const { id, key } = createApiKey(system, { ownerId: OPERATOR });
  try {
    return await work(key);
  } finally {
    revokeApiKey(system, id);
  }
}

async function ask<Data>(core: HubCore, session: Session, call: HubCall): Promise<Data> {
  return (await core.execute(session, call)).data as Data;
}

async function countRows(
  core: HubCore,
  session: Session,
  { table, filter = {} }: { readonly table: string; readonly filter?: object },
): Promise<number> {
  let rows = 0;
  for (let cursor: string | null = null; ; ) {
    const page: { items: unknown[]; cursor: string | null } = await ask(core, session, {
      operationId: `${table}.list`,
      input: { filter, limit: 500, ...(cursor === null ? {} : { cursor }) },
    });
    rows += page.items.length;
    if (page.cursor === null) return rows;
    cursor = page.cursor;
  }
}

/** What the events say of their place. */
async function streamNumbers(core: HubCore, session: Session, stream: string): Promise<number[]> {
  const numbers: number[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: { items: { payload: { n: number } }[]; next: number | null } = await ask(
      core,
      session,
      { operationId: "streams.read", input: { stream, after, limit: 500 } },
    );
    numbers.push(...page.items.map(({ payload }) => payload.n));
    after = page.next;
  }
  return numbers;
}

async function graphsByHttp(
  url: string,
  { key, orgId }: Pick<OldKey, "key" | "orgId">,
): Promise<number> {
  const answer = await fetch(`${url}/call/graphs.list`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "alkdev-org": orgId },
    body: JSON.stringify({ limit: 500 }),
  });
  const body = (await answer.json()) as {
    data?: { items: unknown[] };
    error?: { message: string };
  };
  if (body.data === undefined) throw new Error(`the old key is refused: ${body.error?.message}`);
  return body.data.items.length;
}
