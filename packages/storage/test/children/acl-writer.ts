// Writes to the ACL of the file given as argument: a call per message, answered by "done" or the error's
// code after its commit; "flood" delegates a thousand times, and says so early, to be killed meanwhile.
import { open } from "@alkdev/honker";
import { StorageError } from "@alkdev/storage";
import { type Acl, createAcl, createTenantDatabase, principalKey } from "@alkdev/storage/sqlite";

const tenant = createTenantDatabase(open(process.argv[2] as string));
const acl = createAcl(tenant);

function flood(): void {
  for (let at = 0; at < 1_000; at++) {
    tenant.transaction(() => {
      const key = principalKey("role", String(at));
      acl.putPrincipal(key);
      acl.delegate("account:root", key, { narrowedScopes: ["a"] });
    });
    if (at === 20) process.send?.("flooding");
  }
}

process.on("message", (message: "flood" | [method: keyof Acl, ...args: never[]]) => {
  if (message === "flood") return flood();
  const [method, ...args] = message;
  try {
    (acl[method] as (...args: never[]) => unknown)(...args);
    process.send?.("done");
  } catch (error) {
    process.send?.(error instanceof StorageError ? error.code : String(error));
  }
});
process.send?.("ready");
