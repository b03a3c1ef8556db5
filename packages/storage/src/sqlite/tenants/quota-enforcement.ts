import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { type Database, HonkerError } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import {
  type CountedResource,
  CREATE_COUNTERS,
  counterTriggers,
  DROP_COUNTERS,
  dropCounterTriggers,
} from "./quota-triggers.ts";
import type { TenantQuota } from "./tenant-quota.ts";

const COUNTED = { graphs: "maxGraphs", nodes: "maxNodes" } as const satisfies Readonly<
  Record<CountedResource, keyof TenantQuota>
>;
const RESOURCES = Object.keys(COUNTED) as readonly CountedResource[];
/** What SQLite has where nothing else is set. */
const NO_LIMIT_PAGES = 4_294_967_294;

const PAGE_SIZE = "PRAGMA page_size";
const PAGE_COUNT = "PRAGMA page_count";
const HAS_COUNTERS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_alk_quota'";
const MAXIMA = "SELECT resource, maximum FROM _alk_quota";
const USED = "SELECT used FROM _alk_quota WHERE resource = ?";
const SET_MAXIMUM = "UPDATE _alk_quota SET maximum = ? WHERE resource = ?";
const REMOVE_COUNTER = "DELETE FROM _alk_quota WHERE resource = ?";
const ADD_COUNTER: Readonly<Record<CountedResource, string>> = {
  graphs:
    "INSERT INTO _alk_quota (resource, used, maximum) SELECT 'graphs', count(*), ? FROM graphs",
  nodes: "INSERT INTO _alk_quota (resource, used, maximum) SELECT 'nodes', count(*), ? FROM nodes",
};

/**
 * Makes a tenant's file hold its quota: the size for this connection, the counters in the file. Costs
 * three reads where they are right already.
 */
export function applyQuota(client: Database, quota: TenantQuota | null): void {
  const maxBytes = quota?.maxBytes;
  const pages =
    maxBytes === undefined
      ? NO_LIMIT_PAGES
      : Math.max(1, Math.floor(maxBytes / pragma(client, PAGE_SIZE)));
  // never less than what is there: SQLite then takes the present size as the limit
  client.rows(`PRAGMA max_page_count = ${Math.min(pages, NO_LIMIT_PAGES)}`);
  if (holds(client, quota)) return;
  client.transaction((tx) => {
    const maxima = readMaxima(client);
    if (quotaCounts(quota)) tx.execute(CREATE_COUNTERS);
    for (const resource of RESOURCES) {
      const maximum = quota?.[COUNTED[resource]];
      if (maximum === undefined) {
        for (const statement of dropCounterTriggers(resource)) tx.execute(statement);
        if (maxima.has(resource)) tx.execute(REMOVE_COUNTER, [resource]);
      } else if (maxima.has(resource)) {
        tx.execute(SET_MAXIMUM, [maximum, resource]);
      } else {
        tx.execute(ADD_COUNTER[resource], [maximum]);
        for (const statement of counterTriggers(resource)) tx.execute(statement);
      }
    }
    if (!quotaCounts(quota)) tx.execute(DROP_COUNTERS);
  });
}

/**
 * `error` as `QUOTA_EXCEEDED` when it, or a cause of it, is a write that the quota of this tenant
 * refused; else `null`.
 */
export function quotaErrorOf(
  error: unknown,
  tenant: {
    readonly orgId: string;
    readonly client: Database;
    readonly quota: TenantQuota | null;
  },
): StorageError | null {
  const engineError = causeOf(error);
  if (engineError === null || tenant.quota === null) return null;
  const { client, quota } = tenant;
  if (engineError.code === "CONSTRAINT") {
    const resource = /quota_exceeded: (\w+)/.exec(engineError.message)?.[1];
    if (resource !== "graphs" && resource !== "nodes") return null;
    const used = client.open ? Number(client.rows(USED, [resource])[0]?.[0]) : null;
    const maximum = quota[COUNTED[resource]] ?? null;
    return exceeded(error, tenant.orgId, { limit: COUNTED[resource], maximum, used });
  }
  const { maxBytes } = quota;
  if (engineError.code !== "DISK_FULL" || maxBytes === undefined || !client.open) return null;
  const used = pragma(client, PAGE_COUNT) * pragma(client, PAGE_SIZE);
  // of two limits the nearer one was hit
  if (maxBytes - used > freeBytes(client.path)) return null;
  return exceeded(error, tenant.orgId, { limit: "maxBytes", maximum: maxBytes, used });
}

function exceeded(
  cause: unknown,
  orgId: string,
  facts: {
    readonly limit: keyof TenantQuota;
    readonly maximum: number | null;
    readonly used: number | null;
  },
): StorageError {
  const { limit, maximum, used } = facts;
  return new StorageError(
    "QUOTA_EXCEEDED",
    `the quota of tenant "${orgId}" is used up: ${limit} is ${maximum}, used are ${used}`,
    { cause, hint: "Delete something, or raise it with setQuota()", details: { orgId, ...facts } },
  );
}

function holds(client: Database, quota: TenantQuota | null): boolean {
  if (client.rows(HAS_COUNTERS).length === 0) return !quotaCounts(quota);
  const maxima = readMaxima(client);
  return RESOURCES.every((resource) => maxima.get(resource) === quota?.[COUNTED[resource]]);
}

function readMaxima(client: Database): ReadonlyMap<string, number> {
  if (client.rows(HAS_COUNTERS).length === 0) return new Map();
  return new Map(client.rows(MAXIMA).map(([name, maximum]) => [String(name), Number(maximum)]));
}

function quotaCounts(quota: TenantQuota | null): boolean {
  return RESOURCES.some((resource) => quota?.[COUNTED[resource]] !== undefined);
}

function causeOf(error: unknown): HonkerError | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof HonkerError) return at;
  }
  return null;
}

function pragma(client: Database, statement: string): number {
  return Number(client.rows(statement)[0]?.[0]);
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}
