// Applies the migrations of a folder to a database, and is killed before it runs a certain statement.
// Arguments: the database's path, the folder, and how that statement begins.
import { open } from "@alkdev/honker";
import { drizzle, type HonkerClient } from "drizzle-honker";
import { migrate } from "drizzle-honker/migrator";

const [path, migrationsFolder, fatal] = process.argv.slice(2) as [string, string, string?];
const database = open(path);
const client: HonkerClient = new Proxy(database, {
  get(target, key) {
    const member = Reflect.get(target, key, target) as unknown;
    if (typeof member !== "function") return member;
    return (...args: unknown[]) => {
      const dies = key === "prepare" && fatal !== undefined && String(args[0]).startsWith(fatal);
      if (dies) process.kill(process.pid, "SIGKILL");
      return Reflect.apply(member, target, args) as unknown;
    };
  },
});
migrate(drizzle(client), { migrationsFolder, backup: false });
database.close();
process.disconnect();
