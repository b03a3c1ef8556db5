import { open } from "@alkdev/honker";
import { importRedisStream } from "@alkdev/transfer";

/** Imports a Redis Stream and tells about every batch: its parent kills it at one of them. */
const [url = "", key = "", path = ""] = process.argv.slice(2);
using db = open(path);
await importRedisStream({
  ...{ url, key, db, batchSize: 50 },
  onProgress: (progress) => process.send?.(progress),
});
process.disconnect();
