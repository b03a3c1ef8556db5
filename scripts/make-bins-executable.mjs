import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// tsc writes plain files; npm would set this when it installs a package, but not in this checkout
for (const name of readdirSync("packages")) {
  const folder = join("packages", name);
  const { bin = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const file of Object.values(bin)) chmodSync(join(folder, file), 0o755);
}
