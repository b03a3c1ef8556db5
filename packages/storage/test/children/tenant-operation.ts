// Does one operation on the tenants below the folder given as argument, and kills itself after the step whose
// number is the third argument. Steps are changes of files and commits of system.db; 0: no kill.
import fs from "node:fs";
import fsPromises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantManager,
  type TenantManager,
} from "@alkdev/storage/sqlite";

const [root, operation, killAt] = process.argv.slice(2) as [string, string, string];
let steps = 0;
let counting = operation === "recover";

function step(): void {
  if (!counting) return;
  steps += 1;
  if (steps === Number(killAt)) process.kill(process.pid, "SIGKILL");
}

// what changes files, wherever it is called: the real functions, each followed by a step
for (const name of ["linkSync", "renameSync", "rmSync", "writeFileSync"] as const) {
  const change = fs[name] as (...args: unknown[]) => unknown;
  Object.assign(fs, {
    [name]: (...args: unknown[]) => {
      const result = change(...args);
      step();
      return result;
    },
  });
}
// open: the engine flushes a copy that has not got its name yet
for (const name of ["open", "rename"] as const) {
  const change = fsPromises[name] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(fsPromises, {
    [name]: async (...args: unknown[]) => {
      const result = await change(...args);
      step();
      return result;
    },
  });
}
syncBuiltinESMExports();

const OPERATIONS: Readonly<Record<string, (tenants: TenantManager) => unknown>> = {
  create: (tenants) => tenants.create("new"),
  import: (tenants) => tenants.importFrom(join(root, "export.db"), "new"),
  clone: (tenants) => tenants.clone("full", "new"),
  export: (tenants) => tenants.exportTo("full", join(root, "out", "full.db")),
  archive: (tenants) => tenants.archive("full"),
  unarchive: (tenants) => tenants.unarchive("away"),
  restore: (tenants) => tenants.restore("away", join(root, "export.db")),
  delete: (tenants) => tenants.delete("full", { confirm: "full" }),
  purge: (tenants) => tenants.purgeDue(),
  recover: () => undefined,
};

const system = createSystemDatabase(open(join(root, "system.db")));
system.$client.onCommit(step);
const tenants = createTenantManager({
  folder: join(root, "tenants"),
  system,
  graceSeconds: 0,
});
counting = true;
await OPERATIONS[operation]?.(tenants);
process.stdout.write(String(steps));
tenants.close();
system.$client.close();
