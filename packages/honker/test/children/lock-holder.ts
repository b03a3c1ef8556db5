// Takes a lock and keeps it until it is killed; says who it is by its token.
import { open } from "@alkdev/honker";

const [path, name, ttl] = process.argv.slice(2) as [string, string, string];
const db = open(path);
await db.withLock(name, { owner: "child", ttlSeconds: Number(ttl) }, async (lock) => {
  process.send?.(lock.token);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
