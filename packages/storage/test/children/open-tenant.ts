import { open } from "@alkdev/honker";
import { createTenantDatabase } from "@alkdev/storage/sqlite";

using client = open(process.argv[2] as string);
createTenantDatabase(client);
