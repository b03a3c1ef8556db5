// Runs the SQL it is sent, on the database named by its argument.
import { open } from "@alkdev/honker";

const db = open(process.argv[2] as string);
process.on("message", (statement: string) => {
  db.execute(statement);
  process.send?.("done");
});
process.on("disconnect", () => db.close());
process.send?.("ready");
