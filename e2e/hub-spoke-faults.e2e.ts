// A hub, a spoke and a client are killed, cut off and stopped under load. Afterwards every call that was
// answered has had its effect once, and every durable event was applied once, in its order.
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { connectHub, type HubClient } from "@alkdev/hub/spoke";
import { eventually, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { prepareHub } from "./hub-spoke/prepare.ts";
import { startProxy } from "./hub-spoke/proxy.ts";
import { Child } from "./reliability/child.ts";

const CHILDREN = "../../hub-spoke/children";
const LONGEST_MS = 60_000;

/** The processes of one test, and where their files are. */
class Setup {
  readonly dataFolder = join(tempFolder(), "data");
  readonly file = join(tempFolder(), "spoke.db");
  readonly key = prepareHub(this.dataFolder);
  #port = 0;

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async hub(): Promise<Child> {
    const child = new Child(`${CHILDREN}/hub.ts`, [this.dataFolder, this.#port]);
    this.#port = Number(new URL((await child.line("listening")).slice(10)).port);
    return child;
  }

  spoke(options: { name?: string; file?: string; firstEntry?: number; hub?: string } = {}): Child {
    const { name = "north", file = this.file, firstEntry = 0, hub = this.url } = options;
    return new Child(`${CHILDREN}/spoke.ts`, [hub, this.key, name, file, firstEntry]);
  }

  client(): HubClient<Record<string, unknown>> {
    const client = connectHub({
      hub: this.url,
      key: this.key,
      reconnect: { baseMs: 20, maxMs: 200 },
      onError: () => undefined,
    });
    onTestFinished(() => client.close());
    return client;
  }

  /** What a stream of the spoke's file has, once no process has it open. */
  inSpoke(stream: string, file = this.file): string[] {
    return entriesOf(file, stream);
  }

  inHub(stream: string): string[] {
    return entriesOf(join(this.dataFolder, "tenants", "tenant-acme.db"), stream);
  }
}

function entriesOf(path: string, stream: string): string[] {
  const db = open(path);
  try {
    return db
      .stream<string>(stream)
      .readSince(0, 1_000_000)
      .map(({ payload }) => payload);
  } finally {
    db.close();
  }
}

/** Calls that several loops make until they are told to stop. */
class Load {
  readonly answered: string[] = [];
  #stopped = false;
  readonly #loops: Promise<void>[];

  constructor(client: HubClient<Record<string, unknown>>, operation: string, loops = 2) {
    this.#loops = Array.from({ length: loops }, async (_, loop) => {
      for (let n = 0; !this.#stopped; n++) {
        const entry = `${operation}-${loop}-${n}`;
        await client.call(operation, { entry }, { requestId: entry, timeoutMs: LONGEST_MS });
        this.answered.push(entry);
      }
    });
  }

  /** Waits for so many more answers. */
  async more(count: number): Promise<void> {
    const goal = this.answered.length + count;
    await eventually(`${count} more calls`, () => this.answered.length >= goal, LONGEST_MS);
  }

  async stop(): Promise<readonly string[]> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    return this.answered;
  }
}

const ackedBy = (...spokes: Child[]): string[] =>
  spokes.flatMap(({ lines }) =>
    lines.filter((line) => line.startsWith("acked")).map((line) => `spoke-${line.slice(6)}`),
  );

/** Each of these is there, and nothing is there twice. */
function expectOnce(stored: readonly string[], answered: readonly string[]): void {
  expect(new Set(stored).size).toBe(stored.length);
  const known = new Set(stored);
  expect(answered.filter((entry) => !known.has(entry))).toEqual([]);
}

async function ended(child: Child, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  child.signal(signal);
  await child.exited;
}

describe("hub and spoke under faults (M43)", { timeout: 120_000 }, () => {
  it("the hub is killed and started again: calls both ways and events each have one effect", async () => {
    const setup = new Setup();
    let hub = await setup.hub();
    const spoke = setup.spoke({ firstEntry: 1 });
    await spoke.line("ready");
    const client = setup.client();
    const loads = [
      new Load(client, "spoke.copy"),
      new Load(client, "spoke.later"),
      new Load(client, "ledger.add"),
    ];
    for (let kill = 0; kill < 3; kill++) {
      await Promise.all(loads.map((load) => load.more(20)));
      await hub.kill();
      hub = await setup.hub();
    }
    await Promise.all(loads.map((load) => load.more(20)));
    const [copied = [], later = [], added = []] = await Promise.all(
      loads.map((load) => load.stop()),
    );
    const ledger = await settled(setup, spoke, hub);
    expectOnce(setup.inSpoke("copied"), copied);
    expectOnce(setup.inSpoke("later"), later);
    expectOnce(ledger, [...added, ...ackedBy(spoke)]);
    expect(ackedBy(spoke).length).toBeGreaterThan(20);
  });

  it("the spoke is killed and started again: the same holds, and it goes on where it was", async () => {
    const setup = new Setup();
    const hub = await setup.hub();
    const spokes = [setup.spoke({ firstEntry: 1 })];
    const client = setup.client();
    await spokes[0]?.line("ready");
    const copies = new Load(client, "spoke.copy");
    const adds = new Load(client, "ledger.add");
    for (let kill = 0; kill < 3; kill++) {
      await Promise.all([copies.more(20), adds.more(20)]);
      await spokes.at(-1)?.kill();
      // the last one that was acknowledged is sent again, under its request id
      const firstEntry = Math.max(1, ackedBy(...spokes).length);
      spokes.push(setup.spoke({ firstEntry }));
    }
    await Promise.all([copies.more(20), adds.more(20)]);
    const copied = await copies.stop();
    const added = await adds.stop();
    const ledger = await settled(setup, spokes.at(-1) as Child, hub);
    expectOnce(setup.inSpoke("copied"), copied);
    expectOnce(ledger, [...added, ...ackedBy(...spokes)]);
  });

  it("the network is cut, or falls silent: nothing is lost, nothing happens twice", async () => {
    const setup = new Setup();
    const hub = await setup.hub();
    const network = await startProxy(setup.port);
    const spoke = setup.spoke({ firstEntry: 1, hub: network.url });
    await spoke.line("ready");
    const client = setup.client();
    const copies = new Load(client, "spoke.copy");
    for (let cut = 0; cut < 10; cut++) {
      await copies.more(20);
      network.cut();
    }
    await copies.more(20);
    network.silence();
    await copies.more(20);
    const copied = await copies.stop();
    const ledger = await settled(setup, spoke, hub);
    expectOnce(setup.inSpoke("copied"), copied);
    expectOnce(ledger, ackedBy(spoke));
  });

  it("a spoke that stands still holds up nobody, and catches up", async () => {
    const setup = new Setup();
    const hub = await setup.hub();
    const spoke = setup.spoke();
    await spoke.line("ready");
    const client = setup.client();
    const large = "x".repeat(20_000);
    const waiting = client.call("spoke.copy", { entry: "a" }, { timeoutMs: LONGEST_MS });
    await waiting;
    spoke.signal("SIGSTOP");
    const late = client.call("spoke.copy", { entry: "b" }, { timeoutMs: 25_000 });
    for (let n = 0; n < 300; n++) await client.call("ledger.add", { entry: `${n} ${large}` });
    const { data } = await client.call("spokes.list", {});
    await eventually("the hub lets go of it", async () => {
      const spokes = await client.call("spokes.list", {});
      return JSON.stringify(spokes.data).includes('"connected":false');
    });
    expect(JSON.stringify(data)).toContain("north");
    spoke.signal("SIGCONT");
    expect((await late).data).toBe("north");
    await client.close();
    const ledger = await settled(setup, spoke, hub);
    expect(setup.inSpoke("copied")).toEqual(["a", "b"]);
    expect(ledger).toHaveLength(300);
  });

  it("of two processes with one name the second takes over when the first is killed", async () => {
    const setup = new Setup();
    await setup.hub();
    const first = setup.spoke();
    await first.line("ready");
    const second = setup.spoke({ file: join(tempFolder(), "second.db") });
    await eventually("it is told", () => second.errors.includes("is connected already"), 20_000);
    expect(second.lines).toEqual([]);
    const client = setup.client();
    const calls = [1, 2, 3].map((n) =>
      client.call("spoke.copy", { entry: `${n}` }, { timeoutMs: LONGEST_MS }),
    );
    await Promise.all(calls);
    await first.kill();
    const after = client.call("spoke.copy", { entry: "after" }, { timeoutMs: LONGEST_MS });
    await second.line("ready");
    expect((await after).data).toBe("north");
  });
});

/** Waits until a spoke has heard all there is, and ends it and its hub. Returns the hub's ledger. */
async function settled(setup: Setup, spoke: Child, hub: Child): Promise<readonly string[]> {
  spoke.tell("stop");
  await spoke.line("stopped");
  const heardAll = (): boolean => setup.inSpoke("heard").length >= setup.inHub("ledger").length;
  await eventually("all is heard", heardAll, 20_000);
  await Promise.all([ended(spoke, "SIGTERM"), ended(hub, "SIGTERM")]);
  const ledger = setup.inHub("ledger");
  expect(setup.inSpoke("heard")).toEqual(ledger);
  return ledger;
}
