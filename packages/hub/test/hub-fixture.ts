import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  addMember,
  createAccount,
  createApiKey,
  createOrganization,
  createSystemDatabase,
  createTenantManager,
} from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { onTestFinished } from "vitest";
import { type Hub, type StartHubOptions, startHub } from "../src/index.ts";

/** Somebody of {@link prepareData}. */
export type Person = "root" | "owner" | "member" | "outsider";

/** A folder with two organisations: `acme` and `globex`. */
export interface HubData {
  readonly dataFolder: string;
  readonly keys: Readonly<Record<Person, string>>;
}

/** Makes accounts, keys, organisations and tenants, and closes the files again. */
export function prepareData(dataFolder = join(tempFolder(), "data")): HubData {
  mkdirSync(dataFolder, { recursive: true });
  const system = createSystemDatabase(open(join(dataFolder, "system.db")));
  const tenants = createTenantManager({ folder: join(dataFolder, "tenants"), system });
  const key = (id: Person): string => {
    const accessLevel = id === "root" ? "admin" : "user";
    createAccount(system, { id, email: `${id}@example.com`, accessLevel });
    return createApiKey(system, { ownerId: id }).key;
  };
  const keys = {
    root: key("root"),
    owner: key("owner"),
    member: key("member"),
    outsider: key("outsider"),
  };
  const organisations = [
    ["acme", "owner"],
    ["globex", "outsider"],
  ] as const;
  for (const [id, ownerId] of organisations) {
    createOrganization(system, { id, name: id, slug: id, ownerId });
    tenants.create(id);
  }
  addMember(system, { orgId: "acme", accountId: "member" });
  tenants.close();
  system.$client.close();
  return { dataFolder, keys };
}

/** A hub on a free port, stopped with the test. */
export async function testHub(
  options: Partial<StartHubOptions> = {},
  data: HubData = prepareData(),
): Promise<{ readonly hub: Hub; readonly data: HubData; readonly errors: unknown[] }> {
  const errors: unknown[] = [];
  const hub = await startHub({
    dataFolder: data.dataFolder,
    port: 0,
    onError: (error, context) => errors.push([context, error]),
    ...options,
  });
  onTestFinished(() => hub.stop());
  return { hub, data, errors };
}

/** Answer of an HTTP request: its status and JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly body: any;
}

/** Calls an operation by HTTP. */
export async function post(
  { url }: Pick<Hub, "url">,
  path: string,
  {
    key,
    input,
    headers = {},
  }: { key?: string; input?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers },
    ...(input === undefined
      ? {}
      : { body: typeof input === "string" ? input : JSON.stringify(input) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? null : JSON.parse(text),
  };
}
