// Answers every "ping" of another process with a "pong" that carries the same payload.
import { open } from "@alkdev/honker";

const [path, extension] = process.argv.slice(2) as [string, string];
const db = open(path, { extension });
const pings = db.listen("ping");
process.send?.("ready");
for await (const { payload } of pings) db.notify("pong", payload);
