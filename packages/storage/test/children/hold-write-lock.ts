import { once } from "node:events";
import { open } from "@alkdev/honker";

using client = open(process.argv[2] as string);
const tx = client.transaction();
process.stdout.write("held");
await once(process.stdin.resume(), "end");
tx.rollback();
