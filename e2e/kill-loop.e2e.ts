import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { open } from "@alkdev/honker";
import { eventually, tempFolder } from "@alkdev/testkit";
import { expect, onTestFinished, test } from "vitest";
import { ledgerOf, OPTIONS, violations } from "./kill-loop/ledger.ts";

/** What the writers compile is kept between them: a third of the time to boot. */
const COMPILE_CACHE = join(tmpdir(), "alkdev-compile-cache");
const ROUNDS = Number(process.env["ALKDEV_KILL_ROUNDS"] ?? 100);
const WRITER = fileURLToPath(new URL("./kill-loop/writer.ts", import.meta.url));
/** A writer is killed after so many transactions, counted so that a busy machine tests as much, */
const MOST_TRANSACTIONS = 30;
/** and so many milliseconds, so that it is in the middle of anything. */
const MOST_MS = 5;
/** How many writers boot ahead, so that the test kills rather than waits for Node. */
const AHEAD = 3;

test(`all or nothing: a writer that is killed ${ROUNDS} times leaves whole transactions`, {
  timeout: 60_000 + ROUNDS * 2_000,
}, async () => {
  const path = join(tempFolder(), "ledger.db");
  const writers = Array.from({ length: AHEAD }, (_, round) => new Writer(path, round));
  onTestFinished(async () => {
    await Promise.all(writers.map((writer) => writer.kill()));
  });
  let promised = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const writer = writers.shift() as Writer;
    writers.push(new Writer(path, round + AHEAD));
    await writer.booted;
    writer.open();
    // every fifth time while it opens the file: makes the tables, replays the log
    if (round % 5 !== 0) await writer.hasWritten(Math.ceil(Math.random() * MOST_TRANSACTIONS));
    await sleep(Math.random() * MOST_MS);
    await writer.kill();
    promised = Math.max(promised, writer.committed);

    using db = open(path, OPTIONS);
    expect({ round, violations: violations(ledgerOf(db)), errors: writer.errors }).toEqual({
      round,
      violations: [],
      errors: "",
    });
    const kept = db.rows("SELECT coalesce(max(id), 0) FROM rows")[0]?.[0] as number;
    expect(kept, `round ${round}: rows that were reported as committed`).toBeGreaterThanOrEqual(
      promised,
    );
  }

  using db = open(path, OPTIONS);
  const ledger = ledgerOf(db);
  const count = (table: string) => db.rows(`SELECT count(*) FROM ${table}`)[0]?.[0] as number;
  expect(count("rows"), "rows written in all").toBeGreaterThan(ROUNDS);
  expect(count("consumed"), "events consumed in all").toBeGreaterThan(0);
  expect(count("effects"), "jobs done in all").toBeGreaterThan(0);

  await using worker = ledger.jobs.work((job, { complete }) => {
    complete(
      (tx) => void tx.execute("INSERT INTO effects (row_id) VALUES (?)", [job.payload.rowId]),
    );
  });
  await eventually(
    "what was claimed by the killed is done, too",
    () => count("effects") === count("rows"),
    30_000,
  );
  await worker.stop();
  expect(violations(ledger)).toEqual([]);
});

/** A process that waits, booted, until it may open the file. */
class Writer {
  /** The newest row that the writer reported as committed. */
  committed = 0;
  errors = "";
  readonly booted: Promise<unknown>;
  readonly #process: ChildProcess;
  #output = "";
  #transactions = 0;

  constructor(path: string, round: number) {
    // every writer in the other mode than the one before: they share one format
    const args = ["--conditions=@alkdev/source", WRITER, path, round % 2 === 0 ? "require" : "off"];
    this.#process = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    });
    this.booted = Promise.race([once(this.#process, "message"), once(this.#process, "close")]);
    this.#process.stdout?.on("data", (chunk) => this.#read(String(chunk)));
    this.#process.stderr?.on("data", (chunk) => {
      this.errors += chunk;
    });
  }

  /** Lets the writer open the file and write. */
  open(): void {
    this.#process.send("open");
  }

  /** Resolves when the writer reported so many transactions, or ended by itself. */
  async hasWritten(transactions: number): Promise<void> {
    await eventually(
      `the writer has written ${transactions} times`,
      () => this.#transactions >= transactions || !this.#running,
      30_000,
    );
  }

  async kill(): Promise<void> {
    if (!this.#running) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "close");
  }

  get #running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  #read(chunk: string): void {
    const lines = (this.#output + chunk).split("\n");
    this.#output = lines.pop() ?? "";
    this.#transactions += lines.length;
    for (const line of lines) this.committed = Math.max(this.committed, Number(line));
  }
}
