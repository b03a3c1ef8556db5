// Does one operation on the tenants below the folder given as argument, and kills itself at the step whose
// number is the third argument. Steps are what the store does and the commits of system.db; 0: no kill.
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantManager,
  localTenantStore,
  type TenantManager,
  type TenantStore,
} from "@alkdev/storage/sqlite";

const [root, operation, killAt] = process.argv.slice(2) as [string, string, string];
const folder = join(root, "tenants");
let steps = 0;
let counting = operation === "recover";

function step(): void {
  if (!counting) return;
  steps += 1;
  if (steps === Number(killAt)) process.kill(process.pid, "SIGKILL");
}

/** A step before and after everything that changes files. */
function counted(store: TenantStore): TenantStore {
  const around = <Arguments extends readonly unknown[]>(change: (...args: Arguments) => void) => {
    return (...args: Arguments): void => {
      step();
      change(...args);
      step();
    };
  };
  return {
    prepare: () => store.prepare(),
    ownerElsewhere: (orgId) => store.ownerElsewhere(orgId),
    fileName: (orgId) => store.fileName(orgId),
    path: (orgId, place) => store.path(orgId, place),
    size: (orgId, place) => store.size(orgId, place),
    temporaryPath: (id) => store.temporaryPath(id),
    temporaries: () => store.temporaries(),
    publish: around((id: string, orgId: string) => store.publish(id, orgId)),
    move: around((orgId: string, from: "live" | "archive", to: "live" | "archive") =>
      store.move(orgId, from, to),
    ),
    remove: around((orgId: string, place: "live" | "archive") => store.remove(orgId, place)),
    discard: around((id: string) => store.discard(id)),
  };
}

const OPERATIONS: Readonly<Record<string, (tenants: TenantManager) => unknown>> = {
  create: (tenants) => tenants.create("new"),
  import: (tenants) => tenants.importFrom(join(root, "export.db"), "new"),
  clone: (tenants) => tenants.clone("full", "new"),
  export: (tenants) => tenants.exportTo("full", join(root, "out", "full.db")),
  archive: (tenants) => tenants.archive("full"),
  unarchive: (tenants) => tenants.unarchive("away"),
  delete: (tenants) => tenants.delete("full", { confirm: "full" }),
  purge: (tenants) => tenants.purgeDue(),
  recover: () => undefined,
};

const system = createSystemDatabase(open(join(root, "system.db")));
system.$client.onCommit(step);
const tenants = createTenantManager({
  folder,
  system,
  graceSeconds: 0,
  store: counted(localTenantStore(folder)),
});
counting = true;
await OPERATIONS[operation]?.(tenants);
process.stdout.write(String(steps));
tenants.close();
system.$client.close();
