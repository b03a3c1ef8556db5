/** A hub without edges over the same folder: makes the calls that it is told, one per line, and says how each ended. */
import { createInterface } from "node:readline";
import { createHubCore } from "@alkdev/hub";

const [dataFolder = "", bearer = "", org = ""] = process.argv.slice(2);
const core = createHubCore({ dataFolder, name: "second" });
const session = core.signIn({ bearer }, { org: org === "" ? null : org, source: "child" });
process.stdout.write("ready\n");

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await core.execute(session, JSON.parse(line)).then(
    ({ data }) => ({ data }),
    ({ code }: { code: string }) => ({ code }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await core.close();
