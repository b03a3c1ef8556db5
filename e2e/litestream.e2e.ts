import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { open } from "@alkdev/honker";
import { litestreamConfig } from "@alkdev/storage/sqlite";
import { eventually, tempFolder } from "@alkdev/testkit";
import { expect, onTestFinished, test } from "vitest";
import { createTenants, openTenants, writeFolders } from "./fleet/tenants.ts";

/** The real program, of its npm package; published for Linux on x64 alone. */
const LITESTREAM = litestreamPath();

test.runIf(LITESTREAM !== null)(
  "the real Litestream takes the configuration, follows a migration, and restores what was committed (M33)",
  { timeout: 120_000 },
  async () => {
    const root = tempFolder();
    writeFolders(root);
    createTenants(root, 2);
    const { system, tenants } = openTenants(root, "after");
    onTestFinished(() => {
      tenants.close();
      system.$client.close();
    });
    const config = join(root, "litestream.yml");
    const replicas = join(root, "replicas");
    const folder = join(root, "tenants");
    const options = { system, tenants, folder, replicaUrl: `file://${replicas}` };
    writeFileSync(config, litestreamConfig(options));
    const listed = litestream("databases", "-config", config);
    const file = join(folder, "tenant-org-00000.db");
    for (const path of [join(root, "system.db"), file]) expect(listed).toContain(`${path} `);

    const replicating = spawn(String(LITESTREAM), ["replicate", "-config", config], {
      stdio: "ignore",
    });
    onTestFinished(() => void replicating.kill("SIGKILL"));
    await eventually("each file has a replica", () => countReplicas(replicas) === 3, 20_000);
    tenants.withTenant("org-00000", ({ $client }) => {
      for (let i = 100; i < 200; i++) $client.execute("INSERT INTO notes VALUES (?, 1)", [i]);
    });
    await tenants.migrate("org-00000");
    await expect(tenants.archive("org-00001", { waitMs: 200 })).rejects.toThrow(
      "another process has it open",
    );
    await stopped(replicating);

    const restored = join(root, "restored.db");
    litestream("restore", "-config", config, "-o", restored, file);
    using client = open(restored);
    expect((await client.integrityCheck()).ok).toBe(true);
    expect(client.rows("SELECT count(*) FROM notes WHERE id >= 100")).toEqual([[100]]);
    expect(client.rows("SELECT max(created_at) FROM __drizzle_migrations")).toEqual([[3_000]]);
    await tenants.archive("org-00001");
    expect(litestreamConfig(options)).not.toContain("org-00001");
  },
);

test("a configuration that Litestream would misread is refused (M33)", () => {
  const configOf = (root: string, replicaUrl: string): string => {
    writeFolders(root);
    createTenants(root, 1);
    const { system, tenants } = openTenants(root, "after");
    onTestFinished(() => {
      tenants.close();
      system.$client.close();
    });
    return litestreamConfig({ system, tenants, folder: join(root, "tenants"), replicaUrl });
  };
  expect(configOf(tempFolder(), "s3://bucket/$NAME/")).toContain(
    'url: "s3://bucket/$NAME/tenant-org-00000.db"',
  );
  expect(() => configOf(tempFolder(), "not a url")).toThrow("no URL of replicas");
  expect(() => configOf(join(tempFolder(), "a$b"), "s3://bucket")).toThrow('replace the "$"');
});

/** Runs a command of Litestream to its end. */
function litestream(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(String(LITESTREAM), args, { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** Lets Litestream send what it has, and waits for its end. */
async function stopped(process: ChildProcess): Promise<void> {
  process.kill("SIGTERM");
  await once(process, "exit");
}

/** Databases of which there is a first copy. */
function countReplicas(folder: string): number {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.filter((name) => name.endsWith(".snapshot.lz4")).length;
}

function litestreamPath(): string | null {
  try {
    const require = createRequire(import.meta.url);
    return join(
      dirname(require.resolve("@flydotio/litestream-linux-x64/package.json")),
      "litestream",
    );
  } catch {
    return null;
  }
}
