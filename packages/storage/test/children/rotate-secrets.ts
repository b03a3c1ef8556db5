// Works off the queue secret-rotation of the file given as argument, and kills itself right after its n-th
// commit, or before its n-th encryption.
import { open } from "@alkdev/honker";
import { openCatalogQueue, tenantCatalog } from "@alkdev/storage/catalog";
import { type EncryptedData, KeyRing } from "@alkdev/storage/graphs";
import { createSecretRotationHandler, createTenantDatabase } from "@alkdev/storage/sqlite";

const [path, keys, when, dieAt] = process.argv.slice(2) as [string, string, string, string];
let count = 0;
function passed(point: string): void {
  if (point !== when) return;
  count += 1;
  if (count === Number(dieAt)) process.kill(process.pid, "SIGKILL");
}

class MortalRing extends KeyRing {
  override reencrypt(encrypted: EncryptedData): Promise<EncryptedData> {
    passed("encryption");
    return super.reencrypt(encrypted);
  }
}

const client = open(path);
const tenant = createTenantDatabase(client);
client.onCommit(() => passed("commit"));
const ring = new MortalRing({ keys: JSON.parse(keys) as Record<number, string> });
const source = { db: client, entries: tenantCatalog.queues };
const queue = openCatalogQueue(source, "secret-rotation", { visibilityTimeoutSeconds: 1 });
queue.work(createSecretRotationHandler(tenant, ring));
